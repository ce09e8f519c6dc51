"""Runs the statements of one transaction and counts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.engine import listed


@dataclass(slots=True)
class Counters:
    """What the writer did since it was made: for tests, the demo and metrics."""

    commits: int = 0
    statements: int = 0
    groups: int = 0
    commands: int = 0
    retries: int = 0
    messages: int = 0


@dataclass(slots=True)
class Unit:
    """A transaction that is open. `postgres` chooses between the two dialects' statements."""

    conn: AsyncConnection
    postgres: bool
    counters: Counters

    async def rows(
        self, statement: Executable, params: Mapping[str, object] | None = None
    ) -> Sequence[Row[Any]]:
        """Run one statement and fetch everything."""
        self.counters.statements += 1
        return (await self.conn.execute(statement, params or {})).fetchall()

    async def find(self, statement: Executable, values: Sequence[str]) -> Sequence[Row[Any]]:
        """Run a statement made with `among(..., "values")`; nothing is asked for no values."""
        if not values:
            return ()
        return await self.rows(statement, {"values": listed(values, postgres=self.postgres)})

    async def many(self, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
        """Run one statement for many rows at once."""
        if rows:
            self.counters.statements += 1
            await self.conn.execute(statement, list(rows))
