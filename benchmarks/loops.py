"""Drivers without a workflow engine: a task of asyncio for each installment.

The loop is the driver's own (`workflows/driver.py`) without anything that survives a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.actions import ActionOrder
from benchmarks.world import World
from domain.kernel.view import Action
from domain.loan.view import ActionKind, InstallmentView

Perform = Callable[[ActionOrder], Awaitable[InstallmentView]]


def order_of(view: InstallmentView, action: Action) -> ActionOrder:
    """What a driver hands to an activity."""
    return ActionOrder(view.subject, view.generation, view.version, action)


def performing(world: World) -> Perform:
    """The activities of a driver by the kind of action, run in this process."""
    debits, items = world.debits, world.items

    async def perform(order: ActionOrder) -> InstallmentView:
        activities: dict[str, Any] = {
            ActionKind.REMIND: items.remind,
            ActionKind.PRESENT: debits.present,
        }
        return await ActivityEnvironment().run(activities[order.action.kind], order)

    return perform


class LoopDrivers:
    """Implements `ports.drivers.Drivers` with tasks."""

    def __init__(self, world: World) -> None:
        self._perform = performing(world)
        self._views: dict[str, InstallmentView] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def open(self, view: InstallmentView) -> None:
        """Start the task of an installment, once."""
        if view.labels.loan_id not in self._tasks:
            self._views[view.labels.loan_id] = view
            self._news[view.labels.loan_id] = asyncio.Event()
            self._tasks[view.labels.loan_id] = asyncio.create_task(self._drive(view.labels.loan_id))

    async def wake(self, view: InstallmentView) -> None:
        """Bring it a newer view."""
        await self.open(view)
        self._fold(view)

    async def running(self, view: InstallmentView) -> bool:
        """Whether its task runs."""
        task = self._tasks.get(view.labels.loan_id)
        return task is not None and not task.done()

    async def ended(self, name: str) -> None:
        """Wait for the end of a driver."""
        await self._tasks[name]

    def _fold(self, view: InstallmentView) -> None:
        self._views[view.labels.loan_id] = self._views[view.labels.loan_id].newer(view)
        self._news[view.labels.loan_id].set()

    async def _drive(self, name: str) -> None:
        while not (view := self._views[name]).is_final:
            self._news[name].clear()
            action = view.next_action
            wait = (
                None if action is None else (action.not_before - datetime.now(UTC)).total_seconds()
            )
            if action is not None and wait is not None and wait <= 0:
                self._fold(await self._perform(order_of(view, action)))
                continue
            try:
                await asyncio.wait_for(self._news[name].wait(), wait)
            except TimeoutError:
                continue
