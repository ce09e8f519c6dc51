"""Reads postings for people: the trail of a payment, the items of an account, all of them."""

from collections.abc import AsyncGenerator, Iterator
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.read.reader import Key
from adapters.sql.readrows import read_posting
from adapters.sql.schema.tables import entries, portions, postings
from domain.ledger.entry import JournalPosting
from ports.ledgerqueries import AccountItem

_OF_ENTRY = ("event", "at", "posted_on", "value_on", "ledger")
_POSTINGS: Select[Any] = select(*(entries.c[name] for name in _OF_ENTRY), postings).join(
    postings, postings.c.seq == entries.c.seq
)


TRAIL_KEY: Key = ((postings.c.seq, int), (postings.c.position, int))


def trail_statements(key: str) -> Iterator[Select[Any]]:
    """Read the postings about one payment or one debit order; if there are none, one bank line."""
    of_order = select(portions.c.id).where(portions.c.order_no == key)
    about = or_(postings.c.payment == key, postings.c.payment.in_(of_order))
    yield _POSTINGS.where(about)
    yield _POSTINGS.where(postings.c.line == key)


_TEXTS = ("loan", "component", "payment", "place", "party", "payout")
ITEM_KEY: Key = (
    (func.coalesce(postings.c.loan, ""), str),
    (func.coalesce(postings.c.number, 0), int),
    *((func.coalesce(postings.c[name], ""), str) for name in _TEXTS[1:]),
    (postings.c.currency, str),
)
"""Items in order of loan, installment, component, payment and place."""


def items_statement(account: str) -> Select[Any]:
    """Reads one account by item: a part of the index, however long the journal is."""
    of = postings.c
    key = (
        *(of.loan, of.number, of.component, of.payment, of.place, of.party),
        *(of.payout, of.currency),
    )
    total = func.sum(of.minor)
    return (
        select(*key, total.label("minor"))
        .where(of.account == account)
        .group_by(*key)
        .having(total != 0)
    )


def as_item(account: str, row: Row[Any]) -> AccountItem:
    """An item of an account from its row."""
    return AccountItem(
        account,
        row.currency,
        row.loan,
        row.number,
        row.component,
        row.party,
        row.payment,
        row.place,
        int(row.minor),
        row.payout,
    )


async def journal_of(conn: AsyncConnection) -> AsyncGenerator[JournalPosting]:
    """Every posting, a page of rows in memory at a time."""
    async with conn.stream(_POSTINGS.order_by(postings.c.seq, postings.c.position)) as rows:
        async for row in rows:
            yield as_posting(row)


def as_posting(row: Row[Any]) -> JournalPosting:
    """A posting with its entry from its row."""
    entry = {name: row._mapping[name] for name in _OF_ENTRY}  # noqa: SLF001  (by name)
    return read_posting(JournalPosting, row, seq=row.seq, **entry)
