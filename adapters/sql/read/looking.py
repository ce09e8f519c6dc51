"""Transactions that only read: one snapshot for all statements, no write lock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import is_postgres, reader
from adapters.sql.write.cache import LoanCache
from adapters.sql.write.loading import read_loans
from adapters.sql.write.lookup import lookups
from adapters.sql.write.unit import Counters, Unit
from domain.loan.aggregate import Loan

_UNHURRIED = text("SET LOCAL idle_in_transaction_session_timeout = 0")


@asynccontextmanager
async def look(engine: AsyncEngine, *, unhurried: bool = False) -> AsyncIterator[AsyncConnection]:
    """A connection whose statements all see the same committed state.

    `unhurried`: the reader of what is read may pause for as long as it likes, as one who pages
    through an export does. It holds no lock that a writer wants.
    """
    async with reader(engine).connect() as conn:
        if is_postgres(engine):
            await conn.execution_options(isolation_level="REPEATABLE READ")
            if unhurried:
                await conn.execute(_UNHURRIED)
        yield conn


async def read_loan_now(conn: AsyncConnection, loan_id: str, cache: LoanCache) -> Loan | None:
    """One loan as of the connection's snapshot."""
    postgres = conn.dialect.name == "postgresql"
    unit = Unit(conn, postgres, Counters())
    held = await read_loans(unit, lookups(postgres=postgres), [loan_id], cache)
    return held[0].loan if held else None
