"""Conformance of real books, on both databases: page by page, one loan or all."""

import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine
from adapters.sql.read.conformance import PAGE, SqlConformance
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from benchmarks import world
from benchmarks.bulkbooks import grown
from domain.errors import InvalidInput, InvariantBroken
from ports.conformance import Conformance, Conformed
from tests.support.booksbench import StillClock, apply_all
from tests.support.memory import RULES, board
from tests.support.tampered import AS_OF, fill
from tests.support.unlocked import unlock
from workers.clock import WallClock


def reader(engine: AsyncEngine) -> Conformance:
    return SqlConformance(engine, StillClock(AS_OF), RULES)


async def judged(engine: AsyncEngine, loan: str | None = None) -> list[Conformed]:
    return [page async for page in reader(engine).judged(loan)]


async def test_each_deviation_of_the_books_is_named(engine: AsyncEngine) -> None:
    """Whoever was debited without a reminder and waited is named; who was reminded is not."""
    await fill(engine)
    pages = await judged(engine)
    assert sum(page.installments for page in pages) == 15
    found = [one for page in pages for one in page.deviations]
    named = Counter((one.subject, one.step) for one in found)
    assert set(named) == {(f"{loan}/1", "reminder 3 days before") for loan in ("L2", "L3", "L5")}
    assert set(named.values()) == {1}
    (one,) = await judged(engine, "L1")
    assert (one.installments, one.deviations) == (3, ())


async def test_a_planted_fault_is_found(engine: AsyncEngine) -> None:
    """A move is taken out of the journal, and another gets an earlier time."""
    await fill(engine)
    await unlock(engine)
    async with engine.begin() as conn:
        of = "subject_key = 'L1/1' AND event"
        await conn.execute(text(f"DELETE FROM transitions WHERE {of} = 'payments_settled'"))
    (page,) = await judged(engine, "L1")
    assert [one.rule for one in page.deviations] == ["closing.payments_settled"]


async def test_one_loan_or_all_of_them(engine: AsyncEngine, books: SqlBooks) -> None:
    """More loans than a page holds are all judged, each once; an unknown one is refused."""
    await apply_all(books, [board(f"L{number:03}") for number in range(PAGE + 5)])
    pages = await judged(engine)
    assert [page.installments for page in pages] == [3 * PAGE, 15]
    with pytest.raises(InvalidInput, match="a loan of these books"):
        await judged(engine, "L9")
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE loans SET body = '{}' WHERE id = 'L001'"))
    with pytest.raises(InvariantBroken, match="L001 cannot be read"):
        await judged(engine)


@pytest.mark.slow
async def test_memory_does_not_grow_with_the_books(tmp_path: Path) -> None:
    """Ten times the installments take no more, the strings aside that pydantic remembers.

    These are 16,384 at most. The loans themselves would take a hundred times as much.
    """

    async def most(postings: int) -> tuple[int, int]:
        url = f"sqlite:///{tmp_path / str(postings)}.db"
        await upgrade(url)
        engine = books_engine(url)
        await engine.dispose()
        await grown(url, postings)
        engine = books_engine(url)
        count = 0
        tracemalloc.start()
        async for page in SqlConformance(engine, WallClock(), world.RULES).judged():
            count += page.installments
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await engine.dispose()
        return count, peak

    few, small = await most(20_000)
    many, large = await most(220_000)
    assert few < 2_000
    assert many > 10_000
    assert large - small < 2 * 2**20
