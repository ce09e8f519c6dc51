"""Child processes that start predictably, stop in order and never outlive us by accident."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_PR_SET_PDEATHSIG = 1
"""Linux `prctl` option: the signal a process receives when the thread that started it ends."""


@dataclass(frozen=True, slots=True)
class RunAs:
    """The system user a child runs as, for programs that refuse to run as root."""

    uid: int
    gid: int


def free_port(host: str = "127.0.0.1", wanted: int = 0) -> int:
    """Return a TCP port that was free on `host` a moment ago: `wanted`, or any if it is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: what the last run left in TIME_WAIT takes no port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError:
            probe.bind((host, 0))
        return int(probe.getsockname()[1])


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What a Linux child runs before exec so that our own death, even by SIGKILL, ends it."""
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: between fork and exec only calls that take no locks are safe.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    wanted = int(number)

    def guard() -> None:
        prctl(_PR_SET_PDEATHSIG, wanted, 0, 0, 0)
        if os.getppid() != parent:  # we died between the fork and the line above
            os._exit(1)

    return guard


class Service(ABC):
    """What runs from entering `async with` to leaving it, whatever happens in between."""

    __slots__ = ()

    @abstractmethod
    async def start(self) -> Self:
        """Start it, and return once it can be used."""

    @abstractmethod
    async def stop(self) -> None:
        """Stop it, however far it came; nothing is left running."""

    async def __aenter__(self) -> Self:
        """Start it; on a failure what was started is stopped."""
        try:
            return await self.start()
        except BaseException:
            await self.stop()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self.stop()


class Server(Service):
    """A service that is one process, which may be started again after it has ended."""

    def __init__(self) -> None:
        self._child: Child | None = None

    @property
    def returncode(self) -> int | None:
        """How the process ended; None while it runs, and before it was started."""
        return None if self._child is None else self._child.returncode

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._child is not None and self._child.returncode is None

    async def kill(self) -> None:
        """Kill it as a power cut would; `start` brings it back."""
        if self._child is not None:
            await self._child.kill()


class Child:
    """One running program with its output in a log file.

    It lives in a session of its own, so that Ctrl-C in the terminal reaches us alone and we decide
    the order of shutting down.
    """

    def __init__(self, process: asyncio.subprocess.Process, name: str, log: Path) -> None:
        self._process = process
        self.name = name
        self.log = log

    @classmethod
    async def start(
        cls,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        run_as: RunAs | None = None,
        outlive: bool = False,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> Child:
        """Start `argv`, appending its output to `log`; raises OSError when it cannot be started.

        Unless `outlive` is set the kernel sends `death_signal` to the child when we die (Linux).
        The child is bound to the calling thread: call this from the thread that runs until the end.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(str(part) for part in argv),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=None if env is None else dict(env),
                cwd=cwd,
                user=None if run_as is None else run_as.uid,
                group=None if run_as is None else run_as.gid,
                extra_groups=None if run_as is None else [],
                start_new_session=True,
                preexec_fn=None if outlive else die_with_parent(death_signal),
            )
        return cls(process, str(argv[0]).rsplit("/", 1)[-1], log)

    @property
    def pid(self) -> int:
        """Process id, also the id of its session and process group."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit code, negative for a signal, None while it runs."""
        return self._process.returncode

    async def wait(self, timeout_s: float) -> int | None:
        """Wait for the end at most `timeout_s` seconds; the exit code, or None if it still runs."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                return await self._process.wait()
        return self.returncode

    async def stop(self, *, first: signal.Signals = signal.SIGTERM, grace_s: float = 15.0) -> int:
        """Send `first`, wait `grace_s` seconds, then kill what is left; returns the exit code."""
        if self.returncode is None:
            self.send(first)
            if await self.wait(grace_s) is None:
                await self.kill()
        return await self._process.wait()

    async def kill(self) -> int:
        """Kill the whole process group at once, as a power cut would; returns the exit code."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send one signal; nothing happens when the child has already ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its output, for error messages."""
        return tail_of(self.log, lines)


def tail_of(log: Path, lines: int) -> str:
    """The last lines of a log, or nothing where there is none."""
    if not log.is_file():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


async def output_of(*argv: str | Path, timeout_s: float = 20.0) -> str | None:
    """Run a short program and return its standard output, or None if it fails or takes too long."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(str(part) for part in argv),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(timeout_s):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return None
    return out.decode(errors="replace").strip() if process.returncode == 0 else None
