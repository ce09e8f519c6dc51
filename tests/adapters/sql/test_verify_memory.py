"""Verifying takes no more memory in larger books: a page of everything at a time."""

import tracemalloc

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.read import recounting, verifying
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from benchmarks.bench_verify import debited
from benchmarks.world import RULES
from tests.support.booksbench import StillClock

FEW, MANY = 20, 160
"""Loans, each of them 17 postings; the smaller books fill several of the small pages set below."""


async def test_a_verification_of_ten_times_the_books_takes_the_same_memory(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal, loans and bank lines are read page by page; nothing is gathered."""
    monkeypatch.setattr(verifying, "PAGE", 100)
    monkeypatch.setattr(recounting, "LOANS_PAGE", 10)
    monkeypatch.setattr(recounting, "LINES_PAGE", 10)
    await upgrade(sqlite_url)
    engine, clock = books_engine(sqlite_url), StillClock()
    queries = SqlQueries(engine, clock, RULES)
    most: list[int] = []
    async with SqlBooks(engine, clock, RULES) as books:
        for first, last in ((0, FEW), (FEW, MANY)):
            await debited(
                books, [f"L{number:04d}" for number in range(first, last)], clock.now().date()
            )
            assert (await queries.verify()).faults == ()
            tracemalloc.start()
            report = await queries.verify()
            most.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert report.postings == 21 * last
    await engine.dispose()
    assert most[1] < 1.5 * most[0], most
