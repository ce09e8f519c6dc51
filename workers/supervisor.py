"""Several processes of one role under one parent: a worker is one event loop, hence one core.

The parent does no work of its own. It starts again a process that ends, with growing pauses; it
kills one that has not answered for a minute; it hands SIGTERM on, and waits until all have drained.
When it is killed itself, its children are asked to stop (Linux).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from adapters.telemetry.logs import configure_logging
from adapters.telemetry.redaction import Redactor
from domain.errors import InvalidInput
from workers.health import WITHIN_S, Health, NotReady, health_door
from workers.processes import die_with_parent
from workers.rails import rails_of
from workers.reporting import Exit
from workers.serving import stop_requested
from workers.settings import environment, secrets_in
from workers.stackfile import read_stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workers.settings import Settings

LOG = logging.getLogger("acquit.supervisor")
ALONE = frozenset({"all", "api"})
"""Roles with the web door, which one process listens at: run more of them side by side instead."""
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  (asked there, not listened)
_CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Times of the parent, in seconds.

    Attributes:
        first_pause_s: before a process is started again; doubled each time, up to `last_pause_s`.
        steady_s: a process that ran so long has earned the first pause again.
        look_s: between two looks whether a process says anything.
        silent_looks: so many of them in a row without an answer, and it is killed.
        grace_s: how long a process may drain.
    """

    first_pause_s: float = 0.5
    last_pause_s: float = 30.0
    steady_s: float = 60.0
    look_s: float = 10.0
    silent_looks: int = 6
    grace_s: float = 40.0


