"""Reads money, and proves the books: implements `ports.ledgerqueries.LedgerQueries`."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from sqlalchemy import func, literal, select

from adapters.sql.read.allloans import all_loans
from adapters.sql.read.looking import look
from adapters.sql.read.postings import (
    ITEM_KEY,
    TRAIL_KEY,
    as_item,
    as_posting,
    items_statement,
    journal_of,
    trail_statements,
)
from adapters.sql.read.reader import Key, SqlReader
from adapters.sql.read.statements import CASES, OPEN_CASES
from adapters.sql.read.verifying import verify_journal
from adapters.sql.readrows import read_case
from adapters.sql.schema.tables import balances, cases, chain_head, loans
from domain.case.case import Case
from domain.ledger.chain import KnownHead
from domain.ledger.entry import JournalPosting
from ports.ledgerqueries import AccountItem, Balance, ChainReport, LoanAndNames
from ports.paging import LIMIT_MOST, Page

_CASE_KEY: Key = ((cases.c.opened_at, datetime), (cases.c.key, str))
_BALANCE_KEY: Key = ((balances.c.account, str), (balances.c.currency, str))


class SqlLedgerQueries(SqlReader):
    """Gives what is kept; `verify` trusts nothing of it."""

    async def loans(self, after: str, limit: int) -> tuple[str, ...]:
        """Every loan on the books, in order of id, after `after`."""
        named = select(loans.c.id).where(loans.c.id > after).order_by(loans.c.id).limit(limit)
        return tuple(row.id for row in await self._rows(named))

    async def cases(
        self, after: str = "", limit: int = LIMIT_MOST, *, open_only: bool = True
    ) -> Page[Case]:
        """Cases, oldest first."""
        of = OPEN_CASES if open_only else CASES
        rows, cursor = await self._page("all cases", of, _CASE_KEY, after, limit)
        return Page(tuple(read_case(row.body) for row in rows), cursor)

    async def trail(
        self, key: str, after: str = "", limit: int = LIMIT_MOST
    ) -> Page[JournalPosting]:
        """Every posting about one payment, debit order or bank line, in order of the journal."""
        for statement in trail_statements(key):
            rows, cursor = await self._page("trail", statement, TRAIL_KEY, after, limit)
            if rows:
                return Page(tuple(as_posting(row) for row in rows), cursor)
        return Page(())

    async def balances(
        self, prefix: str = "", after: str = "", limit: int = LIMIT_MOST
    ) -> Page[Balance]:
        """Balances of all accounts whose name starts with `prefix`, zero ones included."""
        statement = select(balances).where(
            func.substr(balances.c.account, 1, len(prefix)) == literal(prefix)
        )
        rows, cursor = await self._page("balances", statement, _BALANCE_KEY, after, limit)
        return Page(tuple(Balance(row.account, row.currency, row.minor) for row in rows), cursor)

    async def items(
        self, account: str, after: str = "", limit: int = LIMIT_MOST
    ) -> Page[AccountItem]:
        """What the balance of one account is for, item by item and place by place; none is zero."""
        statement = items_statement(account)
        rows, cursor = await self._page("items", statement, ITEM_KEY, after, limit)
        return Page(tuple(as_item(account, row) for row in rows), cursor)

    async def journal(self) -> AsyncGenerator[JournalPosting]:
        """All postings in the order of the chain, streamed from one snapshot."""
        unhurried = look(self._engine, unhurried=True)
        async with unhurried as conn, aclosing(journal_of(conn)) as found:
            async for posting in found:
                yield posting

    async def all_loans(self) -> AsyncGenerator[LoanAndNames]:
        """All loans in order of their ids, streamed from one snapshot.

        Raises:
            InvariantBroken: rows of a loan cannot be read.
        """
        unhurried = look(self._engine, unhurried=True)
        async with unhurried as conn, aclosing(all_loans(conn)) as found:
            async for loan in found:
                yield loan

    async def head(self) -> str:
        """The hash that the chain ends with, as it is kept; empty where its row is lost."""
        async with look(self._engine) as conn:
            return (await conn.execute(select(chain_head.c.hash))).scalar_one_or_none() or ""

    async def verify(self, against: Sequence[KnownHead] = ()) -> ChainReport:
        """Recompute the journal, and compare what is kept beside it; nothing is trusted."""
        async with look(self._engine) as conn:
            return await verify_journal(conn, against)
