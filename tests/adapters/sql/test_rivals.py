"""Writers that are killed, suspended or misled by their clocks share books with others.

Whatever becomes of one process, each command is applied once, nobody else waits for long, and the
books verify from the first item to the last.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import IDLE_TIMEOUT_MS, LOCK_TIMEOUT_MS, books_engine, is_postgres
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from tests.support.booksbench import StillClock
from tests.support.memory import RULES, board
from tests.support.writerprocess import ROUNDS, orders

ROOT = Path(__file__).parents[3]
LOANS = 6
PATIENCE_S = 120


@asynccontextmanager
async def writer(url: str, name: str, how: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a writer; one that has not ended by the end of the block is killed."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.writerprocess", url, name, str(LOANS), how),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _ended(child: asyncio.subprocess.Process) -> dict[str, int]:
    out, err = await asyncio.wait_for(child.communicate(), PATIENCE_S)
    assert child.returncode == 0, err.decode()
    reported: dict[str, int] = json.loads(out)
    assert reported["failed"] == 0, err.decode()
    return reported


async def _until_stopped(child: asyncio.subprocess.Process) -> None:
    """Wait until the kernel says that the process is suspended."""
    async with asyncio.timeout(PATIENCE_S):
        while _state(child.pid) != "T":
            await asyncio.sleep(0.05)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


async def _check(queries: SqlQueries, writers: int) -> None:
    """Every command of every writer is on the books once, and the books are intact."""
    counts = (await queries.counts())["commands"]
    assert counts["board_loan"] == LOANS
    assert counts["roll_day"] == LOANS * ROUNDS
    assert counts["hold"] == counts["unhold"] == writers * LOANS * ROUNDS
    report = await queries.verify()
    assert report.faults == ()
    assert report.commands == sum(counts.values())
    owed = [
        b.minor
        for b in (await queries.balances("owed/")).items
        if not b.account.endswith("/penalty")
    ]
    assert sum(owed) == LOANS * 10100


async def test_a_writer_that_is_killed_again_and_again_loses_and_doubles_nothing(
    books_url: str, engine: AsyncEngine, queries: SqlQueries
) -> None:
    """Killed without warning at several moments beside a rival, it finishes when it may."""
    kills = 0
    async with writer(books_url, "rival", "steady") as rival:
        for after_s in (0.9, 1.1, 1.3, 1.6):
            async with writer(books_url, "victim", "steady") as victim:
                await asyncio.sleep(after_s)
                if victim.returncode is None:
                    kills += 1
        async with writer(books_url, "victim", "steady") as victim:
            await _ended(victim)
        await _ended(rival)
    assert kills
    await _check(queries, writers=2)


async def test_writers_whose_clocks_jump_agree_on_the_books(
    books_url: str, engine: AsyncEngine, queries: SqlQueries
) -> None:
    """Instants that go back by hours reorder nothing: the chain's numbers say what came first."""
    one, two = writer(books_url, "one", "jitter"), writer(books_url, "two", "jitter")
    async with one as first, two as second:
        await asyncio.gather(_ended(first), _ended(second))
    await _check(queries, writers=2)


async def test_a_suspended_writer_does_not_stop_the_others_on_postgres(
    postgres_url: str, clock: StillClock
) -> None:
    """Stopped while it holds the chain's head, it loses its lock; woken up, it does its work."""
    await upgrade(postgres_url)
    engine = books_engine(postgres_url)
    assert is_postgres(engine)
    queries = SqlQueries(engine, clock, RULES)
    limit_s = (IDLE_TIMEOUT_MS + 2 * LOCK_TIMEOUT_MS) / 1000
    async with writer(postgres_url, "sleeper", "suspend") as sleeper:
        await _until_stopped(sleeper)
        async with SqlBooks(engine, clock, RULES) as books:
            async with asyncio.timeout(limit_s):
                assert isinstance(await books.apply(board("other")), Applied)
                assert isinstance(await books.apply(orders("mine", "other", 0)[0]), Applied)
        assert _state(sleeper.pid) == "T"
        os.kill(sleeper.pid, signal.SIGCONT)
        reported = await _ended(sleeper)
    assert reported["retries"] >= 1
    counts = (await queries.counts())["commands"]
    assert counts["hold"] == LOANS * ROUNDS + 1
    report = await queries.verify()
    await engine.dispose()
    assert report.faults == ()


async def test_a_suspended_writer_does_not_stop_readers_on_sqlite(
    sqlite_url: str, clock: StillClock
) -> None:
    """A file has one writer: while it sleeps others may read; when it goes on nothing is lost."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    queries = SqlQueries(engine, clock, RULES)
    async with writer(sqlite_url, "sleeper", "suspend") as sleeper:
        await _until_stopped(sleeper)
        assert (await queries.verify()).faults == ()
        os.kill(sleeper.pid, signal.SIGCONT)
        await _ended(sleeper)
    async with SqlBooks(engine, clock, RULES) as books:
        assert isinstance(await books.apply(board("other")), Applied)
    report = await queries.verify()
    await engine.dispose()
    assert report.faults == ()
