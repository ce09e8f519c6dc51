"""Reads the whole journal back, page by page, recomputes it, and compares what is kept with it."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Row, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.engine import NotUtf8
from adapters.sql.read.badtext import not_utf8
from adapters.sql.read.filechunks import verify_files
from adapters.sql.read.looking import UNREADABLE
from adapters.sql.read.recounting import recount
from adapters.sql.readrows import read_posting
from adapters.sql.schema.tables import chain_head, commands, entries, postings, transitions
from domain.kernel.subject import Subject
from domain.ledger.chain import LEDGER, Booked, ChainItem, Commanded, Moved, Verification
from domain.ledger.entry import Posting
from ports.ledgerqueries import ChainReport

PAGE = 2_000
"""Journal numbers that are read at once."""


async def verify_journal(conn: AsyncConnection) -> ChainReport:
    """What recomputing everything found, for a reader."""
    found, kept = await recompute(conn)
    return ChainReport(
        items=found.items,
        commands=found.commands,
        entries=found.entries,
        postings=found.postings,
        transitions=found.transitions,
        head=found.head,
        faults=tuple(found.faults),
        kept=kept,
    )


async def recompute(conn: AsyncConnection) -> tuple[Verification, int]:
    """Every hash, number and sum, the head row, every row and every file kept beside the journal.

    Nothing is trusted; a page of the journal or of the loans, or a chunk of a file, is in memory at
    a time.

    Returns:
        What was found, and how many kept rows were compared.
    """
    found, is_text = Verification(), True
    try:
        async for item, stored in _items(conn, found):
            found.take(item, stored)
    except UNREADABLE as error:
        is_text = not isinstance(error, NotUtf8)
        found.fault(f"the journal cannot be read after item {found.seq}: {type(error).__name__}")
    head = (await conn.execute(select(chain_head))).all()
    if len(head) == 1:
        found.close(head[0].seq, head[0].hash)
        if (head[0].ledger, head[0].posted_on) != (LEDGER, found.posted_on):
            text = f"of ledger {head[0].ledger}, last posted to on {head[0].posted_on}"
            found.fault(
                f"the journal is of ledger {LEDGER} to {found.posted_on}, its head is {text}"
            )
    else:
        found.fault(f"the chain has {len(head)} head rows")
    try:
        kept = await recount(conn, found) + await verify_files(conn, found)
    except UNREADABLE as error:
        kept = 0
        is_text = is_text and not isinstance(error, NotUtf8)
        found.fault(f"what is kept beside the journal cannot be read: {type(error).__name__}")
    if not is_text:
        async for cell in not_utf8(conn):
            found.fault(cell)
    return found, kept


async def _items(
    conn: AsyncConnection, found: Verification
) -> AsyncIterator[tuple[ChainItem, str]]:
    """Items in order of number; postings that belong to no entry are faults."""
    first = await _next_seq(conn, None)
    while first is not None:
        last = first + PAGE - 1
        parts: defaultdict[int, list[Posting]] = defaultdict(list)
        for row in await _page(conn, postings, first, last):
            if row.position != len(parts[row.seq]):
                found.fault(f"posting {row.position} of entry {row.seq} is out of place")
            parts[row.seq].append(read_posting(Posting, row))
        page = [
            (item_of(row, _booked(row, parts.pop(row.seq, []))), row.hash)
            for row in await _page(conn, entries, first, last)
        ]
        moves = await _page(conn, transitions, first, last)
        page += [(item_of(row, moved_of(row)), row.hash) for row in moves]
        log = await _page(conn, commands, first, last)
        page += [(commanded_of(row), row.hash) for row in log]
        for seq in parts:
            found.fault(f"postings of entry {seq}, which does not exist")
        for pair in sorted(page, key=lambda pair: pair[0].seq):
            yield pair
        first = await _next_seq(conn, last)


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


async def _page(conn: AsyncConnection, table: Table, first: int, last: int) -> list[Row[Any]]:
    order = (table.c.seq, table.c.position) if table is postings else (table.c.seq,)
    statement = select(table).where(table.c.seq.between(first, last)).order_by(*order)
    return list(await conn.execute(statement))


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
