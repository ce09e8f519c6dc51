"""Work that must not be cut in two, and the sign of life that goes with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from temporalio import activity

T = TypeVar("T")
_BEAT_S = 3.0


async def uncut(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end whatever is cancelled meanwhile; its answer outranks the cancellation.

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


@asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Report life every few seconds, so that a dead worker is noticed and the work tried again."""

    async def beat() -> None:
        while True:  # ends with the block around it
            activity.heartbeat()
            await asyncio.sleep(_BEAT_S)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
