"""Verifying, sealing and proving take no more memory in larger books: a page at a time."""

import tracemalloc
from collections.abc import Awaitable, Callable

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.read import chainitems, proving, recounting
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from benchmarks.bench_verify import debited
from benchmarks.world import RULES
from tests.support.booksbench import StillClock
from tests.support.forging import a_signer

FEW, MANY = 20, 160
"""Loans, each of them 17 postings; the smaller books fill several of the small pages set below."""


async def test_a_verification_of_ten_times_the_books_takes_the_same_memory(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal, loans and bank lines are read page by page; nothing is gathered."""
    monkeypatch.setattr(chainitems, "PAGE", 100)
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


async def test_the_first_checkpoint_and_a_proof_of_ten_times_the_books_take_the_same_memory(
    new_sqlite_url: Callable[[], Awaitable[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a tree there are as many hashes in memory as its size has bits, and a page of items."""
    monkeypatch.setattr(chainitems, "PAGE", 100)
    monkeypatch.setattr(proving, "PAGE", 100)
    sealed, proven = list[int](), list[int]()
    for count in (FEW, FEW, MANY):  # the first books fill caches that a program needs but once
        url, clock = await new_sqlite_url(), StillClock()
        await upgrade(url)
        engine = books_engine(url)
        async with SqlBooks(engine, clock, RULES) as books:
            names = [f"L{number:04d}" for number in range(count)]
            await debited(books, names, clock.now().date())
        tracemalloc.start()
        made = await SqlCheckpoints(engine, clock, a_signer()).seal()
        sealed.append(tracemalloc.get_traced_memory()[1])
        assert made is not None
        head = made.checkpoint.head
        tracemalloc.reset_peak()
        await proving.SqlProofs(engine).of_items([1, head.size], head)
        proven.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        await engine.dispose()
    assert sealed[2] < 1.5 * sealed[1], sealed
    assert proven[2] < 1.5 * proven[1], proven
