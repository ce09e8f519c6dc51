"""Waits until an installation is ready: every worker says so itself, and the bank answers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import httpx

from domain.errors import Unavailable
from sandbox.topologyparts import HOST
from workers.processes import tail_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.keeping import Part
    from sandbox.topologyparts import Ports

_POLL_S = 0.3
_ASK_S = 5.0


async def until_ready(ports: Ports, parts: Mapping[str, Part], within_s: float) -> None:
    """Wait until everything answers.

    Raises:
        Unavailable: a part has ended, or not all answer within `within_s` seconds.
    """
    lacking = "everything"
    try:
        async with (
            asyncio.timeout(within_s),
            httpx.AsyncClient(trust_env=False, timeout=_ASK_S) as client,
        ):
            while lacking:
                for name, part in parts.items():
                    if part.is_down:
                        raise Unavailable(f"{name} has ended:\n{tail_of(part.log, 15)}")
                lacking = await _lacking(client, ports)
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise Unavailable(f"not ready after {within_s:g} s: {lacking}") from None


async def _lacking(client: httpx.AsyncClient, ports: Ports) -> str:
    if not await _listens(ports.simulator):
        return "simulator"
    for name, port in ports.health.items():
        try:
            answer = await client.get(f"http://{HOST}:{port}/readyz")
        except httpx.TransportError:
            return name
        if not answer.is_success:
            return f"{name}: {answer.text}"
    return ""


async def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(HOST, port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
    return False
