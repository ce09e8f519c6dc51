"""The activity of healing: delivers leftover messages, wakes missing or lagging drivers."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from temporalio import activity

from activities.shielded import Life, heartbeats
from domain.kernel.subject import Subject
from domain.kernel.view import View
from ports.clock import Clock
from ports.drivers import Drivers
from ports.outbox import Outbox

PAGE = 100
PAGES_MOST = 10_000
AT_ONCE = 10
FAULTS_KEPT = 50


@dataclass(frozen=True, slots=True)
class HealOrder:
    """`quiet_s`: seconds after which a due action without any change means a lagging driver."""

    quiet_s: int = 600


@dataclass(frozen=True, slots=True)
class Healed:
    """How many messages were delivered, drivers looked at, started and woken, and what failed.

    `failed` counts drivers that could neither be started nor woken; `faults` names the first ones.
    """

    delivered: int = 0
    looked_at: int = 0
    started: int = 0
    woken: int = 0
    failed: int = 0
    faults: tuple[str, ...] = ()


class HealQueries(Protocol):
    """The part of `ports.sweepqueries.SweepQueries` that healing needs."""

    async def lagging(self, now: datetime, quiet_s: int, limit: int) -> tuple[View[Any], ...]:
        """Subjects that have been unchanged with a due action for `quiet_s` seconds."""
        ...

    async def unfinished(self, after: Subject, limit: int) -> tuple[View[Any], ...]:
        """Subjects whose drivers must exist, in order of (kind, key)."""
        ...


class HealActivities:
    """Compares what the books want to run with what runs."""

    def __init__(
        self, queries: HealQueries, outbox: Outbox, drivers: Drivers, clock: Clock
    ) -> None:
        self._queries, self._outbox, self._drivers, self._clock = queries, outbox, drivers, clock

    @activity.defn(name="healing.heal")
    async def heal(self, order: HealOrder) -> Healed:
        """Deliver first, since a missing driver is mostly an undelivered message; then compare."""
        async with heartbeats() as life:
            return await self._heal(order, life)

    async def _heal(self, order: HealOrder, life: Life) -> Healed:
        done = Healed(delivered=await self._outbox.sweep())
        after = Subject("", "")
        for _ in range(PAGES_MOST):
            page = await self._queries.unfinished(after, PAGE)
            if not page:
                break
            done = await self._page(page, done)
            after = page[-1].subject
            life.report(str(after))
        lagging = await self._queries.lagging(self._clock.now(), order.quiet_s, PAGE)
        for view in lagging:
            fault = await self._wake(view)
            done = _with(done, fault) if fault else replace(done, woken=done.woken + 1)
            life.report(str(view.subject))
        return done

    async def _page(self, page: tuple[View[Any], ...], done: Healed) -> Healed:
        done = replace(done, looked_at=done.looked_at + len(page))
        for start in range(0, len(page), AT_ONCE):
            some = page[start : start + AT_ONCE]
            alive = await asyncio.gather(*(self._drivers.running(view) for view in some))
            for view, runs in zip(some, alive, strict=True):
                if runs:
                    continue
                activity.logger.warning("no driver for %s", view.subject)
                fault = await self._wake(view)
                done = _with(done, fault) if fault else replace(done, started=done.started + 1)
        return done

    async def _wake(self, view: View[Any]) -> str:
        """Wake one driver; the fault of one that cannot be woken, so that the others go on."""
        try:
            await self._drivers.wake(view)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported and the rest go on
            fault = f"{view.subject}/g{view.generation}: {error}"
            activity.logger.error("cannot wake a driver: %s", fault)
            return fault
        return ""


def _with(done: Healed, fault: str) -> Healed:
    """A driver that could not be woken is a fault and counts as nothing else."""
    return replace(done, failed=done.failed + 1, faults=(*done.faults, fault)[:FAULTS_KEPT])
