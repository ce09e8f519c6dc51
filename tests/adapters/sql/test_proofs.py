"""Proofs made from real books, on both databases; an outsider's checks accept them."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.proofs.prooffile import GrowthFile, ItemsFile
from adapters.sql.read.proving import SqlProofs
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.errors import InvalidInput, InvariantBroken
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.proofs import ConsistencyProof, prove_consistency, proven_item
from ports.proofs import ITEMS_MOST, Proofs
from tests.support.booksbench import StillClock, confirm, intend, order_of, present
from tests.support.forging import a_signer, rechain
from tests.support.memory import board
from tests.support.unlocked import unlock


async def filled(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> list[Checkpoint]:
    """Checkpoints of books that grew in three steps."""
    sealing, made = SqlCheckpoints(engine, clock, a_signer()), list[Checkpoint]()

    async def seal() -> None:
        kept = await sealing.seal()
        assert kept is not None
        made.append(kept.checkpoint)

    await books.apply(board("L9"))
    await seal()
    action = await present(books, queries, clock, "L1")
    await seal()
    await books.apply(confirm(order_of(await intend(books, "L1", 1, action)), 10100))
    await seal()
    return made


async def test_every_item_is_proven_with_what_it_says(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Commands, moves and entries, under the last checkpoint and under an older one."""
    heads = [one.head for one in await filled(engine, books, queries, clock)]
    proofs: Proofs = SqlProofs(engine)
    made = await proofs.of_items(range(1, heads[-1].size + 1), heads[-1])
    said = [proven_item(proof, heads[-1]) for proof in made]
    assert [item["seq"] for item in said] == list(range(1, heads[-1].size + 1))
    confirmed = next(item for item in said if item["what"].get("event") == "confirmed")
    assert sum(posting["minor"] for posting in confirmed["what"]["postings"]) == 0
    assert {posting["loan"] for posting in confirmed["what"]["postings"]} == {"L1"}
    (older,) = await proofs.of_items([2, 2], heads[0])
    assert proven_item(older, heads[0])["seq"] == 2


async def test_growth_is_proven_between_any_two_checkpoints(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Also from a checkpoint to itself."""
    made = await filled(engine, books, queries, clock)
    proofs: Proofs = SqlProofs(engine)
    for place, later in enumerate(made):
        for earlier in made[: place + 1]:
            proof = await proofs.of_growth(earlier.head, later.head)
            prove_consistency(proof, earlier.head, later.head)
            file = GrowthFile(earlier, later, proof)
            file.prove(earlier)
            file.prove(later)


async def test_what_a_checkpoint_does_not_cover_is_refused(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """By field, value and rule."""
    first, *_, last = (one.head for one in await filled(engine, books, queries, clock))
    proofs: Proofs = SqlProofs(engine)
    for numbers in ([first.size + 1], [0], [-1]):
        with pytest.raises(InvalidInput, match=f"item: .* from 1 to {first.size}"):
            await proofs.of_items(numbers, first)
    for numbers in ([], list(range(1, ITEMS_MOST + 2))):
        with pytest.raises(InvalidInput, match="items: "):
            await proofs.of_items(numbers, last)
    with pytest.raises(InvalidInput, match=f"at most {first.size}"):
        await proofs.of_growth(last, first)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE commands SET reason = 'x' WHERE seq = 1", "lead from the item to the root"),
        ("UPDATE commands SET hash = 'no hash' WHERE seq = 1", "the hash of item 1 is none"),
        ("DELETE FROM commands WHERE seq = 1", "are not all there"),
    ],
)
async def test_a_journal_that_was_changed_gives_no_proof(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    statement: str,
    rule: str,
) -> None:
    """Each proof is verified before it is given out."""
    made = await filled(engine, books, queries, clock)
    await unlock(engine)
    async with engine.begin() as conn:
        await conn.execute(text(statement))
    with pytest.raises(InvariantBroken, match=rule):
        await SqlProofs(engine).of_items([1], made[0].head)


async def test_a_chain_that_was_hashed_anew_gives_no_proof(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Neither of items nor of growth; the error says what to do."""
    first, *_, last = (one.head for one in await filled(engine, books, queries, clock))
    await unlock(engine)
    async with engine.begin() as conn:
        await rechain(conn, 1, "forged")
    proofs: Proofs = SqlProofs(engine)
    with pytest.raises(InvariantBroken, match=r"not what checkpoint \d+ covers.*verify --against"):
        await proofs.of_items([2], last)
    with pytest.raises(InvariantBroken, match=f"not what checkpoint {first.size} covers"):
        await proofs.of_growth(first, last)


async def test_a_proof_is_for_its_own_checkpoint(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Another checkpoint of the same books does not do, nor one of other books."""
    made = await filled(engine, books, queries, clock)
    proofs = SqlProofs(engine)
    file = ItemsFile(made[-1], await proofs.of_items([3], made[-1].head))
    assert [item["seq"] for item in file.proven(made[-1])] == [3]
    other = replace(made[-1], head=replace(made[-1].head, origin="acquit/x/main"))
    for wrong in (made[0], other):
        with pytest.raises(InvalidInput, match="that the proof is made for"):
            file.proven(wrong)
    growth = GrowthFile(
        made[0], made[1], ConsistencyProof(made[0].head.size, made[1].head.size, ())
    )
    with pytest.raises(InvalidInput, match="one of the two"):
        growth.prove(made[2])
    assert clock.at.date() == date(2026, 3, 10)
