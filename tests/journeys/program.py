"""The program as its users run it: a process of its own, watched with everything it starts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.support.base import base

ROOT = Path(__file__).resolve().parents[2]
STAT_PARENT = 1
STAT_STARTED = 19
"""Fields of /proc/PID/stat behind the name: parent, and start time in clock ticks since boot."""
_LOOK_S = 0.1
_GONE_WITHIN_S = 15.0


def start() -> tuple[str, str]:
    """Words for `demo` and `up`: begin at the base instant of this run."""
    return "--start", base().isoformat()


Process = tuple[int, str]
"""A process by id and start time: an id that is used again is another process."""


def stat_of(pid: int) -> list[str]:
    """Fields of a process behind its name; empty when it is gone, or ended and not yet reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] == "Z" else fields


def descendants(root: int) -> dict[Process, str]:
    """Every living process below `root`, with its command line."""
    parents: dict[int, list[tuple[int, str]]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := stat_of(int(folder.name))):
            born = (int(folder.name), fields[STAT_STARTED])
            parents.setdefault(int(fields[STAT_PARENT]), []).append(born)
    found: dict[Process, str] = {}
    queue = [root]
    while queue:  # a tree: every process is seen once
        for pid, started in parents.get(queue.pop(), []):
            with contextlib.suppress(OSError):
                raw = Path(f"/proc/{pid}/cmdline").read_bytes()
                found[pid, started] = raw.replace(b"\0", b" ").decode(errors="replace")
            queue.append(pid)
    return found


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    fields = stat_of(process[0])
    return bool(fields) and fields[STAT_STARTED] == process[1]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


@dataclass
class Program:
    """`acquit ...` while it runs. `seen` is every process that it had below it at any look."""

    process: asyncio.subprocess.Process
    out: Path
    err: Path
    seen: dict[Process, str] = field(default_factory=dict)
    _watch: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, home: Path, *words: str, **env: str) -> Self:
        """Start a command, in the folder `cwd` if it is given; output goes beside the home."""
        cwd = env.pop("cwd", str(ROOT))
        beside = home.parent
        beside.mkdir(parents=True, exist_ok=True)
        name = f"{home.name}-{len(list(beside.glob('*.out')))}"
        out, err = beside / f"{name}.out", beside / f"{name}.err"
        with out.open("wb") as to_out, err.open("wb") as to_err:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cli",
                *words,
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=to_out,
                stderr=to_err,
                env={**os.environ, "ACQUIT_HOME": str(home), **env},
                start_new_session=True,
            )
        program = cls(process, out, err)
        program._watch = asyncio.create_task(program._look())
        return program

    async def _look(self) -> None:
        while self.process.returncode is None:
            self.seen.update(await asyncio.to_thread(descendants, self.process.pid))
            await asyncio.sleep(_LOOK_S)

    def running(self, words: str) -> list[int]:
        """Ids of the processes below this one whose command line has these words."""
        below = descendants(self.process.pid)
        return [pid for (pid, _), line in below.items() if words in line]

    async def said(self, words: str, within_s: float = 60.0) -> None:
        """Wait until the output has these words."""
        async with asyncio.timeout(within_s):
            while words not in self.out.read_text() + self.err.read_text():
                assert self.process.returncode is None, self.err.read_text()
                await asyncio.sleep(0.05)

    async def done(self, within_s: float) -> Done:
        """Wait for the end; a program that takes too long is killed with all it started."""
        try:
            async with asyncio.timeout(within_s):
                await self.process.wait()
        except TimeoutError:
            await self.end()
            raise
        code = self.process.returncode
        assert code is not None
        return Done(code, self.out.read_text(), self.err.read_text())

    async def left_over(self) -> list[str]:
        """Command lines of what it started and what still runs some seconds after its end."""
        if self._watch is not None:
            await self._watch
        for _ in range(round(_GONE_WITHIN_S / _LOOK_S)):
            if not any(alive(process) for process in self.seen):
                break
            await asyncio.sleep(_LOOK_S)
        return [line for process, line in self.seen.items() if alive(process)]

    async def end(self) -> None:
        """Kill it and everything it started: no test leaves anything behind, failed or not."""
        below = descendants(self.process.pid) | {p: t for p, t in self.seen.items() if alive(p)}
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        for pid, _ in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.process.wait()


async def acquit(home: Path, *words: str, within_s: float = 60.0, **env: str) -> Done:
    """Run one command to its end."""
    program = await Program.start(home, *words, **env)
    return await program.done(within_s)
