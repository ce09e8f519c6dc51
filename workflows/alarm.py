"""One durable timer that is kept while its instant stays the same."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow


class Alarm:
    """A timer that rings once at an instant (UTC).

    A newer view often repeats the instant of the last one. Keeping the timer then, and leaving it
    behind when the workflow ends, saves two events each time over `wait_condition(timeout=...)`.
    """

    def __init__(self) -> None:
        self._at: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def rings(self) -> bool:
        """Whether the instant has come."""
        return self._at is not None and (self._task is None or self._task.done())

    def set(self, at: datetime | None, summary: str) -> None:
        """Ring at `at`; None never rings. `summary` is shown in the Temporal UI."""
        if at == self._at:
            return
        if self._task is not None and not self._task.done():
            self._task.cancel()
        self._at, self._task = at, None
        if at is None:
            return
        wait = at - workflow.now()
        if wait > timedelta(0):
            self._task = asyncio.create_task(_sleep(wait, summary))


async def _sleep(wait: timedelta, summary: str) -> None:
    await workflow.sleep(wait, summary=summary)
