"""Reads the whole journal back, page by page, recomputes it, and compares what is kept with it."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.engine import NotUtf8
from adapters.sql.read.badtext import not_utf8
from adapters.sql.read.chainitems import chain_items
from adapters.sql.read.filechunks import verify_files
from adapters.sql.read.keptheads import KeptHeads
from adapters.sql.read.looking import UNREADABLE
from adapters.sql.read.recounting import recount
from adapters.sql.schema.tables import chain_head
from domain.ledger.chain import LEDGER, KnownHead, Verification
from ports.ledgerqueries import ChainReport


async def verify_journal(conn: AsyncConnection, against: Iterable[KnownHead] = ()) -> ChainReport:
    """What recomputing everything found, for a reader; compared with checkpoints from outside."""
    found, kept = await recompute(conn, against)
    return ChainReport(
        items=found.items,
        commands=found.commands,
        entries=found.entries,
        postings=found.postings,
        transitions=found.transitions,
        head=found.head,
        faults=tuple(found.faults),
        kept=kept,
        root=found.tree.root().hex(),
        checkpoints=found.compared,
        disagreed=tuple(one.source for one in found.disagreed),
    )


async def recompute(
    conn: AsyncConnection, against: Iterable[KnownHead] = ()
) -> tuple[Verification, int]:
    """Every hash, number and sum, the head row, every row and every file kept beside the journal.

    The journal is compared with the checkpoints that are kept in the books, and with `against`.

    Nothing is trusted; a page of the journal or of the loans, or a chunk of a file, is in memory at
    a time.

    Returns:
        What was found, and how many kept rows were compared.
    """
    found, is_text = Verification(), True
    for known in against:
        found.expect(known)
    kept_heads = KeptHeads(conn, found)
    try:
        async for page in chain_items(conn, found.fault):
            await kept_heads.expect(page[-1][0].seq if page else 0)
            for item, stored in page:
                found.take(item, stored)
        await kept_heads.expect(None)
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
