"""Reads postings for people: the trail of a payment, the items of an account, all of them."""

from collections.abc import AsyncGenerator
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.rows import read_posting
from adapters.sql.schema.tables import entries, portions, postings
from domain.ledger.entry import JournalPosting
from ports.queries import OpenItem

_OF_ENTRY = ("event", "at", "posted_on", "value_on", "ledger")
_POSTINGS: Select[Any] = (
    select(*(entries.c[name] for name in _OF_ENTRY), postings)
    .join(postings, postings.c.seq == entries.c.seq)
    .order_by(postings.c.seq, postings.c.position)
)


async def trail_of(conn: AsyncConnection, key: str) -> tuple[JournalPosting, ...]:
    """Every posting about one payment, one debit order or one bank line."""
    of_order = select(portions.c.id).where(portions.c.order_no == key)
    about = or_(postings.c.payment == key, postings.c.payment.in_(of_order))
    found = (await conn.execute(_POSTINGS.where(about))).all()
    if not found:
        found = (await conn.execute(_POSTINGS.where(postings.c.line == key))).all()
    return tuple(_posting(row) for row in found)


async def items_of(conn: AsyncConnection, account: str, limit: int) -> tuple[OpenItem, ...]:
    """The items of an account, in order of loan, installment, component, payment and place."""
    return tuple(
        OpenItem(
            account,
            row.currency,
            row.loan,
            row.number,
            row.component,
            row.party,
            row.payment,
            row.place,
            int(row.minor),
        )
        for row in await conn.execute(items_statement(account, limit))
    )


def items_statement(account: str, limit: int) -> Select[Any]:
    """Reads one account by item: a part of the index, however long the journal is."""
    of = postings.c
    key = (of.loan, of.number, of.component, of.payment, of.place, of.party, of.currency)
    total = func.sum(of.minor)
    return (
        select(*key, total.label("minor"))
        .where(of.account == account)
        .group_by(*key)
        .having(total != 0)
        .order_by(*(column.nulls_first() for column in key))
        .limit(limit)
    )


async def journal_of(conn: AsyncConnection) -> AsyncGenerator[JournalPosting]:
    """Every posting, a page of rows in memory at a time."""
    async with conn.stream(_POSTINGS) as rows:
        async for row in rows:
            yield _posting(row)


def _posting(row: Row[Any]) -> JournalPosting:
    entry = {name: row._mapping[name] for name in _OF_ENTRY}  # noqa: SLF001  (by name)
    return read_posting(JournalPosting, row, seq=row.seq, **entry)
