"""Locks held by others: a deadlock or a busy database is met with a bounded, invisible retry."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import text

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from tests.support.booksbench import StillClock, apply_all, roll
from tests.support.memory import RULES, board

DUE = date(2026, 3, 10)
LOCK = text("SELECT id FROM loans WHERE id = :id FOR UPDATE")


async def test_the_victim_of_a_deadlock_tries_again_on_postgres(
    postgres_url: str, clock: StillClock
) -> None:
    """Somebody who locks loans in the wrong order costs a retry and nothing else."""
    await upgrade(postgres_url)
    engine = books_engine(postgres_url)
    async with SqlBooks(engine, clock, RULES) as books:
        await apply_all(books, [board("L1"), board("L2")])
        clock.to(DUE)
        async with engine.begin() as intruder:
            await intruder.execute(LOCK, {"id": "L2"})
            work = asyncio.ensure_future(books.apply_many([roll("L1", DUE), roll("L2", DUE)]))
            # The books hold L1 and wait for L2; with this the circle is closed.
            await asyncio.sleep(0.3)
            await intruder.execute(LOCK, {"id": "L1"})
        results = await asyncio.wait_for(work, 20)
        assert all(isinstance(result, Applied) and not result.replayed for result in results)
        assert books.counters.retries == 1
    report = await SqlQueries(engine, clock, RULES).verify()
    await engine.dispose()
    assert report.faults == ()
    assert report.entries == 2


async def test_a_busy_database_is_waited_for_on_sqlite(
    sqlite_url: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that holds the file longer than the driver waits costs retries and nothing else."""
    monkeypatch.setattr("adapters.sql.engine.BUSY_TIMEOUT_MS", 100)
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    async with SqlBooks(engine, clock, RULES) as books:
        async with engine.begin():
            work = asyncio.ensure_future(books.apply(board()))
            await asyncio.sleep(0.4)
        result = await asyncio.wait_for(work, 20)
        assert isinstance(result, Applied)
        assert books.counters.retries >= 1
    await engine.dispose()


async def test_a_database_that_stays_busy_is_reported_to_the_caller(
    sqlite_url: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retries are bounded: the caller gets the fault, and nothing was written."""
    monkeypatch.setattr("adapters.sql.engine.BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr("adapters.sql.write.writer.AGAIN_MAX", 2)
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    async with SqlBooks(engine, clock, RULES) as books:
        async with engine.begin():
            with pytest.raises(ConnectionError):
                await books.apply(board())
        assert isinstance(await books.apply(board()), Applied)
    await engine.dispose()


async def test_the_loop_breathes_while_a_large_group_is_decided(
    sqlite_url: str, clock: StillClock
) -> None:
    """Other work of the process gets its turn many times during one group."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with SqlBooks(engine, clock, RULES) as books:
        busy = asyncio.create_task(other())
        await apply_all(books, [board(f"L{index}") for index in range(200)])
        busy.cancel()
        assert books.counters.commits == 1
    await engine.dispose()
    assert turns > 20
