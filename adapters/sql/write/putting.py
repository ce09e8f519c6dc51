"""Puts rows into tables by their primary keys: new ones are inserted, known ones updated."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, Table, and_, bindparam, case, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from adapters.sql.rows import Row
from adapters.sql.schema import tables
from adapters.sql.schema.types import Instant
from adapters.sql.write.unit import Unit

_KEYS = {
    name: tuple(column.name for column in table.primary_key)
    for name, table in tables.metadata.tables.items()
}


def _update(table: Table) -> Any:  # noqa: ANN401  (an update whose columns come with its rows)
    keys = (table.c[name] == bindparam(f"key_{name}") for name in _KEYS[table.name])
    return update(table).where(and_(*keys))


_SINCE = tables.subjects.c.state_since
_UPDATES = {name: _update(table) for name, table in tables.metadata.tables.items()}
_UPDATES["subjects"] = _UPDATES["subjects"].values(
    state_since=case(
        (tables.subjects.c.state == bindparam("to_state", type_=String), _SINCE),
        else_=bindparam("to_since", type_=Instant),
    )
)
_ADDED = ("case_links", "case_words")
"""Tables whose rows are only keys: one that is there already is left."""
_ADDS = {
    (name, postgres): dialect.insert(tables.metadata.tables[name]).on_conflict_do_nothing()
    for name in _ADDED
    for postgres, dialect in ((True, postgresql), (False, sqlite))
}
INSERTS = {name: insert(table) for name, table in tables.metadata.tables.items()}
"""The statement that adds rows to a table, by its name."""


async def put(unit: Unit, table: str, pairs: list[tuple[bool, Row]]) -> None:
    """Insert rows that are new and update those that are known, by the table's keys."""
    await unit.many(INSERTS[table], [row for known, row in pairs if not known])
    await unit.many(_UPDATES[table], [_keyed(table, row) for known, row in pairs if known])


def _keyed(table: str, row: Mapping[str, object]) -> Row:
    keys = _KEYS[table]
    keyed = {(f"key_{name}" if name in keys else name): value for name, value in row.items()}
    if "state_since" in keyed:  # moves only with the state: the statement compares
        keyed |= {"to_state": keyed["state"], "to_since": keyed.pop("state_since")}
    return keyed


async def add(unit: Unit, table: str, found: list[Row]) -> None:
    """Add rows to a table whose rows are only keys, as far as they are not there."""
    await unit.many(_ADDS[table, unit.postgres], found)
