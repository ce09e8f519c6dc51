"""Long work shows that it lives, however long one piece of it takes."""

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities import shielded
from activities.healing import HealActivities, HealOrder
from activities.statements import StatementActivities, StatementOrder
from activities.sweeps import SweepActivities, SweepOrder
from domain.kernel.change import Applied, Refused
from tests.fakes.bulk import (
    FakeArchive,
    FakeDrivers,
    FakeLedger,
    FakeOutbox,
    FakeQueries,
    FakeReader,
    FakeStarter,
    statement,
)
from tests.fakes.clock import FakeClock
from tests.support.doors import AnyCommand

SLOW_S = 0.4


class SlowLedger(FakeLedger):
    """Takes a page of commands as slowly as a busy database."""

    async def apply_many(
        self, commands: Sequence[AnyCommand]
    ) -> Sequence[Applied | Refused | Exception]:
        await asyncio.sleep(SLOW_S)
        return await super().apply_many(commands)


class SlowOutbox(FakeOutbox):
    """Delivers as slowly."""

    async def sweep(self, limit: int = 500) -> int:
        await asyncio.sleep(SLOW_S)
        return await super().sweep(limit)


def watched() -> tuple[ActivityEnvironment, list[tuple[Any, ...]]]:
    """An environment that keeps what each heartbeat said."""
    environment, heartbeats = ActivityEnvironment(), []
    environment.on_heartbeat = lambda *details: heartbeats.append(details)
    return environment, heartbeats


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shielded, "_EVERY_S", 0.02)


async def test_a_slow_page_of_a_statement_sends_heartbeats_all_the_time() -> None:
    """One page that takes longer than the heartbeat time-out is not taken for a dead worker."""
    archive = FakeArchive()
    reader = FakeReader({"s1": statement("s1", 1, 0, 100)})
    activities = StatementActivities(archive, reader, SlowLedger())
    order = StatementOrder("t1", archive.put(b"s1"))
    environment, heartbeats = watched()
    await environment.run(activities.book, order)
    assert len(heartbeats) >= 5


async def test_heartbeats_of_a_slow_page_keep_the_cursor() -> None:
    """A try that dies while a page is rolled leaves the place from where the next one goes on."""
    queries, ledger = FakeQueries(["L-1", "L-2"]), SlowLedger()
    activities = SweepActivities(
        ledger, queries, {}, FakeArchive(), FakeOutbox(), FakeStarter(), FakeClock()
    )
    environment, heartbeats = watched()
    cursor = ["2026-12-01", 1, 0, "L-1"]
    environment.info = dataclasses.replace(environment.info, heartbeat_details=[cursor])
    rolled = await environment.run(activities.roll, SweepOrder("t1"))
    assert (rolled.loans, list(ledger.applied)) == (2, ["roll/L-2/2026-12-01"])
    early = heartbeats[:-1]
    assert len(early) >= 5
    assert all(details == (cursor,) for details in early[:5])


async def test_healing_sends_heartbeats_while_the_outbox_is_delivered() -> None:
    """Deliveries come before the first driver is looked at, and may take minutes."""
    activities = HealActivities(FakeQueries(), SlowOutbox(3), FakeDrivers(), FakeClock())
    environment, heartbeats = watched()
    healed = await environment.run(activities.heal, HealOrder())
    assert healed.delivered == 3
    assert len(heartbeats) >= 5
