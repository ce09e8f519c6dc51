"""A stage for driver tests: fake books and rail, real workers, a queue and ids of its own."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from activities.debits import DebitActivities
from activities.installments import InstallmentActivities
from activities.subjects import SubjectActivities
from adapters.temporal.worker import Role, build_worker, debit_role
from tests.fakes.books import FakeBooks
from tests.fakes.rails import FakeRail, profile
from workflows import names
from workflows.installment import InstallmentWorkflow
from workflows.messages import Closure, DriverOrder

Handle = WorkflowHandle[InstallmentWorkflow, Closure]


@dataclass
class Stage:
    """Everything that one driver needs; `rail` names its queue, so tests do not meet."""

    client: Client
    books: FakeBooks
    rail: FakeRail
    queue: str
    cached: int = 1000
    grace: timedelta = timedelta(seconds=5)

    @asynccontextmanager
    async def workers(self, *, debits: bool = True) -> AsyncIterator[None]:
        """Run the workflow worker and, unless asked otherwise, the rail's."""
        async with AsyncExitStack() as stack:
            books = self.books
            activities: list[Callable[..., Any]] = [
                *of_drivers(books),
            ]
            role = Role(self.queue, runs_workflows=True, activities_at_once=5, pollers_most=3)
            await stack.enter_async_context(
                build_worker(
                    self.client,
                    role,
                    activities,
                    max_cached_workflows=self.cached,
                    grace=self.grace,
                )
            )
            if debits:
                await stack.enter_async_context(self.debit_worker())
            yield

    @asynccontextmanager
    async def debit_worker(self, rail: FakeRail | None = None) -> AsyncIterator[None]:
        """Run a worker of the rail's queue."""
        served = rail or self.rail
        activities = DebitActivities(
            self.books, self.books, {self.books.rail: served}, self.books.clock
        )
        worker = build_worker(
            self.client,
            debit_role(self.books.rail, 5),
            [activities.present, activities.inquire],
            grace=self.grace,
        )
        async with worker:
            yield

    async def open(self) -> Handle:
        """Start the driver of what the books hold now, without any delay."""
        view = self.books.current
        return await self.client.start_workflow(
            InstallmentWorkflow.run,
            DriverOrder.of(view),
            id=names.driver_id(view),
            task_queue=self.queue,
            search_attributes=names.attributes(view),
        )

    async def settle(self, handle: Handle) -> Closure:
        """Bring the final view to the driver and wait for its end."""
        await handle.signal(InstallmentWorkflow.wake, self.books.settle())
        return await asyncio.wait_for(handle.result(), 30)


def of_drivers(books: FakeBooks) -> list[Callable[..., Any]]:
    """The activities of a driver's own queue."""
    subjects, items = SubjectActivities(books, books, books), InstallmentActivities(books)
    return [subjects.look, subjects.order, subjects.ask, items.remind, items.review]


def stage(client: Client, **rail: object) -> Stage:
    """A fresh stage; keywords are those of `FakeRail`, `mark` names it (anything unique)."""
    mark = str(rail.pop("mark", uuid.uuid4().hex[:10]))
    name = f"rail-{mark}"
    idempotent = bool(rail.pop("idempotent", False))
    fake = FakeRail(profile(name, idempotent=idempotent), **rail)  # type: ignore[arg-type]
    return Stage(client, FakeBooks(name, f"L-{mark}"), fake, f"wf-{mark}")


def sent(kind: str, order_id: str, reason: str, **terms: object) -> dict[str, Any]:
    """An order as a sender upstream writes it."""
    actor = {"kind": "operator", "id": "op-7"}
    return {"kind": kind, "id": order_id, "actor": actor, "reason": reason, **terms}


async def until(what: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.05)


async def counted(handle: WorkflowHandle[Any, Any]) -> Counter[str]:
    """Events of a history by type, without those of a virtual clock."""
    history = await handle.fetch_history()
    return Counter(
        EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events
    )
