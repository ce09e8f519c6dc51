"""Which items of the journal are about a loan, and their proofs, in flat memory."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, and_, bindparam, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.read.chainitems import hashes_at, items_at
from adapters.sql.read.proving import giving_out, passed_tree
from adapters.sql.schema.tables import commands, entries, payout_items, postings, transitions
from domain.kernel.canonical import canonical
from domain.ledger.chain import GENESIS, ChainItem
from domain.ledger.checkpoint import TreeHead
from domain.ledger.merkle import hashes_of, inclusion_ranges
from domain.ledger.proofs import InclusionProof, proven_item
from domain.payout.payout import PAYOUT
from ports.evidence import LaterItems

BATCH = 1_000
"""Items that are proven together: for each batch the kept hashes are read once."""


def _about() -> CompoundSelect[Any]:
    """Numbers of the items about a loan, behind a number, in order.

    They are commands, moves and entries that name the loan, moves and entries of payouts that pay a
    share of it, and the commands that brought any of these about.
    """
    loan: BindParameter[str] = bindparam("loan")
    after: BindParameter[int] = bindparam("after")
    mine = select(payout_items.c.payout).where(payout_items.c.loan_id == loan)
    of_payout = and_(transitions.c.subject_kind == PAYOUT, transitions.c.subject_key.in_(mine))
    moved = [
        select(transitions.c.seq, transitions.c.command_id).where(condition)
        for condition in (
            transitions.c.loan_id == loan,
            and_(transitions.c.loan_id == "", of_payout),
        )
    ]
    posted = [
        select(entries.c.seq, entries.c.command_id)
        .join(postings, postings.c.seq == entries.c.seq)
        .where(condition)
        for condition in (postings.c.loan == loan, postings.c.payout.in_(mine))
    ]
    effects = [one.subquery() for one in (*moved, *posted)]
    numbers = [select(one.c.seq).where(one.c.seq > after) for one in effects]
    causes = [
        select(commands.c.seq)
        .join(one, one.c.command_id == commands.c.id)
        .where(commands.c.seq > after)
        for one in effects
    ]
    own = select(commands.c.seq).where(commands.c.loan_id == loan, commands.c.seq > after)
    return union(own, *numbers, *causes).order_by("seq")


_ABOUT = _about()


async def numbers_after(
    conn: AsyncConnection, loan_id: str, after: int, limit: int = BATCH
) -> list[int]:
    """The next numbers of items about a loan, in order."""
    rows = await conn.execute(_ABOUT.limit(limit), {"loan": loan_id, "after": after})
    return [int(row.seq) for row in rows]


async def proven_items(
    conn: AsyncConnection, loan_id: str, head: TreeHead
) -> AsyncIterator[tuple[ChainItem, InclusionProof]]:
    """Every item about a loan with its proof, in order of number.

    Raises:
        InvariantBroken: the journal is not what the checkpoint covers.
        LaterItems: one has a number that the checkpoint does not cover.
    """
    after = 0
    while numbers := await numbers_after(conn, loan_id, after):
        if numbers[-1] > head.size:
            raise LaterItems
        after = numbers[-1]
        for pair in await _proven(conn, numbers, head):
            yield pair


async def _proven(
    conn: AsyncConnection, numbers: Sequence[int], head: TreeHead
) -> list[tuple[ChainItem, InclusionProof]]:
    ranges = {number: inclusion_ranges(number - 1, head.size) for number in numbers}
    tree = await passed_tree(conn, head, [part for some in ranges.values() for part in some])
    before = await hashes_at(conn, [number - 1 for number in numbers])
    made = []
    with giving_out(head):
        for item, _ in await items_at(conn, numbers):
            path = hashes_of(ranges[item.seq], tree.found)
            previous = before.get(item.seq - 1, GENESIS)
            proof = InclusionProof(item.seq, canonical(item), previous, path)
            proven_item(proof, head)
            made.append((item, proof))
    return made
