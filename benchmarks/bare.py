"""The floor: a workflow with as many activities as an installment, none of which does anything.

Imported again by the sandbox for each workflow, so it imports nothing that is slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE, RAIL_QUEUE = "bench.bare", "bench.bare.rail"
_SETTLE_EVERY_S = 0.02
_WITHIN = timedelta(seconds=20)


@workflow.defn(name="Bare")
class BareWorkflow:
    """A local activity, an activity on another queue, a signal: the shape of an installment."""

    def __init__(self) -> None:
        self._settled = False

    @workflow.run
    async def run(self) -> None:
        """Do nothing twice, and end when asked."""
        await workflow.execute_local_activity("bare.remind", start_to_close_timeout=_WITHIN)
        await workflow.execute_activity(
            "bare.present", task_queue=RAIL_QUEUE, start_to_close_timeout=_WITHIN
        )
        await workflow.wait_condition(lambda: self._settled)

    @workflow.signal
    def settle(self) -> None:
        """The end."""
        self._settled = True


@dataclass
class BareBank:
    """Activities that only count; those that presented are notified of their settlement."""

    performed: int = 0
    to_settle: list[str] = field(default_factory=list)

    @activity.defn(name="bare.remind")
    async def remind(self) -> None:
        """Count."""
        self.performed += 1

    @activity.defn(name="bare.present")
    async def present(self) -> None:
        """Count, and have it settled."""
        self.performed += 1
        self.to_settle.append(str(activity.info().workflow_id))

    async def settle(self, client: Client) -> None:
        """Signal everybody who presented; ends by cancellation."""
        while True:
            await asyncio.sleep(_SETTLE_EVERY_S)
            batch, self.to_settle = self.to_settle, []
            handles = [client.get_workflow_handle(name) for name in batch]
            await asyncio.gather(*(handle.signal("settle") for handle in handles))


@asynccontextmanager
async def bare_worker(client: Client) -> AsyncIterator[BareBank]:
    """Workers for bare workflows, with the limits of ours."""
    bank = BareBank()
    async with AsyncExitStack() as closing:
        for worker in (
            Worker(
                client,
                task_queue=QUEUE,
                workflows=[BareWorkflow],
                activities=[bank.remind],
                max_concurrent_activities=20,
            ),
            Worker(
                client,
                task_queue=RAIL_QUEUE,
                activities=[bank.present],
                max_concurrent_activities=20,
            ),
        ):
            await closing.enter_async_context(worker)
        settling = asyncio.create_task(bank.settle(client))
        try:
            yield bank
        finally:
            settling.cancel()
            await asyncio.wait([settling])


async def close_bare(client: Client, name: str) -> None:
    """Run one to its end."""
    await client.execute_workflow(BareWorkflow.run, id=f"bare/{name}", task_queue=QUEUE)
