"""What one installment costs on the real whole stack, counted: `make bench ARGS=cost` prints it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks.bench_cost import STORIES, Cost, cost_of
from tests.support.base import choose, chosen

MOST = {
    "happy, one reminder": Cost(
        tasks=4, events=24, bytes=7_000, commits=6, statements=77, messages=3, posts=1
    ),
    "two retries": Cost(
        tasks=9, events=54, bytes=12_500, commits=12, statements=136, messages=3, posts=3
    ),
    "unknown, then confirmed": Cost(
        tasks=8, events=45, bytes=9_700, commits=6, statements=78, messages=3, posts=1
    ),
}
"""The most that each course may cost. On the happy one nothing is forgiven. On the others a
workflow task more than measured is, with its events: a report may come while another task is at
work; a commit, a statement, a message or a POST is not."""
DAYS = 2
"""Every installment opens on one day and falls due on another."""
STATEMENTS_A_DAY, STATEMENTS_A_REVERSAL, STATEMENTS_A_BATCH = 11, 6, 1


def over(cost: Cost, most: Cost) -> dict[str, str]:
    """Counters that exceed their limit; a day that brought news may cost a commit and statements.

    Its days follow from the calendar: of penalty while it is overdue, and one more when the return
    window ends later than the line comes. A day without news may cost nothing. Statements are also
    allowed for penalty that a failed debit takes back, and for the look after a batch.
    """
    more = STATEMENTS_A_DAY * cost.days
    more += STATEMENTS_A_REVERSAL * cost.reversals + STATEMENTS_A_BATCH * cost.batched
    allowed = replace(
        most,
        days=cost.days,
        reversals=cost.reversals,
        batched=cost.batched,
        statements=most.statements + more,
    )
    pairs = zip(asdict(cost).items(), asdict(allowed).items(), strict=True)
    return {name: f"{mine} > {limit}" for (name, mine), (_, limit) in pairs if mine > limit}


@pytest.mark.parametrize("course", STORIES)
async def test_an_installment_stays_within_its_cost(
    course: str, tmp_path: Path, temporal_binary: Path
) -> None:
    """Few tasks, events, commits, statements and messages, and one POST for each attempt.

    Real dev server, real bank over HTTP, real SQLite; the audit is clean and the course is the one
    that is meant. Counted is what comes after boarding: on the happy path the driver's opening, the
    reminder, its delivery report, falling due, the intent, the outcome, the bank's report of the
    same and the statement line.
    """
    assert temporal_binary.is_file()
    cost, most = await cost_of(STORIES[course], tmp_path / "home"), MOST[course]
    assert over(cost, most) == {}, f"{course}: {cost}"
    assert cost.days >= DAYS
    assert cost.posts == most.posts


@pytest.mark.parametrize(
    ("begins", "days"),
    [
        # Due on a Monday: the line comes on the day on which the return window has passed.
        ("weekend", DAYS),
        # Due on a Thursday: the line comes on Saturday, the window ends on Monday.
        ("ordinary", DAYS + 1),
    ],
)
async def test_a_happy_installment_takes_eight_commits_and_one_more_over_a_weekend(
    begins: str, days: int, tmp_path: Path, temporal_binary: Path
) -> None:
    """The ninth is the day on which nothing can be returned any more: no line tells it."""
    assert temporal_binary.is_file()
    before = chosen()
    choose(begins)
    try:
        cost = await cost_of(STORIES["happy, one reminder"], tmp_path / "home")
    finally:
        choose(before)
    assert (cost.commits, cost.days, cost.idle_days) == (6, days, 0)


def test_help_loads_nothing_that_is_slow() -> None:
    """`acquit --help` answers at once: no event loop, database, server or models are loaded."""
    slow = {"asyncio", "pydantic", "sqlalchemy", "temporalio", "httpx", "cryptography"}
    look = f"import sys, cli.tree as c; c.run(['--help']); print({slow} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
