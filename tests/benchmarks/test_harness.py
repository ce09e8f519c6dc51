"""How benchmarks compare: in turns, within a round, and never a result that is wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.harness import (
    Report,
    Sample,
    Spread,
    cpu_seconds,
    effort,
    percentile,
    rates,
    ratio,
    rounds,
)


def contestant(
    name: str, order: list[str], seconds: float, wrong: str = ""
) -> Callable[[], Awaitable[Sample]]:
    async def run() -> Sample:
        order.append(name)
        return Sample(10, seconds, {"ours": seconds}, {}, wrong)

    return run


async def test_each_round_begins_with_another_contestant() -> None:
    """Nobody always runs on the machine that somebody else has just warmed or worn out."""
    order: list[str] = []
    of = {name: contestant(name, order, 1.0) for name in "abc"}
    await rounds(of, 3, lambda _: None)
    assert "".join(order) == "abcbcacab"


async def test_a_wrong_result_counts_as_nothing() -> None:
    """However fast it was, its rate is zero, and the report says why."""
    fast, slow = contestant("fast", [], 0.1, "money is missing"), contestant("slow", [], 5.0)
    done = await rounds({"fast": fast, "slow": slow}, 2, lambda _: None)
    assert rates(done, "fast") == Spread(0.0, 0.0, 0.0)
    assert ratio(done, "fast", "slow").median == 0.0
    report = Report("test")
    report.match("a match", done, "slow", "pieces")
    assert report.wrong == [
        "fast, round 1: money is missing",
        "fast, round 2: money is missing",
    ]


async def test_ratios_are_taken_within_a_round() -> None:
    """A machine that halves its speed between rounds changes no ratio."""
    done = [
        {"a": Sample(10, 1.0, {"ours": 1.0}), "b": Sample(10, 2.0, {"ours": 4.0})},
        {"a": Sample(10, 2.0, {"ours": 2.0}), "b": Sample(10, 4.0, {"ours": 8.0})},
    ]
    assert ratio(done, "a", "b") == Spread(2.0, 2.0, 2.0)
    assert effort(done, "b", "a") == Spread(4.0, 4.0, 4.0)


async def test_work_of_children_is_counted_under_their_own_name() -> None:
    """A server that a benchmark started shows up beside us, not inside us."""
    busy = "import sys\nfor _ in range(2_000_000): pass\nprint(1, flush=True)\nsys.stdin.read()"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", busy, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    await child.stdout.readline()
    spent = cpu_seconds()
    await child.communicate(b"")
    assert spent[Path(sys.executable).name] > 0
    assert spent["ours"] > 0


def test_percentiles_are_values_that_were_measured() -> None:
    """Of a hundred values the 99th percent is the last, of one it is that one."""
    assert percentile(list(range(100)), 99) == 99
    assert percentile(list(range(100)), 50) == 50
    assert percentile([7.0], 99) == 7.0
