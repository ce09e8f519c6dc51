"""The clocks of the drivers in a sandbox: each workflow has its own, which can be skipped."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio.service import RPCError
from temporalio.testing import TimeSkipper

from workflows import names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from temporalio.client import Client, WorkflowHandle

    from domain.kernel.view import View

_AT_ONCE = 24
_WITHIN_S = 30.0
_AGAIN_S = 3.0
"""Seconds after which a driver with an unchanged view is skipped again: it may have been busy."""
_LAST_MOMENT = timedelta(milliseconds=25)
"""A skip ends so long before the timer that it is meant for."""


class DriverClocks:
    """Skips the time of drivers, each once for what it sees."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._skipper = TimeSkipper(client)
        self._moved: dict[str, tuple[int, float]] = {}

    async def skip(self, due: Iterable[View[Any]], now: datetime) -> int:
        """Move the clocks of the drivers that have something to do; how many were moved."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(view: View[Any]) -> bool:
            name = names.driver_id(view)
            version, since = self._moved.get(name, (-1, 0.0))
            again = version == view.version
            if again and time.monotonic() - since < _AGAIN_S:
                return False
            # A driver that did not move at its action waits for something else, such as a pause.
            action = None if again else view.next_action
            target = action.not_before if action is not None else now
            async with gate:
                moved = await self._move(self._client.get_workflow_handle(name), target)
            if moved is not None:
                self._moved[name] = (view.version, time.monotonic())
            return bool(moved)

        return sum(await asyncio.gather(*(one(view) for view in due)))

    async def _move(self, handle: WorkflowHandle[object, object], target: datetime) -> bool | None:
        """Bring one driver to just before `target`, and let the last moment pass by itself.

        A skip whose end passes while a task is at work runs on to the driver's next timer, days
        ahead of everybody (server 1.32): so it ends before the timer that it is meant for.

        Returns:
            Whether it had to be moved; None for a driver that is not there yet, or not any more,
            or that is busy with another skip: the books say what is left.
        """
        try:
            async with asyncio.timeout(_WITHIN_S):
                behind = target - _LAST_MOMENT - await self._skipper.get_current_time(handle)
                if behind <= _LAST_MOMENT:
                    return False
                await self._skipper.fast_forward(handle, behind)
        except (RPCError, RuntimeError, TimeoutError):
            return None
        return True
