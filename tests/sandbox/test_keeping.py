"""The parts of a local stack: what dies is started again and named, until that cannot help."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from domain.errors import Unavailable
from sandbox import keeping
from sandbox.keeping import ENDS_MOST, Keeper, Part, PartRefused
from sandbox.postgres import LocalPostgres
from tests.journeys.program import acquit
from workers.processes import Child
from workers.reporting import Exit, complain

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024  (what the standard library gives)


def part(home: Path, program: str) -> Part:
    """A part that runs a small program."""
    log = home / "logs" / "part.log"

    async def start() -> Child:
        return await Child.start([sys.executable, "-c", program], log=log, env=os.environ)

    return Part("worker-1", log, start)


async def kept(
    home: Path, program: str, said: list[str], *, steady_s: float = 60.0, within_s: float = 60.0
) -> Part:
    """Keep a part alive beside work that never ends; its keeper always tries again."""
    keeper = Keeper(home, said.append, steady_s=steady_s, look_s=0.01, pause_s=0.001)
    await keeper.add(part(home, program))
    keeper.begin()
    try:
        async with asyncio.timeout(within_s):
            await keeper.alive_while(asyncio.Event().wait())
    finally:
        await keeper.stop()
    return keeper.parts["worker-1"]


async def test_a_part_that_dies_again_and_again_is_named_and_ends_the_stack(tmp_path: Path) -> None:
    """Each end is reported with code and log; after so many in a row nobody waits any longer."""
    said: list[str] = []
    with pytest.raises(Unavailable) as ended:
        await kept(tmp_path, "print('boom'); raise SystemExit(3)", said)
    log = tmp_path / "logs" / "part.log"
    assert said == [f"worker-1 again, which ended with code 3; see {log}"] * (ENDS_MOST - 1)
    reported = f"worker-1 ended with code 3, {ENDS_MOST} times in a row; see {log}: boom"
    assert str(ended.value) == reported
    assert complain(ended.value) is Exit.UNAVAILABLE


async def test_a_part_whose_settings_cannot_work_ends_the_stack_with_its_line(
    tmp_path: Path,
) -> None:
    """Exit code 2 would say the same again: it is said once, and nothing is started again."""
    said: list[str] = []
    program = "import sys; sys.stderr.write('acquit: x: 1 is refused: y\\n'); sys.exit(2)"
    with pytest.raises(PartRefused) as ended:
        await kept(tmp_path, program, said)
    assert (str(ended.value), said) == ("worker-1: x: 1 is refused: y", [])
    assert complain(ended.value) is Exit.MISTAKE


async def test_a_part_that_runs_steadily_in_between_may_die_as_often_as_it_likes(
    tmp_path: Path,
) -> None:
    """Ends are counted in a row: a worker that is killed now and then is started for ever."""
    said: list[str] = []
    with pytest.raises(TimeoutError):
        await kept(tmp_path, "raise SystemExit(3)", said, steady_s=0.0, within_s=4.0)
    assert len(said) > ENDS_MOST


async def test_a_part_that_does_not_start_at_all_is_tried_again_and_abandoned(
    tmp_path: Path,
) -> None:
    """A server that is not healthy in time is an end like any other."""
    said: list[str] = []
    keeper = Keeper(tmp_path, said.append, look_s=0.01, pause_s=0.001)
    tries: list[int] = []

    async def start() -> Child:
        tries.append(1)
        if len(tries) > 1:
            raise Unavailable("it was not healthy")
        return await Child.start([sys.executable, "-c", ""], log=tmp_path / "x.log")

    await keeper.add(Part("temporal", tmp_path / "x.log", start))
    with pytest.raises(Unavailable, match=f"temporal did not start, {ENDS_MOST} times in a row"):
        await keeper.watch()
    assert len(tries) == ENDS_MOST


async def test_a_database_server_that_does_not_come_back_is_tried_again_and_given_up(
    tmp_path: Path,
) -> None:
    """PostgreSQL on a damaged data folder is named, and nobody waits for it for ever."""
    keeper = Keeper(tmp_path, lambda _: None, look_s=0.01, pause_s=0.001)
    async with LocalPostgres(os.environ) as server:
        await keeper.add(Part("postgres", server.log, server.start, ours=False))
        (server.log.parent / "data" / "PG_VERSION").unlink()
        await server.kill()
        with pytest.raises(Unavailable, match=f"postgres did not start, {ENDS_MOST} times"):
            await keeper.watch()


async def test_exit_codes_of_programs_that_are_not_ours_mean_nothing_but_an_end(
    tmp_path: Path,
) -> None:
    """2 is how a crash of a Go program ends: it is started again, as after any other end."""
    keeper = Keeper(tmp_path, lambda _: None, look_s=0.01, pause_s=0.001)
    program = [sys.executable, "-c", "raise SystemExit(2)"]
    await keeper.run("temporal", program, os.environ, ours=False)
    with pytest.raises(Unavailable, match=f"temporal ended with code 2, {ENDS_MOST} times"):
        await keeper.watch()


async def test_a_part_that_is_ended_on_purpose_runs_again_until_the_keeper_stops(
    tmp_path: Path,
) -> None:
    """Whoever ended it goes on once the next one runs; nothing outlives the keeper."""
    keeper = Keeper(tmp_path, lambda _: None, look_s=0.01, pause_s=0.001)
    await keeper.run("nap", [sys.executable, "-c", "import time; time.sleep(600)"], os.environ)
    keeper.begin()
    part = keeper.parts["nap"]
    first = part.running
    assert isinstance(first, Child)
    code = await keeper.ended("nap", first.kill())
    second = part.running
    assert isinstance(second, Child)
    assert (code, part.restarts, second.returncode) == (-signal.SIGKILL, 1, None)
    await keeper.stop()
    assert second.returncode == -signal.SIGTERM


async def test_a_full_disk_ends_the_stack_and_is_the_reason_of_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line and the exit code of the environment, whatever a server or the SDK said of it."""
    free = [keeping.ROOM_BYTES]

    def usage(path: Path) -> Usage:
        assert path == tmp_path
        return Usage(1 << 30, 0, free[0])

    monkeypatch.setattr(shutil, "disk_usage", usage)
    keeper = Keeper(tmp_path, lambda _: None, look_s=0.01)
    keeper.begin()

    async def fails() -> None:
        free[0] -= 1
        raise RuntimeError("the SDK says something about a transport")

    with pytest.raises(OSError, match=r"\[Errno 28\] less than 4 MiB are free") as failed:
        await keeper.alive_while(fails())
    assert (failed.value.errno, complain(failed.value)) == (errno.ENOSPC, Exit.UNAVAILABLE)
    with pytest.raises(OSError, match="MiB are free"):
        await keeper.alive_while(asyncio.Event().wait())
    await keeper.stop()


async def test_up_ends_with_the_line_of_a_worker_that_cannot_work(
    tmp_path: Path, temporal_binary: Path
) -> None:
    """Two processes for the role that has the web door: only the worker looks at that setting."""
    assert temporal_binary.is_file()
    done = await acquit(tmp_path / "home", "up", ACQUIT_PROCESSES="2")
    assert done.code == Exit.MISTAKE, done.err
    assert done.err.splitlines()[-1] == (
        "acquit: worker-1: processes: 2 is refused: 1 for all, which listens at one web door"
    )
