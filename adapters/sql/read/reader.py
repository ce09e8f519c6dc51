"""What all readers share: an engine, and rows in pages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.cursors import behind, read_cursor, write_cursor
from adapters.sql.read.looking import look
from adapters.sql.read.statements import CASES
from adapters.sql.readrows import read_case, read_view
from adapters.sql.schema.tables import cases
from domain.case.case import Case
from domain.kernel.view import View
from domain.loan.aggregate import Rulebook
from ports.clock import Clock
from ports.paging import checked_limit

Key = Sequence[tuple[Any, type]]
"""The columns by which a list is sorted, ascending, each with its type."""


class SqlReader:
    """Base of the readers; every answer is one snapshot of what is committed."""

    def __init__(self, engine: AsyncEngine, clock: Clock, rules: Rulebook) -> None:
        self._engine, self._clock, self._rules = engine, clock, rules

    async def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        async with look(self._engine) as conn:
            rows: Sequence[Row[Any]] = (await conn.execute(statement)).fetchall()
            return rows

    async def _views(self, statement: Select[Any], limit: int) -> tuple[View[Any], ...]:
        rows = await self._rows(statement.limit(limit))
        return tuple(read_view(row.kind, row.view) for row in rows)

    async def case(self, key: str) -> Case | None:
        """One case, open or resolved."""
        rows = await self._rows(CASES.where(cases.c.key == key))
        return read_case(rows[0].body) if rows else None

    async def _page(
        self, name: str, statement: Select[Any], key: Key, after: str, limit: int
    ) -> tuple[Sequence[Row[Any]], str]:
        """A page of the list `name`, and where it goes on."""
        rows = await self._rows(page_of(name, statement, key, after, limit))
        return cut(name, rows, len(key), limit)


def page_of(name: str, statement: Select[Any], key: Key, after: str, limit: int) -> Select[Any]:
    """The statement of a page: one row more than its limit, with its sort key as last columns."""
    columns = [column for column, _ in key]
    if after:
        found = read_cursor(name, after, [kind for _, kind in key])
        statement = statement.where(behind(columns, found))
    labelled = [column.label(f"sorted_by_{place}") for place, column in enumerate(columns)]
    limited = statement.order_by(*columns).limit(checked_limit(limit) + 1)
    return limited.add_columns(*labelled)


def cut(
    name: str, rows: Sequence[Row[Any]], parts: int, limit: int
) -> tuple[Sequence[Row[Any]], str]:
    """The rows of a page, and the cursor of the next one."""
    if len(rows) <= limit:
        return rows, ""
    last = rows[limit - 1]
    return rows[:limit], write_cursor(name, tuple(last)[len(last) - parts :])
