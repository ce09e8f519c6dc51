"""A stage for the driver of a case: the real decisions in memory, a real server and worker."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle

from activities.cases import CaseActivities
from activities.subjects import SubjectActivities
from adapters.temporal.drivers import TemporalDrivers
from adapters.temporal.worker import Role, build_worker
from domain.case import agenda
from domain.case.case import Case
from domain.case.policy import CasePolicy, ServiceLevel
from domain.case.view import CaseView
from domain.kernel.change import Applied, Refusal, Refused
from domain.kernel.driver import OPEN
from domain.kernel.subject import Subject
from tests.fakes.bulk import FakeQueries
from tests.fakes.clock import FakeClock
from tests.support.doors import AnyCommand, AssignCase, RaiseOperator
from tests.support.memory import RULES, TESTER, MemoryBooks, board
from tests.support.scene import Scene
from workflows import names
from workflows.case import CaseWorkflow
from workflows.messages import Closure, DriverOrder

Handle = WorkflowHandle[CaseWorkflow, Closure]


@dataclass
class CaseBooks:
    """`Books` and views over one case of one loan, decided by the real handlers."""

    policy: CasePolicy
    loan_id: str
    clock: FakeClock = field(default_factory=FakeClock)
    demanded: bool = False
    """A case whose kind demands a driver, with nobody who has it; else one that is assigned."""

    def __post_init__(self) -> None:
        rules = replace(RULES, case_policy=self.policy)
        self.memory = MemoryBooks(rules=rules)
        if not self.demanded:
            self.memory.at = self.clock.now()
        self.memory.apply(board(self.loan_id))
        self._answers: dict[str, Applied | Refused] = {}
        if self.demanded:
            self.key = self._return_of_more()
            return
        ask = RaiseOperator(
            id="ask", actor=TESTER, reason="cannot go on", loan_id=self.loan_id, number=1
        )
        self.memory.apply(ask)
        self.key = f"operator/{self.loan_id}/1"
        self.memory.apply(
            AssignCase(id="take", actor=TESTER, reason="mine", case=self.key, assignee="ann")
        )

    def _return_of_more(self) -> str:
        """A debit of which more came back than was taken; the key of its case."""
        scene = Scene(self.memory)
        order_no = scene.present(loan=self.loan_id)
        scene.apply_outcome(order_no, minor=10100)
        self.memory.at = self.clock.now()
        scene.returned(order_no, 10300)
        return next(key for key in self.memory.cases if key.startswith("return/"))

    @property
    def opening(self) -> CaseView:
        """The view with which the books have its driver started.

        Raises:
            StopIteration: they have not.
        """
        news = (it.payload for it in self.memory.messages if it.topic == OPEN.name)
        return next(it.view for it in news if it.view.subject == self.case.subject)

    @property
    def case(self) -> Case:
        return self.memory.cases.get(self.key) or self.memory.resolved[self.key]

    @property
    def shown(self) -> CaseView:
        return agenda.view_of(self.case, self.policy, self.clock.now())

    async def apply(self, command: AnyCommand) -> Applied | Refused:
        if command.id not in self._answers:
            self.memory.at = self.clock.now()
            change = self.memory.apply(command, from_driver=True)
            self._answers[command.id] = (
                Refused(change.rule, change.reason)
                if isinstance(change, Refusal)
                else Applied(change.answer)
            )
        return replace(self._answers[command.id], view=self.shown)

    async def apply_many(self, commands: Any) -> Any:
        return [await self.apply(command) for command in commands]

    async def view(self, subject: Subject) -> CaseView | None:
        return self.shown if subject == self.case.subject else None


@dataclass
class CaseStage:
    """One case with its driver; `mark` is unique, so that tests do not meet."""

    client: Client
    policy: CasePolicy
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    demanded: bool = False

    def __post_init__(self) -> None:
        self.books = CaseBooks(self.policy, f"L-{self.mark}", demanded=self.demanded)
        self.queue = f"wf-{self.mark}"

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Run the workflow worker."""
        subjects = SubjectActivities(self.books, self.books, self.books)
        cases = CaseActivities(self.books, FakeQueries(), self.books.clock)
        role = Role(self.queue, runs_workflows=True, activities_at_once=5, pollers_most=3)
        activities: list[Any] = [subjects.look, subjects.order, subjects.ask, cases.act]
        async with build_worker(self.client, role, activities):
            yield

    async def open(self) -> Handle:
        """Start the driver of what the books hold now."""
        view = self.books.shown
        return await self.client.start_workflow(
            CaseWorkflow.run,
            DriverOrder.of(view),
            id=names.driver_id(view),
            task_queue=self.queue,
            search_attributes=names.attributes(view),
        )

    async def opened_by_books(self) -> Handle:
        """Start the driver that the books ask for, as their outbox does."""
        view = self.books.opening
        drivers = TemporalDrivers(
            self.client, self.books, self.books.clock, self._books_id, self.queue
        )
        await drivers.open(view)
        return self.client.get_workflow_handle_for(CaseWorkflow.run, names.driver_id(view))

    async def _books_id(self) -> str:
        return self.mark

    async def ended(self, handle: Handle) -> Closure:
        """Wait for its end."""
        return await asyncio.wait_for(handle.result(), 30)


def quick(seconds: float, chain: tuple[str, ...] = ("team-lead",)) -> CasePolicy:
    """A policy whose clocks run out in real seconds."""
    some = timedelta(seconds=seconds)
    return CasePolicy(usual=ServiceLevel(some, some, some, chain))
