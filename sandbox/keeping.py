"""Keeps the parts of a stack alive: what dies is started again, unless that cannot help."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

from domain.errors import AcquitError, InvariantBroken, Unavailable
from workers.processes import Child, tail_of
from workers.reporting import Exit

T = TypeVar("T")
ENDS_MOST = 10
"""So often in a row a part may end before it has run for `steady_s`."""
ROOM_BYTES = 4 << 20
"""A stack on a disk with less free space than this cannot work."""


class PartRefused(AcquitError):
    """A part of the stack says that it cannot work as it is set up; starting it again is no use."""


class Runs(Protocol):
    """What a part is while it runs."""

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        ...

    async def kill(self) -> object:
        """End it as a power cut would."""
        ...


@dataclass(slots=True)
class Part:
    """A part of the stack: how it is started, where it logs, how often it had to be started again.

    Attributes:
        ours: its exit codes are those of our programs.
        grace_s: it has so long to end by itself when the stack stops.
        row: how often it has ended since it last ran steadily.
    """

    name: str
    log: Path
    start: Callable[[], Awaitable[Runs]]
    running: Runs | None = None
    ours: bool = True
    grace_s: float = 15.0
    restarts: int = 0
    row: int = 0
    began: float = 0.0

    @property
    def is_down(self) -> bool:
        """Whether it has ended, or never started."""
        return self.running is None or self.running.returncode is not None

    async def begin(self) -> None:
        """Start it."""
        self.began, self.running = time.monotonic(), None
        self.running = await self.start()


@dataclass(slots=True)
class Keeper:
    """Looks after the parts of a stack that lives in `home`; `say` tells the console."""

    home: Path
    say: Callable[[str], None]
    steady_s: float = 60.0
    look_s: float = 0.25
    pause_s: float = 0.2
    parts: dict[str, Part] = field(default_factory=dict)
    _watch: asyncio.Task[NoReturn] | None = None

    def begin(self) -> None:
        """Watch from now on until `stop`."""
        self._watch = asyncio.create_task(self.watch(), name="keep-alive")

    async def stop(self) -> None:
        """Watch no more, and end what `run` has started, the last one first."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        for part in reversed(self.parts.values()):
            if isinstance(part.running, Child):
                await part.running.stop(grace_s=part.grace_s)

    async def alive_while(self, work: Awaitable[T]) -> T:
        """Do something while the parts are watched; what `watch` raises ends it too.

        Raises:
            PartRefused, Unavailable, OSError: see `watch`.
        """
        if self._watch is None:
            raise InvariantBroken("nobody watches")
        doing = asyncio.ensure_future(work)
        try:
            with reported_if_full(self.home):
                await asyncio.wait({doing, self._watch}, return_when=asyncio.FIRST_COMPLETED)
                return await (doing if doing.done() else self._watch)
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)

    async def add(self, part: Part) -> None:
        """Start a part and look after it from now on."""
        self.parts[part.name] = part
        await part.begin()

    async def run(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: Path | None = None,
        ours: bool = True,
        grace_s: float = 15.0,
    ) -> None:
        """Start a program that logs under its name in the home, and look after it from now on."""
        log = self.home / "logs" / f"{name}.log"
        start = partial(Child.start, argv, log=log, env=env, cwd=cwd)
        await self.add(Part(name, log, start, ours=ours, grace_s=grace_s))

    async def ended(self, name: str, ending: Awaitable[T]) -> T:
        """End a part on purpose, and wait until it has been started again.

        Raises:
            PartRefused, Unavailable, OSError: see `watch`.
        """
        part = self.parts[name]
        before = part.restarts
        found = await ending

        async def again() -> None:
            while part.restarts == before or part.running is None:  # noqa: ASYNC110  (bounded)
                await asyncio.sleep(self.look_s)

        await self.alive_while(again())
        return found

    async def watch(self) -> NoReturn:
        """Start again what dies, on the same files and ports, until that cannot help.

        Raises:
            PartRefused: a part ended with the exit code of a mistake in its settings.
            Unavailable: a part died too often in a row.
            OSError: the disk of the home is full.
        """
        while True:  # ends by an error, or by being cancelled
            await asyncio.sleep(self.look_s)
            must_have_room(self.home)
            for part in self.parts.values():
                if part.is_down:
                    await self._again(part)

    async def _again(self, part: Part) -> None:
        code = None if part.running is None else part.running.returncode
        if part.ours and code == Exit.MISTAKE:
            raise PartRefused(f"{part.name}: {_last_said(part.log)}")
        steady = time.monotonic() - part.began >= self.steady_s
        part.row = 1 if steady else part.row + 1
        ended = "did not start" if code is None else f"ended with code {code}"
        if part.row >= ENDS_MOST:
            often = f"{part.name} {ended}, {part.row} times in a row"
            raise Unavailable(f"{often}; see {part.log}: {_last_said(part.log)}")
        self.say(f"{part.name} again, which {ended}; see {part.log}")
        await asyncio.sleep(min(self.pause_s * part.row, 25 * self.pause_s))
        part.restarts += 1
        try:
            await part.begin()
        except Unavailable:  # counted, and tried again at the next look
            must_have_room(self.home)


def must_have_room(home: Path) -> None:
    """See that files in the home can still grow.

    Raises:
        OSError: its disk is full.
    """
    if shutil.disk_usage(home).free < ROOM_BYTES:
        raise OSError(errno.ENOSPC, f"less than {ROOM_BYTES >> 20} MiB are free", str(home))


@contextlib.contextmanager
def reported_if_full(home: Path) -> Iterator[None]:
    """Whatever fails while the disk of the home is full fails for that reason."""
    try:
        yield
    except Exception:
        must_have_room(home)
        raise


def _last_said(log: Path) -> str:
    """The last line of a log; of one of our programs without the name that it begins with."""
    said = tail_of(log, 1)
    return said.removeprefix("acquit: ").removeprefix("simulator: ") or "it said nothing"
