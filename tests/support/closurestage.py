"""A stage for the driver of a closure: the real decisions in memory, a real server and worker."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client, WorkflowHandle

from activities.closures import ClosureActivities, Issuer
from activities.subjects import SubjectActivities
from adapters.signing.ed25519 import Ed25519Signer
from adapters.temporal.worker import Role, books_role, build_worker, debit_role
from domain.calendar import DayWindow
from domain.kernel.change import Applied, Refusal, Refused
from domain.kernel.subject import Subject
from domain.ledger.checkpoint import Checkpoint, TreeHead
from domain.loan.aggregate import Loan
from domain.loan.product import ReminderPlan
from domain.loanclosure import agenda
from domain.loanclosure.commands import LegNews, LegStatus
from domain.loanclosure.rules import ClosingRules
from domain.loanclosure.view import ClosureView
from ports.bureaus import BureauReport
from ports.checkpoints import Checkpoints, KeptCheckpoint
from tests.fakes.clock import FakeClock
from tests.fakes.rails import FakeRail, profile
from tests.support.closures import ALL, BUREAU, ClosingScene, closing
from tests.support.doors import AnyCommand
from tests.support.memory import PRODUCT, SHANGHAI
from workflows import names
from workflows.loanclosure import LoanClosureWorkflow
from workflows.messages import Closure, DriverOrder

Handle = WorkflowHandle[LoanClosureWorkflow, Closure]
DAY_AND_NIGHT = DayWindow(time(0), time(23, 59, 59), SHANGHAI)
SIGNER = Ed25519Signer(Ed25519PrivateKey.from_private_bytes(b"acquit-test-key-of-certificates."))


@dataclass
class FakeBureau:
    """Takes each reference once; `lose` reports get lost, and `rejects` says why it refuses."""

    taken: dict[str, BureauReport] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    lose: int = 0
    rejects: list[LegNews] = field(default_factory=list)

    async def report(self, report: BureauReport) -> LegNews:
        self.calls.append(report.reference)
        if self.lose:
            self.lose -= 1
            return LegNews(LegStatus.UNKNOWN, "read_timeout")
        if self.rejects:
            return self.rejects.pop(0)
        assert self.taken.setdefault(report.reference, report) == report
        return LegNews(LegStatus.ACKNOWLEDGED)

    async def inquire(self, reference: str) -> LegNews | None:
        known = self.taken.get(reference)
        return None if known is None else LegNews(LegStatus.DONE, proof=f"receipt {reference}")


class FakeCheckpoints:
    """Signs a head each time that it is asked."""

    async def seal(self) -> KeptCheckpoint:
        head = TreeHead("acquit/test/main", 7, b"r" * 32, "ab" * 32, FakeClock().now())
        return KeptCheckpoint(Checkpoint(head, ()), "key")


@dataclass
class ClosureBooks:
    """`Books` and queries over one settled loan, decided by the real handlers.

    `dies_before` and `dies_after` are kinds of commands whose first try fails: before anything is
    written, or after it is, so that nobody hears the answer.
    """

    mark: str
    rules: ClosingRules = ALL
    others: int = 0
    clock: FakeClock = field(default_factory=FakeClock)
    dies_before: set[str] = field(default_factory=set)
    dies_after: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        reminders = ReminderPlan(PRODUCT.reminders.rules, DAY_AND_NIGHT)
        product = replace(PRODUCT, reminders=reminders)
        self.scene = ClosingScene.released(self.rules, product=closing(self.rules, product))
        self.memory = self.scene.books
        self._answers: dict[str, Applied | Refused] = {}

    @property
    def now(self) -> ClosureView:
        """The closure as it is now, with a rail of this stage's own."""
        view = self.scene.view_now
        return replace(view, labels=replace(view.labels, rail=f"rail-{self.mark}"))

    async def apply(self, command: AnyCommand) -> Applied | Refused:
        """Apply a command once; its answer again carries the current view."""
        if command.kind in self.dies_before:
            self.dies_before.discard(command.kind)
            raise ConnectionError("died before it was written")
        known = command.id in self._answers
        if not known:
            self.memory.at = max(self.memory.at, self.clock.now())
            change = self.memory.apply(command, from_driver=True)
            self._answers[command.id] = (
                Refused(change.rule, change.reason)
                if isinstance(change, Refusal)
                else Applied(change.answer)
            )
        if command.kind in self.dies_after:
            self.dies_after.discard(command.kind)
            raise ConnectionError("died after it was written")
        return replace(self._answers[command.id], view=self.now, replayed=known)

    async def apply_many(self, commands: Any) -> list[Any]:
        """Apply many, each by itself."""
        return [await self.apply(command) for command in commands]

    async def view(self, subject: Subject) -> ClosureView | None:
        """The closure, if it is asked for."""
        return self.now if subject.key == "L1" else None

    async def loan(self, loan_id: str) -> Loan | None:
        """The loan as the books hold it."""
        return self.memory.loans.get(loan_id)

    async def unsettled_under(self, mandate: str, besides: str) -> int:
        """Installments of other loans under the mandate."""
        assert (mandate, besides) == ("M-L1", "L1")
        return self.others


@dataclass
class ClosureStage:
    """One closure with its driver; `mark` is unique, so that tests do not meet."""

    client: Client
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    rules: ClosingRules = ALL
    bureau: FakeBureau = field(default_factory=FakeBureau)

    def __post_init__(self) -> None:
        self.books = ClosureBooks(self.mark, self.rules)
        self.rail = FakeRail(profile(f"rail-{self.mark}"))
        self.queue = f"wf-{self.mark}"

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Run the workflow worker, that of bulk work, and that of the rail."""
        subjects = SubjectActivities(self.books, self.books, self.books)
        made = ClosureActivities(
            self.books,
            self.books,
            {"simbank": self.rail},
            {BUREAU: self.bureau},
            Issuer(SIGNER, "Lender"),
            cast("Checkpoints", FakeCheckpoints()),
            self.books.clock,
        )
        role = Role(self.queue, runs_workflows=True, activities_at_once=5, pollers_most=3)
        mine: list[Any] = [subjects.look, subjects.order, subjects.ask, made.tell, made.review]
        bulk = [made.request, made.ask, made.issue, made.seal]
        async with (
            build_worker(self.client, role, mine),
            build_worker(self.client, books_role(), bulk),
            build_worker(self.client, debit_role(f"rail-{self.mark}"), [made.end_mandate]),
        ):
            yield

    async def open(self) -> Handle:
        """Start the driver of what the books hold now."""
        view = self.books.now
        return await self.client.start_workflow(
            LoanClosureWorkflow.run,
            DriverOrder.of(view),
            id=f"{names.driver_id(view)}-{self.mark}",
            task_queue=self.queue,
            search_attributes=names.attributes(view),
        )

    async def wake(self, handle: Handle) -> None:
        """Bring the driver the current view."""
        await handle.signal("wake", self.books.now)

    async def ended(self, handle: Handle) -> Closure:
        """Wait for its end."""
        return await asyncio.wait_for(handle.result(), 60)


@asynccontextmanager
async def asked_soon() -> AsyncIterator[None]:
    """Have requests asked about after moments; the books compute when, not the driver."""
    usual = agenda.WAITS, agenda.ASK_AGAIN_AFTER
    soon = timedelta(milliseconds=300)
    agenda.WAITS, agenda.ASK_AGAIN_AFTER = (soon,), soon  # type: ignore[assignment]
    try:
        yield
    finally:
        agenda.WAITS, agenda.ASK_AGAIN_AFTER = usual