@dataclass(slots=True)
class Slot:
    """One place of a process: how it is started, at which address it tells its health, if any."""

    number: int
    argv: Sequence[str]
    env: Mapping[str, str]
    address: str | None = None
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps every slot filled until it is asked to stop; `code` is how it should end itself."""

    slots: Sequence[Slot]
    health: Health
    pace: Pace = field(default_factory=Pace)
    code: Exit = Exit.DONE

    async def run(self, stop: asyncio.Event) -> None:
        """Start all and keep them; returns when all have ended."""
        for slot in self.slots:
            self.health.dependency(f"process {slot.number}", partial(_readiness, slot))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.health.watch(stop))
            for slot in self.slots:
                group.create_task(self._keep(slot, stop))

    async def _keep(self, slot: Slot, stop: asyncio.Event) -> None:
        pause = self.pace.first_pause_s
        while not stop.is_set():
            began = time.monotonic()
            slot.process = process = await _spawn(slot)
            await self._until_end(slot, process, stop)
            if stop.is_set():
                await self._drain(slot, process)
                return
            if process.returncode == Exit.MISTAKE:  # it has said which; again would say the same
                self.code = Exit.MISTAKE
                stop.set()
                return
            if time.monotonic() - began >= self.pace.steady_s:
                pause = self.pace.first_pause_s
            slot.restarts += 1
            facts = {"number": slot.number, "code": process.returncode, "again_in_s": pause}
            LOG.warning("a process ended", extra=facts)
            await _waited(stop, pause)
            pause = min(pause * 2, self.pace.last_pause_s)

    async def _until_end(
        self, slot: Slot, process: asyncio.subprocess.Process, stop: asyncio.Event
    ) -> None:
        """Until it has ended, or all shall; one that says nothing is killed."""
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(stop.wait())
        silent = 0
        try:
            while not (await _first_of(ended, stopping, within_s=self.pace.look_s)):
                silent = 0 if await _says_anything(slot) else silent + 1
                if silent == self.pace.silent_looks:
                    LOG.error("a process says nothing", extra={"number": slot.number})
                    _send(process, signal.SIGKILL)
        finally:
            stopping.cancel()
            ended.cancel()

    async def _drain(self, slot: Slot, process: asyncio.subprocess.Process) -> None:
        _send(process, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.pace.grace_s):
                await process.wait()
        if process.returncode is None:
            LOG.error("a process did not end in time", extra={"number": slot.number})
            _send(process, signal.SIGKILL)
            await process.wait()
        if process.returncode and self.code is Exit.DONE:
            self.code = Exit.FAULT


async def supervise(role: str, settings: Settings, count: int) -> Exit:
    """Run `count` processes of a role until SIGTERM or SIGINT; gives the exit code.

    Raises:
        InvalidInput: the role has the web door, or there are not enough ports for health.
        SourceRefused: the rails are not configured as they must be; no process is started.
    """
    record = read_stack(settings.home)
    rails_of(settings, record)
    configure_logging(settings.log_level, Redactor(secrets_in(settings, record)))
    stop, health = stop_requested(), Health(role)
    pace = Pace(grace_s=settings.drain_timeout_s + 10)
    supervisor = Supervisor(slots_of(role, settings, count), health, pace)
    async with health_door(health, settings):
        await supervisor.run(stop)
    return supervisor.code


def slots_of(role: str, settings: Settings, count: int) -> Sequence[Slot]:
    """How each process is started; the n-th tells its health on the n-th port after the parent's.

    Raises:
        InvalidInput: see `supervise`.
    """
    if role in ALONE:
        raise InvalidInput("processes", count, f"1 for {role}, which listens at one web door")
    base = settings.health_port
    argv = [sys.executable, "-m", "cli", "--home", str(settings.home), "worker", role]
    alone = environment(ACQUIT_PROCESSES="1")
    numbers = range(1, count + 1)
    if base is None:
        return [Slot(number, argv, alone) for number in numbers]
    if base + count > _LAST_PORT:
        raise InvalidInput("health_port", base, f"at most {_LAST_PORT - count}: {count} follow it")
    host = _LOOPBACK.get(settings.health_host, settings.health_host)
    return [
        Slot(
            number,
            argv,
            {**alone, "ACQUIT_HEALTH_PORT": str(base + number)},
            f"http://{host}:{base + number}",
        )
        for number in numbers
    ]


def cores() -> int:
    """Processors that this process may use: its affinity, and the whole ones of its container."""
    may = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # no such file, or the word "max"
        quota, period = _CPU_MAX.read_text(encoding="utf-8").split()
        may = min(may, max(1, int(quota) // int(period)))
    return may


async def _spawn(slot: Slot) -> asyncio.subprocess.Process:
    """Start it with our own output, in a session of its own: the terminal's Ctrl-C is ours."""
    return await asyncio.create_subprocess_exec(
        *slot.argv,
        stdin=asyncio.subprocess.DEVNULL,
        env=dict(slot.env),
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )


def _send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)


async def _waited(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def _first_of(*tasks: asyncio.Task[Any], within_s: float) -> bool:
    """Whether one of them is done, waited for at most so long."""
    done, _ = await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


async def _answer(slot: Slot, path: str) -> Mapping[str, Any] | None:
    """What a process answers; None when it does not, or has no address."""
    if slot.address is None:
        return None
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            answer = await client.get(slot.address + path)
            return dict(answer.json())
    except (httpx.HTTPError, ValueError):
        return None


async def _says_anything(slot: Slot) -> bool:
    """Whether a process answers `/healthz`, whatever it answers; true where it has no address."""
    return slot.address is None or await _answer(slot, "/healthz") is not None


async def _readiness(slot: Slot) -> str:
    """What a process says of itself, in one line.

    Raises:
        NotReady: it does not run, does not answer, or names what it lacks.
    """
    often = f"started again {slot.restarts} times"
    if slot.process is None or slot.process.returncode is not None:
        raise NotReady(f"does not run, {often}")
    answer = await _answer(slot, "/readyz")
    if answer is None:
        raise NotReady(f"does not answer, {often}")
    lacking = [
        name for name, check in answer["checks"].items() if check["needed"] and not check["ok"]
    ]
    if lacking:
        raise NotReady(f"lacks {', '.join(lacking)}")
    return f"ready, {often}"
