"""Transactions that only read: one snapshot for all statements, no write lock."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import is_postgres, reader
from adapters.sql.write.cache import LoanCache
from adapters.sql.write.loading import read_loans
from adapters.sql.write.lookup import lookups
from adapters.sql.write.unit import Counters, Unit
from adapters.sql.write.workset import Held
from domain.errors import InvariantBroken
from domain.loan.aggregate import Loan

UNREADABLE = (ValueError, TypeError, KeyError, InvariantBroken)
"""Raised where a column holds what its type cannot, as SQLite lets anybody write it."""
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


async def readable_loans(
    conn: AsyncConnection,
    names: list[str],
    products: LoanCache,
    unreadable: Callable[[str, Exception], None],
) -> list[Held]:
    """The loans of a page; one whose rows cannot be read is reported and holds up no other."""
    postgres = conn.dialect.name == "postgresql"
    unit, find = Unit(conn, postgres, Counters()), lookups(postgres=postgres)
    try:
        return await read_loans(unit, find, names, products)
    except UNREADABLE as error:
        if len(names) == 1:
            unreadable(names[0], error)
            return []
    pages = [await readable_loans(conn, [name], products, unreadable) for name in names]
    return [held for page in pages for held in page]
