"""Several processes write to the same books at once, on the same loans, in different orders."""

import asyncio
import json
import sys
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from tests.support.booksbench import StillClock
from tests.support.memory import RULES, board
from tests.support.writerprocess import orders

ROOT = Path(__file__).parents[3]
LOANS, ROUNDS = 12, 6


async def _rival(url: str, name: str) -> dict[str, int]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.writerprocess",
        url,
        name,
        str(LOANS),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(child.communicate(), 120)
    assert child.returncode == 0, err.decode()
    reported: dict[str, int] = json.loads(out)
    assert reported["failed"] == 0, err.decode()
    return reported


async def test_two_processes_at_once_apply_each_command_once(
    books_url: str, engine: AsyncEngine, queries: SqlQueries
) -> None:
    """No command is lost, doubled or stuck; the chain has no gap; every balance adds up."""
    reported = await asyncio.gather(_rival(books_url, "one"), _rival(books_url, "two"))
    counts = await queries.counts()
    # The first boarding wins; later boardings under the same id are replays of it.
    assert counts["commands"]["board_loan"] == LOANS
    assert counts["commands"]["roll_day"] == LOANS * ROUNDS
    assert counts["commands"]["hold"] == counts["commands"]["unhold"] == 2 * LOANS * ROUNDS
    assert sum(t["applied"] + t["refused"] for t in reported) == sum(counts["commands"].values())
    report = await queries.verify()
    assert report.faults == ()
    owed = [
        b.minor
        for b in (await queries.balances("owed/")).items
        if not b.account.endswith("/penalty")
    ]
    assert sum(owed) == LOANS * 10100


async def test_a_write_of_another_process_is_never_missed(
    engine: AsyncEngine, clock: StillClock
) -> None:
    """Two writers that keep loans in memory decide on what the other has just committed."""
    one, two = SqlBooks(engine, clock, RULES), SqlBooks(engine, clock, RULES)
    async with one, two:
        await one.apply(board())
        seen: list[int] = []
        for turn in range(6):
            for books in (one, two):
                for order in orders(f"{turn}-{id(books)}", "L1", turn):
                    result = await books.apply(order)
                    assert isinstance(result, Applied)
                    assert result.view is not None
                    seen.append(result.view.version)
    assert seen == sorted(set(seen))
