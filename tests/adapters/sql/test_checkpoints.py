"""Checkpoints of real books: sealed once, grown cheaply, never over a journal that was changed."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.signing.ed25519 import must_be_signed
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.rights import books_id
from adapters.sql.schema.tables import checkpoints
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.errors import InvalidInput, InvariantBroken
from domain.ledger.checkpoint import Checkpoint, read_public_keys
from ports.checkpoints import Checkpoints, KeptCheckpoint, Receipt
from tests.support.booksbench import NOON, StillClock, roll
from tests.support.forging import a_signer, known, rechain
from tests.support.memory import board
from tests.support.unlocked import unlock


@pytest.fixture
def sealing(engine: AsyncEngine, clock: StillClock) -> SqlCheckpoints:
    """Give checkpoints signed with a key of tests."""
    return SqlCheckpoints(engine, clock, a_signer())


async def sealed(sealing: Checkpoints) -> Checkpoint:
    """A checkpoint of books that hold something."""
    found = await sealing.seal()
    assert found is not None
    return found.checkpoint


async def test_a_checkpoint_says_what_the_journal_is(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, sealing: SqlCheckpoints
) -> None:
    """Origin, size, root, hash and time; signed in the name of these books."""
    await books.apply(board("L1"))
    made = await sealing.seal()
    assert made is not None
    head, report = made.checkpoint.head, await queries.verify()
    assert head.origin == f"acquit/{await books_id(engine)}/main"
    assert (head.size, head.head, head.root.hex()) == (report.items, report.head, report.root)
    assert head.at == NOON
    keys = read_public_keys(made.public_key)
    assert must_be_signed(made.checkpoint, keys).content == a_signer().public
    assert (report.checkpoints, report.faults) == (1, ())


async def test_the_same_head_gives_the_same_bytes(
    books: SqlBooks, sealing: SqlCheckpoints, clock: StillClock, engine: AsyncEngine
) -> None:
    """Whenever it is asked, and with whatever key meanwhile; new items make a new one."""
    await books.apply(board("L1"))
    first = await sealed(sealing)
    clock.to(date(2026, 3, 9))
    assert (await sealed(sealing)).text() == first.text()
    rotated = SqlCheckpoints(engine, clock, a_signer(2))
    assert (await sealed(rotated)).text() == first.text()
    await books.apply(board("L2"))
    second = await rotated.seal()
    assert second is not None
    assert second.checkpoint.head.size > first.head.size
    assert must_be_signed(second.checkpoint, read_public_keys(second.public_key))
    with pytest.raises(InvalidInput, match="signed by one of the public keys"):
        must_be_signed(first, read_public_keys(second.public_key))
    page = await sealing.kept()
    assert [one.checkpoint for one in page.items] == [first, second.checkpoint]


async def test_two_that_seal_at_once_agree(
    books: SqlBooks, engine: AsyncEngine, clock: StillClock
) -> None:
    """Whoever is faster, both are given the one checkpoint that is kept."""
    await books.apply(board("L1"))
    rivals = [SqlCheckpoints(engine, clock, a_signer(mark)) for mark in (1, 2, 3)]
    made = await asyncio.gather(*(rival.seal() for rival in rivals))
    assert len({None if one is None else one.checkpoint.text() for one in made}) == 1
    assert len((await rivals[0].kept()).items) == 1


async def test_empty_books_and_books_without_a_key_have_no_checkpoint(
    engine: AsyncEngine, books: SqlBooks, sealing: SqlCheckpoints, clock: StillClock
) -> None:
    """There is nothing to sign, or nothing to sign it with: said, and nothing is kept."""
    assert await sealing.seal() is None
    assert await sealing.last() is None
    await books.apply(board("L1"))
    with pytest.raises(InvalidInput, match="ACQUIT_SIGNING_KEY"):
        await SqlCheckpoints(engine, clock, None).seal()
    assert (await sealing.kept()).items == ()


async def test_sealing_reads_what_is_new_and_nothing_else(
    engine: AsyncEngine, books: SqlBooks, sealing: SqlCheckpoints, queries: SqlQueries
) -> None:
    """The root goes on from what is kept with the last checkpoint, and is the whole tree's."""
    for number in range(6):
        await books.apply(board(f"L{number}"))
    first = await sealed(sealing)
    await books.apply(board("L9"))
    asked: list[int] = []

    def note(_conn: object, _cursor: object, statement: str, params: object, *_: object) -> None:
        if "BETWEEN" in statement:
            asked.append(min(one for one in params if isinstance(one, int)))  # type: ignore[attr-defined]

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    second = await sealed(sealing)
    event.remove(engine.sync_engine, "before_cursor_execute", note)
    assert set(asked) == {first.head.size + 1}
    report = await queries.verify()
    assert second.head.root.hex() == report.root
    assert (report.faults, report.checkpoints) == ((), 2)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE commands SET reason = 'x' WHERE seq > 3", "is not what was hashed"),
        ("DELETE FROM transitions WHERE seq = (SELECT max(seq) FROM transitions)", "item"),
        ("UPDATE chain_head SET hash = 'f'", "its head says"),
        ("UPDATE checkpoints SET peaks = ''", "cannot be those of"),
        ("UPDATE checkpoints SET peaks = 'x'", "are none"),
        ("UPDATE checkpoints SET root = '00'", "kept checkpoint"),
        ("UPDATE checkpoints SET note = replace(note, 'time 2026', 'time 2025')", "signed by one"),
        ("UPDATE checkpoints SET public_key = 'x'", "public key"),
    ],
)
async def test_nothing_is_signed_over_a_journal_that_was_changed(
    engine: AsyncEngine,
    books: SqlBooks,
    sealing: SqlCheckpoints,
    queries: SqlQueries,
    statement: str,
    rule: str,
) -> None:
    """What was written since, and what is kept of the last checkpoint, is proven before use."""
    await books.apply(board("L1"))
    first = await sealed(sealing)
    await books.apply(board("L2"))
    await books.apply(roll("L1", date(2026, 3, 3)))
    await unlock(engine)
    async with engine.begin() as conn:
        assert (await conn.execute(text(statement))).rowcount
    with pytest.raises(InvariantBroken, match=rule):
        await sealing.seal()
    async with engine.connect() as conn:
        sizes = (await conn.execute(text("SELECT size FROM checkpoints"))).scalars().all()
    assert sizes == [first.head.size]
    assert (await queries.verify()).faults


