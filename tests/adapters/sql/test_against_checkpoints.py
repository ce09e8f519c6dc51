"""The owner of the database rewrites history: an older checkpoint that somebody kept shows it.

Guards are off, and what the attacker can bring up to date is brought up to date.
"""

from collections.abc import Awaitable, Callable
from datetime import date

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import commands
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.ledger.checkpoint import Checkpoint
from tests.support.booksbench import StillClock, roll
from tests.support.forging import Dump, a_signer, cut, dump, forget, known, rechain, restore
from tests.support.memory import RULES, board
from tests.support.unlocked import unlock_on

Attack = Callable[[AsyncConnection], Awaitable[None]]
KEPT_BY_OTHERS = (2, 4)
"""After how many loans a stranger kept a checkpoint."""


async def history(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> tuple[list[Checkpoint], Dump]:
    """Six loans; the checkpoints that others have, and the copy of an early day."""
    sealing = SqlCheckpoints(engine, clock, a_signer())
    made: list[Checkpoint] = []
    copy: Dump = {}
    for number in range(1, 7):
        await books.apply(board(f"L{number}"))
        if number in KEPT_BY_OTHERS:
            found = await sealing.seal()
            assert found is not None
            made.append(found.checkpoint)
        if number == KEPT_BY_OTHERS[0]:
            copy = await dump(engine)
    await books.apply(roll("L1", date(2026, 3, 10)))
    return made, copy


def uncovered(first: int, size: int) -> str:
    """How a fault begins about items, up to a checkpoint's size, that it does not find."""
    return f"items {first} to {size} are not what checkpoint {size} covers:"


def statements(*lines: str) -> Attack:
    """An attack of plain statements, each of which changes something."""

    async def attack(conn: AsyncConnection) -> None:
        for line in lines:
            assert (await conn.execute(text(line))).rowcount, line

    return attack


async def swap(conn: AsyncConnection) -> None:
    """Two commands change their places."""
    seqs = [
        (await conn.execute(select(commands.c.seq).where(commands.c.id == name))).scalar_one()
        for name in ("board/L3", "board/L4")
    ]
    for source, target in ((seqs[0], -1), (seqs[1], seqs[0]), (-1, seqs[1])):
        moved = update(commands).where(commands.c.seq == source).values(seq=target)
        assert (await conn.execute(moved)).rowcount


FOUND_ALONE: dict[str, tuple[Attack, str]] = {
    "edit": (
        statements("UPDATE commands SET reason = 'x' WHERE id = 'board/L3'"),
        "(command board_loan board/L3) is not what was hashed",
    ),
    "delete": (
        statements("DELETE FROM commands WHERE id = 'board/L3'"),
        "follows item",
    ),
    "reorder": (
        swap,
        "is not what was hashed",
    ),
}


@pytest.mark.parametrize("name", FOUND_ALONE)
async def test_what_was_not_hashed_anew_is_found_with_and_without_a_checkpoint(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock, name: str
) -> None:
    """The item itself is named by its number and command, and the checkpoint after it disagrees."""
    made, _ = await history(engine, books, clock)
    attack, named = FOUND_ALONE[name]
    async with engine.begin() as conn:
        await unlock_on(conn)
        await forget(conn, 0)
        await attack(conn)
    alone = await queries.verify()
    assert any(named in fault for fault in alone.faults), alone.faults
    assert alone.disagreed == ()
    report = await queries.verify([known(one) for one in made])
    later = made[1].head.size
    assert report.disagreed == (f"checkpoint {later}",)
    first = made[0].head.size + 1
    said = f"items {first} to {later} are not what checkpoint {later} covers: "
    assert any(fault.startswith(said) for fault in report.faults), report.faults


async def test_a_chain_that_was_hashed_anew_from_the_middle_is_found_by_a_checkpoint_only(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Such books are whole by themselves once the kept checkpoints are gone, too."""
    made, _ = await history(engine, books, clock)
    altered = made[0].head.size + 1
    async with engine.begin() as conn:
        await unlock_on(conn)
        await rechain(conn, altered, "another reason")
        await forget(conn, 0)
    assert (await queries.verify()).faults == ()
    report = await queries.verify([known(one) for one in made])
    size = made[1].head.size
    said = uncovered(altered, size)
    assert report.faults == (f"{said} the journal has another hash there",)


async def test_an_old_copy_is_found_by_a_checkpoint_only(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A restored backup is whole by itself; it lacks what somebody else has proof of."""
    made, copy = await history(engine, books, clock)
    await restore(engine, copy)
    assert (await queries.verify()).faults == ()
    report = await queries.verify([known(one) for one in made])
    first, size = made[0].head.size, made[1].head.size
    said = uncovered(first + 1, size)
    assert report.faults == (f"{said} it covers {size} items, the journal has {first}",)


async def test_an_old_copy_that_was_continued_is_found_by_a_checkpoint_only(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """It is longer than what was signed, and something else was written after the copy."""
    made, copy = await history(engine, books, clock)
    await restore(engine, copy)
    async with SqlBooks(engine, clock, RULES) as again:
        for number in range(10, 16):
            await again.apply(board(f"L{number}"))
    assert (await queries.verify()).faults == ()
    report = await queries.verify([known(one) for one in made])
    assert report.items > made[1].head.size
    size = made[1].head.size
    said = uncovered(made[0].head.size + 1, size)
    assert report.faults == (f"{said} the journal has another hash there",)


async def test_a_tail_that_was_cut_off_is_found(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """The head was set back with it; the checkpoint says how many items are missing."""
    made, _ = await history(engine, books, clock)
    first, size = (one.head.size for one in made)
    async with engine.begin() as conn:
        await unlock_on(conn)
        await cut(conn, first)
    report = await queries.verify([known(one) for one in made])
    said = f"{uncovered(first + 1, size)} it covers {size} items, the journal has {first}"
    assert said in report.faults
    assert report.disagreed == (f"checkpoint {size}",)
