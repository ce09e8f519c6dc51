"""Drivers kept by Temporal: opened asleep, woken by signal-with-start, one per generation."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.subjects import ViewQueries
from domain.errors import Conflict
from domain.kernel import canonical
from domain.kernel.view import View
from domain.registry import KINDS
from ports.clock import Clock
from ports.drivers import DriverGone
from workflows import names
from workflows.messages import DriverOrder


class TemporalDrivers:
    """Implements `ports.drivers.Drivers`.

    Args:
        books_id: gives the name that the books were made with, so that drivers of other books
            under the same ids are seen; asked once, when the first driver is started.
        queue: where the workflow workers poll.
    """

    def __init__(
        self,
        client: Client,
        queries: ViewQueries,
        clock: Clock,
        books_id: Callable[[], Awaitable[str]],
        queue: str = names.WORKFLOWS,
    ) -> None:
        self._client, self._queries, self._clock = client, queries, clock
        self._ask_books_id, self._queue = books_id, queue
        self._books_id = ""

    async def open(self, view: View[Any]) -> None:
        """Start the driver asleep. A plain start: a repeated message must not end its sleep."""
        await self._start(view, WorkflowIDConflictPolicy.FAIL)

    async def wake(self, view: View[Any]) -> None:
        """Signal, starting the driver if there is none; this also ends the sleep of an open one."""
        await self._start(view, WorkflowIDConflictPolicy.USE_EXISTING, "wake", [view])

    async def _start(
        self,
        view: View[Any],
        if_running: WorkflowIDConflictPolicy,
        signal: str | None = None,
        args: Sequence[View[Any]] = (),
    ) -> None:
        try:
            await self._client.start_workflow(
                names.DRIVERS[view.subject.kind],
                DriverOrder.of(view),
                id=names.driver_id(view),
                task_queue=self._queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=if_running,
                start_delay=self._delay(view),
                start_signal=signal,
                start_signal_args=args,
                search_attributes=names.attributes(view),
                memo=await self._memo(view),
                static_summary=KINDS[view.subject.kind].words.summary(view),
            )
        except WorkflowAlreadyStartedError:
            await self._accept_existing(view)

    async def running(self, view: View[Any]) -> bool:
        """Ask the server, not its search index, which lags."""
        try:
            found = await self._client.get_workflow_handle(names.driver_id(view)).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status is WorkflowExecutionStatus.RUNNING

    async def _accept_existing(self, view: View[Any]) -> None:
        """The id is taken: fine if it is our driver, running or rightly ended; else a fault."""
        driver = names.driver_id(view)
        found = await self._client.get_workflow_handle(driver).describe()
        memo = await found.memo()
        theirs = memo.get(names.MEMO_BOOKS)
        if theirs is not None and theirs != await self._name():
            raise Conflict(f"{driver} drives something of other books")
        if found.status is WorkflowExecutionStatus.RUNNING:
            return
        now = await self._queries.view(view.subject)
        if now is None:
            raise DriverGone(f"{driver} has ended and the books do not know its subject")
        if now.generation == view.generation and not now.is_final:
            raise DriverGone(f"{driver} has ended, but the books say {now.state}")

    def _delay(self, view: View[Any]) -> timedelta | None:
        """How long to sleep before the first action; None when there is something to do at once."""
        if view.is_final or view.next_action is None:
            return None
        wait = view.next_action.not_before - self._clock.now()
        return wait if wait > timedelta(0) else None

    async def _name(self) -> str:
        """The name of our books."""
        self._books_id = self._books_id or await self._ask_books_id()
        return self._books_id

    async def _memo(self, view: View[Any]) -> dict[str, str]:
        """What this start belongs to; nothing personal, and no amounts."""
        request = canonical.digest((view.tenant, view.subject, view.generation))
        return {names.MEMO_BOOKS: await self._name(), names.MEMO_REQUEST: request}
