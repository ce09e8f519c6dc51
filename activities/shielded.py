"""Work that a cancellation must not interrupt, and the heartbeats that go with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from temporalio import activity

T = TypeVar("T")
_EVERY_S = 3.0


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end, also when the activity is cancelled, and give its answer.

    Sending and recording belong together: a cancelled activity that stops between the two leaves
    an order that nobody has written down. `work` must be bounded by time-outs of its own.
    """
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
        except Exception:  # noqa: BLE001 - raised again by result() below
            break
    return task.result()


class Life:
    """The heartbeat of one activity, with its progress: every heartbeat repeats the last one."""

    def __init__(self, progress: Sequence[Any]) -> None:
        self._progress = tuple(progress)

    def report(self, *progress: Any) -> None:  # noqa: ANN401  (whatever the activity can read back)
        """Report progress now, and with every heartbeat from now on."""
        self._progress = progress
        self.send()

    def send(self) -> None:
        """Send one heartbeat."""
        activity.heartbeat(*self._progress)


@asynccontextmanager
async def heartbeats() -> AsyncIterator[Life]:
    """Send a heartbeat every few seconds, so that a dead worker is noticed and its work repeated.

    However long one piece of work takes, the heartbeat comes in time, and it keeps the progress
    that an earlier try or this one has reported.
    """
    life = Life(activity.info().heartbeat_details)

    async def repeat() -> None:
        while True:  # ends with the block around it
            life.send()
            await asyncio.sleep(_EVERY_S)

    task = asyncio.create_task(repeat())
    try:
        yield life
    finally:
        task.cancel()
        await asyncio.wait([task])
