"""The health of a process: `/healthz` says whether it lives, `/readyz` whether it can work.

A dependency that does not answer makes a process not ready and never dead: starting it again would
not bring the dependency back, and would throw away what it is doing. When a part of the process has
died, `/healthz` says so and the process ends by itself (`Health.watch`), since not every supervisor
asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from domain.errors import InvariantBroken
from workers.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from workers.settings import Settings

WITHIN_S = 2.0
"""Time limit of one check: whoever sent a probe that takes longer has stopped waiting."""
FRESH_S = 1.0
"""However often it is asked, a dependency is looked at once in this time."""
_LOOK_S = 1.0


class Phase(StrEnum):
    """Where a process is in its life."""

    STARTING = "starting"
    WORKING = "working"
    DRAINING = "draining"


class NotReady(Exception):
    """A dependency answers, and cannot be worked with; the text says why and holds no secret."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. One that is not `needed` is reported and decides nothing."""

    ok: bool
    detail: str
    needed: bool = True

    @property
    def passes(self) -> bool:
        """Whether the process may be called healthy as far as this goes."""
        return self.ok or not self.needed


@dataclass(frozen=True, slots=True)
class _Dependency:
    ask: Callable[[], Awaitable[str]]
    needed: bool


class Health:
    """The health of one process. Its parts are named by whoever starts them."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.phase = Phase.STARTING
        self._parts: dict[str, Callable[[], bool]] = {}
        self._dependencies: dict[str, _Dependency] = {}
        self._seen: dict[str, Check] = {}
        self._seen_at = float("-inf")
        self._looking = asyncio.Lock()

    def part(self, name: str, alive: Callable[[], bool]) -> None:
        """A part without which the process is of no use; `alive` must answer at once."""
        self._parts[name] = alive

    def dependency(
        self, name: str, ask: Callable[[], Awaitable[str]], *, needed: bool = True
    ) -> None:
        """Something outside. `ask` gives a detail to show, or raises; it is bounded here."""
        self._dependencies[name] = _Dependency(ask, needed)

    def liveness(self) -> Mapping[str, Check]:
        """The parts of this process. While it drains they end one by one, as they should."""
        draining = self.phase is Phase.DRAINING
        found = {"event_loop": Check(ok=True, detail="answers")}
        for name, alive in self._parts.items():
            ok = draining or alive()
            found[name] = Check(ok=ok, detail="runs" if ok else "has died")
        return found

    async def readiness(self) -> Mapping[str, Check]:
        """Phase, parts and dependencies; these are asked at the same time, each within a limit."""
        working = self.phase is Phase.WORKING
        phase = Check(ok=working, detail=self.phase.value)
        return {"phase": phase, **self.liveness(), **await self._look()}

    async def watch(self, stop: asyncio.Event) -> None:
        """Return when asked to stop.

        Raises:
            InvariantBroken: a part has died; the process must end and be started again.
        """
        self.phase = Phase.WORKING
        while not stop.is_set():
            if dead := [name for name, check in self.liveness().items() if not check.ok]:
                raise InvariantBroken(f"{', '.join(dead)} of {self.role} died")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await stop.wait()
        self.phase = Phase.DRAINING

    async def _look(self) -> Mapping[str, Check]:
        async with self._looking:
            if time.monotonic() - self._seen_at > FRESH_S:
                checks = await asyncio.gather(*map(_ask, self._dependencies.values()))
                self._seen = dict(zip(self._dependencies, checks, strict=True))
                self._seen_at = time.monotonic()
            return self._seen


async def _ask(it: _Dependency) -> Check:
    """Ask a dependency; an error is reported by its type, as its text may hold addresses."""
    try:
        async with asyncio.timeout(WITHIN_S):
            return Check(ok=True, detail=await it.ask(), needed=it.needed)
    except NotReady as why:
        return Check(ok=False, detail=str(why), needed=it.needed)
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {WITHIN_S:g} s", needed=it.needed)
    except Exception as error:  # noqa: BLE001  (whatever it is: not ready)
        return Check(ok=False, detail=type(error).__name__, needed=it.needed)


def health_app(health: Health, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The two questions as an application, with further `routes` beside them."""
    from starlette.applications import Starlette  # noqa: PLC0415  (only where it is served)
    from starlette.routing import Route  # noqa: PLC0415

    async def healthz(_request: Request) -> Response:
        return _answer(health, health.liveness())

    async def readyz(_request: Request) -> Response:
        return _answer(health, await health.readiness())

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), *routes])


def _answer(health: Health, checks: Mapping[str, Check]) -> Response:
    from starlette.responses import JSONResponse  # noqa: PLC0415

    well = all(check.passes for check in checks.values())
    body = {
        "status": "ok" if well else "failing",
        "role": health.role,
        "checks": {
            name: {"ok": check.ok, "needed": check.needed, "detail": check.detail}
            for name, check in checks.items()
        },
    }
    return JSONResponse(body, 200 if well else 503, {"Cache-Control": "no-store"})


@contextlib.asynccontextmanager
async def health_door(
    health: Health, settings: Settings, routes: Sequence[BaseRoute] = ()
) -> AsyncIterator[None]:
    """Answer on `health_port` until the end of the block; without a port nothing is served.

    It is opened before and closed after everything else, so that starting and draining are seen.

    Raises:
        InvalidInput: the address is taken.
    """
    if settings.health_port is None:
        yield
        return
    app = health_app(health, routes)
    async with serving(app, settings.health_host, settings.health_port, "health"):
        yield