async def test_a_kept_checkpoint_that_was_changed_is_a_fault(
    engine: AsyncEngine, books: SqlBooks, sealing: SqlCheckpoints, queries: SqlQueries
) -> None:
    """Its text is signed: verification names the checkpoint."""
    await books.apply(board("L1"))
    made = await sealed(sealing)
    await unlock(engine)
    async with engine.begin() as conn:
        await conn.execute(update(checkpoints).values(head="a" * 64))
    faults = (await queries.verify()).faults
    assert [f"kept checkpoint {made.head.size} is faulty" in fault for fault in faults] == [True]


async def test_a_kept_checkpoint_finds_a_chain_that_was_hashed_anew(
    engine: AsyncEngine, books: SqlBooks, sealing: SqlCheckpoints, queries: SqlQueries
) -> None:
    """Whoever changes history without the key must remove the checkpoints, too."""
    await books.apply(board("L1"))
    made = await sealed(sealing)
    await unlock(engine)
    async with engine.begin() as conn:
        await rechain(conn, 1, "forged")
    report = await queries.verify()
    assert report.disagreed == (f"kept checkpoint {made.head.size}",)


async def test_receipts_are_kept_once_for_each_anchor(
    books: SqlBooks, sealing: SqlCheckpoints, clock: StillClock
) -> None:
    """The first one stays: a later time of the same witness proves less."""
    await books.apply(board("L1"))
    made = await sealed(sealing)
    first = Receipt(made.head.size, "folder", "file", clock.at, None, b"one")
    other = Receipt(made.head.size, "tsa", "rfc3161", clock.at, clock.at, b"\x00two")
    for receipt in (other, first, Receipt(made.head.size, "folder", "file", clock.at, None, b"2")):
        await sealing.keep_receipt(receipt)
    last = await sealing.last()
    assert last is not None
    assert last.receipts == (first, other)
    assert (await sealing.kept()).items == (last,)


async def test_checkpoints_come_in_pages(
    books: SqlBooks, sealing: SqlCheckpoints, clock: StillClock
) -> None:
    """Each with its own receipts, the smallest first."""
    made: list[Checkpoint] = []
    for number in range(3):
        await books.apply(board(f"L{number}"))
        made.append(await sealed(sealing))
        receipt = Receipt(made[-1].head.size, "folder", "file", clock.at, None, b"%d" % number)
        await sealing.keep_receipt(receipt)
    found: list[KeptCheckpoint] = []
    page = await sealing.kept(limit=2)
    assert len(page.items) == 2
    found += page.items
    page = await sealing.kept(page.after, limit=2)
    found += page.items
    assert page.after == ""
    assert [one.checkpoint for one in found] == made
    assert [one.receipts[0].content for one in found] == [b"0", b"1", b"2"]


async def test_the_journal_grows_on_from_every_checkpoint(
    books: SqlBooks, sealing: SqlCheckpoints, queries: SqlQueries
) -> None:
    """Whatever was signed once stays true: each older checkpoint agrees with the books of now."""
    made: list[Checkpoint] = []
    for number in range(8):
        await books.apply(board(f"L{number}"))
        made.append(await sealed(sealing))
    report = await queries.verify([known(one) for one in made])
    assert (report.faults, report.checkpoints) == ((), 16)
