"""Finds the cells of a SQLite database whose text is not UTF-8: no statement can read them as text.

PostgreSQL keeps no such text.
"""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Table,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from adapters.sql.schema.tables import metadata

_PAGE = 500
_LEAST = -(2**63)
"""Less than the number of any row."""


async def not_utf8(conn: AsyncConnection) -> AsyncIterator[str]:
    """Every such cell in words: its table, its column, and the key of its row.

    Every table is read, page by page; columns that hold bytes are none of text and passed over.
    """
    for table in metadata.sorted_tables:
        texts = [one.name for one in table.c if not isinstance(one.type, LargeBinary)]
        keys = [one.name for one in table.primary_key]
        async for row in _rows(conn, table, texts):
            cells = row._mapping  # noqa: SLF001  (the public way to a row's columns by name)
            for name in (name for name in texts if not _is_utf8(cells[name])):
                key = "/".join(_shown(cells[one]) for one in keys)
                yield f"column {name} of {table.name} is not UTF-8 in row {key}"


async def _rows(conn: AsyncConnection, table: Table, names: list[str]) -> AsyncIterator[Any]:
    """The rows of a table, whatever they hold: text as the bytes that are kept."""
    number: ColumnElement[Any] = literal_column("rowid")
    after = _LEAST
    page = (
        select(number.label("row_number"), *(_bytes_of(name) for name in names))
        .select_from(table)
        .order_by(number)
    )
    while rows := (await conn.execute(page.where(number > after).limit(_PAGE))).all():
        for row in rows:
            yield row
        after = rows[-1].row_number


def _bytes_of(name: str) -> ColumnElement[Any]:
    """A cell as it is kept, text as its bytes, also where the column's type cannot hold it."""
    cell: ColumnElement[Any] = column(name)
    kept = case((func.typeof(cell) == "text", cast(cell, LargeBinary)), else_=cell)
    return type_coerce(kept, NullType()).label(name)


def _is_utf8(cell: object) -> bool:
    try:
        _ = cell.decode() if isinstance(cell, bytes) else ""
    except UnicodeDecodeError:
        return False
    return True


def _shown(cell: object) -> str:
    return cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else str(cell)
