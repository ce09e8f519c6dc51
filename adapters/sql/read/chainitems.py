"""Reads the items of the chain back from their rows, page by page."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.readrows import read_posting
from adapters.sql.schema.tables import commands, entries, postings, transitions
from domain.kernel.subject import Subject
from domain.ledger.chain import Booked, ChainItem, Commanded, Moved
from domain.ledger.entry import Posting

PAGE = 2_000
"""Journal numbers that are read at once."""
Pairs = list[tuple[ChainItem, str]]
"""Items, each with the hash that stands beside it."""


async def chain_items(
    conn: AsyncConnection, fault: Callable[[str], None], after: int | None = None
) -> AsyncIterator[Pairs]:
    """Pages of items with the hashes that stand beside them, in order of number.

    Args:
        conn: sees one committed state all the time.
        fault: is told of postings that belong to no entry.
        after: the number behind which to begin; None: with whatever comes first.
    """
    first = await _next_seq(conn, after)
    while first is not None:
        last = first + PAGE - 1
        yield await items_between(conn, first, last, fault)
        first = await _next_seq(conn, last)


async def items_between(
    conn: AsyncConnection, first: int, last: int, fault: Callable[[str], None] = lambda _: None
) -> Pairs:
    """The items of some numbers with their hashes, in order; see `chain_items`."""
    return await _items(conn, lambda seq: seq.between(first, last), fault)


async def items_at(conn: AsyncConnection, numbers: Sequence[int]) -> Pairs:
    """The items of at most `PAGE` numbers that need not follow each other, in order."""
    return await _items(conn, lambda seq: seq.in_(numbers), lambda _: None)


async def hashes_at(conn: AsyncConnection, numbers: Sequence[int]) -> dict[int, str]:
    """The hashes that stand beside the items of at most `PAGE` numbers."""
    found: dict[int, str] = {}
    for table in (commands, entries, transitions):
        some = select(table.c.seq, table.c.hash).where(table.c.seq.in_(numbers))
        found |= {row.seq: row.hash for row in await conn.execute(some)}
    return found


_Wanted = Callable[[Column[Any]], ColumnElement[bool]]
"""Which numbers, as a condition on a column."""


async def _items(conn: AsyncConnection, wanted: _Wanted, fault: Callable[[str], None]) -> Pairs:
    parts: defaultdict[int, list[Posting]] = defaultdict(list)
    for row in await _page(conn, postings, wanted):
        if row.position != len(parts[row.seq]):
            fault(f"posting {row.position} of entry {row.seq} is out of place")
        parts[row.seq].append(read_posting(Posting, row))
    found = [
        (item_of(row, _booked(row, parts.pop(row.seq, []))), row.hash)
        for row in await _page(conn, entries, wanted)
    ]
    moves = await _page(conn, transitions, wanted)
    found += [(item_of(row, moved_of(row)), row.hash) for row in moves]
    log = await _page(conn, commands, wanted)
    found += [(commanded_of(row), row.hash) for row in log]
    for seq in parts:
        fault(f"postings of entry {seq}, which does not exist")
    found.sort(key=lambda pair: pair[0].seq)
    return found


async def _next_seq(conn: AsyncConnection, after: int | None) -> int | None:
    """The least number in use after `after`, over all four tables."""
    found: list[int] = []
    for table in (commands, entries, transitions, postings):
        statement = select(func.min(table.c.seq))
        if after is not None:
            statement = statement.where(table.c.seq > after)
        value = (await conn.execute(statement)).scalar()
        if value is not None:
            found.append(int(value))
    return min(found, default=None)


async def _page(conn: AsyncConnection, table: Table, wanted: _Wanted) -> list[Row[Any]]:
    order = (table.c.seq, table.c.position) if table is postings else (table.c.seq,)
    return list(await conn.execute(select(table).where(wanted(table.c.seq)).order_by(*order)))


def _booked(row: Row[Any], parts: list[Posting]) -> Booked:
    return Booked(row.ledger, row.event, row.value_on, tuple(parts))


def moved_of(row: Any) -> Moved:  # noqa: ANN401  (a row of transitions)
    """What a row says that moved."""
    return Moved(
        Subject(row.subject_kind, row.subject_key),
        row.loan_id,
        row.source,
        row.target,
        row.event,
        row.order_no,
        row.detail,
    )


def item_of(row: Any, what: Booked | Moved) -> ChainItem:  # noqa: ANN401  (of entries or moves)
    """The chain's item that a row is."""
    return ChainItem(
        row.seq,
        row.command_id,
        row.actor_kind,
        row.actor_id,
        row.reason,
        row.product,
        row.at,
        row.posted_on,
        what,
    )


def commanded_of(row: Any) -> ChainItem:  # noqa: ANN401  (a row of commands)
    """The chain's item of a command."""
    kind, _, actor_id = row.actor.partition("/")
    what = Commanded(
        row.kind,
        row.identity,
        row.dedup_key,
        row.approver,
        row.rule,
        row.answer,
        Subject(row.subject_kind, row.subject_key) if row.subject_kind else None,
        row.loan_id,
    )
    return ChainItem(row.seq, row.id, kind, actor_id, row.reason, "", row.at, row.posted_on, what)
