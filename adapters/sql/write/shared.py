"""What every writer writes under the chain head's lock beside the journal: cases and messages."""

from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.dialects import postgresql, sqlite

from adapters.sql.engine import among, listed
from adapters.sql.rows import Row, case_row, message_row
from adapters.sql.schema.tables import cases, outbox
from adapters.sql.write.unit import Unit
from adapters.sql.write.workset import Workset
from domain.loan.change import CaseChange


def _open_case(dialect: Any) -> Any:  # noqa: ANN401  (two dialects' inserts share no type)
    return dialect.insert(cases).on_conflict_do_nothing(
        index_elements=["key"], index_where=cases.c.closed_at.is_(None)
    )


_OPEN_CASE = {True: _open_case(postgresql), False: _open_case(sqlite)}
_CLOSE_CASES = {
    postgres: update(cases).where(
        cases.c.closed_at.is_(None), among(cases.c.key, "keys", postgres=postgres)
    )
    for postgres in (True, False)
}


async def write_cases(unit: Unit, work: Workset) -> None:
    """Close, then open; a case opened and closed within the group is written closed."""
    closed: set[str] = set()
    opened: dict[str, CaseChange] = {}
    passed: list[Row] = []
    for case in work.case_changes:
        match case.action:
            case "open":
                opened.setdefault(case.key, case)
            case "close":
                if (mine := opened.pop(case.key, None)) is not None:
                    passed.append(case_row(mine, work.at, work.at))
                closed.add(case.key)
    if closed:
        keys = listed(sorted(closed), postgres=unit.postgres)
        statement = _CLOSE_CASES[unit.postgres].values(closed_at=work.at)
        unit.counters.statements += 1
        await unit.conn.execute(statement, {"keys": keys})
    fresh = [case_row(case, work.at) for _, case in sorted(opened.items())]
    await unit.many(_OPEN_CASE[unit.postgres], fresh)
    await unit.many(insert(cases), passed)


async def write_messages(unit: Unit, work: Workset) -> None:
    """Write the messages that leave after the commit, in the order of the decisions."""
    left = [
        message_row(message, work.at, work.origins.get(command_id))
        for message, command_id in work.messages
    ]
    await unit.many(insert(outbox), left)
