"""Controls the simulated bank for a sandbox: its clock, what it has still to do, its faults."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import httpx

from domain.errors import Unavailable

_TIMEOUT_S = 60.0
_TRIES = 80
_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the bank has still to do: reports on their way now, and the next instant with news."""

    due: int
    next_news: datetime | None


class SimulatorControl:
    """Control endpoints of the simulator; waits for it while it is being restarted.

    Every call raises `Unavailable` where the bank stays away for `_TRIES` tries.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, timeout=_TIMEOUT_S, trust_env=False, transport=_Patient()
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def set_clock(self, offset: timedelta) -> None:
        """Put the bank on the sandbox's clock; everything due has happened on return."""
        await self._post("/control/clock", {"offset_s": offset.total_seconds()})

    async def calm(self) -> None:
        """End every fault from now on."""
        await self._post("/control/calm", {})

    async def outlook(self) -> Outlook:
        """What is due and what comes next."""
        answer = (await self._client.get("/control/next")).raise_for_status().json()
        ahead = answer["next_news"]
        return Outlook(int(answer["due"]), datetime.fromisoformat(ahead) if ahead else None)

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        (await self._client.post(path, json=body)).raise_for_status()


class _Patient(httpx.AsyncHTTPTransport):
    """Tries again while nobody listens: a killed simulator comes back within seconds."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(_TRIES):
            try:
                return await super().handle_async_request(request)
            except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
                await asyncio.sleep(_PAUSE_S)
        raise Unavailable(f"the simulated bank at {request.url} does not answer")
