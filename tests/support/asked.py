"""Asking a process how it is, over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sandbox.topologyparts import HOST, low_port
from workers.processes import Child

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 40.0


@dataclass(frozen=True)
class Said:
    """One answer: status, and the checks by name."""

    status: int
    body: dict[str, Any]

    @property
    def failing(self) -> dict[str, str]:
        """What does not pass, with its detail."""
        checks = self.body["checks"].items()
        return {name: it["detail"] for name, it in checks if it["needed"] and not it["ok"]}


async def ask(port: int, path: str) -> Said | None:
    """One answer of `/healthz` or `/readyz`; None when nobody listens."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}{path}")
        except httpx.TransportError:
            return None
    return Said(answer.status_code, answer.json())


async def until(port: int, path: str, status: int) -> Said:
    """Ask until the answer has this status; the last answer is reported when it never has."""
    said: Said | None = None
    try:
        async with asyncio.timeout(WITHIN_S):
            while (said := await ask(port, path)) is None or said.status != status:
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{path} never said {status}, but {said}") from None
    return said


@dataclass(frozen=True)
class Process:
    """One of our programs, with its health on `port`."""

    child: Child
    port: int


def health_port(processes: int = 2) -> int:
    """A port that is free, and so are those after it, for each process of a parent."""
    for _ in range(100):
        port = low_port()
        with contextlib.ExitStack() as taken, contextlib.suppress(OSError):
            for following in range(port, port + processes + 1):
                taken.enter_context(socket.create_server((HOST, following)))
            return port
    raise OSError("no run of free ports")


async def started(log: Path, *argv: str, **env: str) -> Process:
    """Start `python -m ...` with health on a port of its own."""
    port = health_port()
    given = {**os.environ, "ACQUIT_HOME": str(log.parent), "ACQUIT_HEALTH_PORT": str(port), **env}
    argv = (sys.executable, "-m", *argv)
    return Process(await Child.start(argv, log=log, env=given, cwd=ROOT), port)
