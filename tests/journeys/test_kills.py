"""Whatever is killed in the middle of a demo is started again, and the run ends clean."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.journeys.program import Program, start
from tests.journeys.test_demo import Shown, assert_clean
from tests.journeys.test_demo import read as read_report

WORKER = "worker all"
SERVER = "start-dev"
BANK = "-m simulator"
FIRST_AFTER_S = (1.0, 4.0)
NEXT_AFTER_S = (4.0, 9.0)
"""Long enough for a restart: a process that is killed while it starts proves little."""


async def kill_in(program: Program, victims: Sequence[str], seed: int) -> int:
    """SIGKILL each of `victims` (words of its command line) at seeded moments; how many were hit.

    Only processes below the program itself are touched.
    """
    chance = random.Random(seed)
    await program.said("starting: workers")
    hit = 0
    for index, words in enumerate(victims):
        await asyncio.sleep(chance.uniform(*(NEXT_AFTER_S if index else FIRST_AFTER_S)))
        for pid in program.running(words):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                hit += 1
    return hit


async def demo_under_fire(home: Path, victims: Sequence[str], *words: str, seed: int) -> Shown:
    """Run a demo while its parts are killed."""
    report = home.parent / f"{home.name}.json"
    program = await Program.start(home, "demo", "--json", str(report), *start(), *words)
    try:
        killing = asyncio.create_task(kill_in(program, victims, seed))
        done = await program.done(280.0)
        assert await killing == len(victims), "the run was over before all were killed"
        left = await program.left_over()
    finally:
        await program.end()
    return read_report(done, report, left)


@pytest.mark.timeout(300)
async def test_a_demo_whose_worker_is_killed_again_and_again_ends_clean(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Whatever a worker was doing when it died is done once, by the next one."""
    assert temporal_binary.is_file()
    words = ("--loans", "6", "--months", "1", "--profile", "rough", "--seed", "7")
    shown = await demo_under_fire(tmp_path / "home", [WORKER] * 2, *words, seed=5)
    assert_clean(shown, 6, 1)
    assert "worker-1 2" in shown.done.out


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_longer_demo_survives_many_kills_of_its_worker(
    tmp_path: Path, temporal_binary: Path, seed: int
) -> None:
    """More moments, among them some nobody thought of."""
    assert temporal_binary.is_file()
    words = ("--loans", "8", "--months", "2", "--profile", "hostile", "--seed", str(seed))
    shown = await demo_under_fire(tmp_path / "home", [WORKER] * 5, *words, seed=seed)
    assert_clean(shown, 8, 2)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_demo_whose_temporal_server_is_killed_ends_clean(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Histories are in the server's file: it goes on where it was, and so does everybody else."""
    assert temporal_binary.is_file()
    words = ("--loans", "6", "--months", "2", "--profile", "rough", "--seed", "7")
    shown = await demo_under_fire(tmp_path / "home", [SERVER] * 2, *words, seed=3)
    assert_clean(shown, 6, 2)
    assert "temporal 2" in shown.done.out


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_demo_whose_bank_and_all_else_are_killed_ends_clean(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """The bank keeps its log in a file; orders that it never answered are asked about."""
    assert temporal_binary.is_file()
    words = ("--loans", "6", "--months", "2", "--profile", "rough", "--seed", "7")
    victims = [BANK, WORKER, SERVER, BANK]
    shown = await demo_under_fire(tmp_path / "home", victims, *words, seed=4)
    assert_clean(shown, 6, 2)
