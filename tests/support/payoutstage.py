"""A stage for the driver of a payout: the real decisions in memory, a real server and worker."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle

from activities.payouts import PayoutActivities
from activities.subjects import SubjectActivities
from adapters.temporal.worker import Role, books_role, build_worker, debit_role
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass
from domain.debit.rail import RailProfile
from domain.kernel.change import Applied, Refusal, Refused
from domain.kernel.subject import Subject
from domain.payout.items import PayoutItem
from domain.payout.payout import Payout, PayoutOrder
from domain.payout.view import PayoutView
from tests.fakes.clock import FakeClock
from tests.support.doors import AnyCommand
from tests.support.memory import SHANGHAI, as_item
from tests.support.payouts import PAYEE, REFUNDS, Paying, policy, pooled
from workflows import names
from workflows.messages import Closure, DriverOrder
from workflows.payout import PayoutWorkflow

Handle = WorkflowHandle[PayoutWorkflow, Closure]
LOANS = ("L1", "L2", "L3")


@dataclass
class FakeChannel:
    """A bank that executes each order number once; `lose` answers get lost, `deaf` calls too."""

    sent: list[str] = field(default_factory=list)
    executed: dict[str, int] = field(default_factory=dict)
    lose: int = 0
    decline: bool = False

    async def send(self, order: PayoutOrder) -> Outcome:
        self.sent.append(order.order_no)
        if not self.decline:
            self.executed[order.order_no] = order.amount_minor
        if self.lose:
            self.lose -= 1
            return NO_ANSWER
        return self._said(order.order_no)

    async def inquire(self, order_no: str) -> Outcome:
        return self._said(order_no)

    def _said(self, order_no: str) -> Outcome:
        if order_no in self.executed:
            return Outcome(OutcomeClass.SUCCESS, "00", self.executed[order_no], "BK-1")
        if order_no in self.sent:
            return Outcome(OutcomeClass.ACCOUNT, "62")
        return Outcome(OutcomeClass.NOT_FOUND, "34")


@dataclass
class PayoutBooks:
    """`Books` and queries over some loans and a payout, decided by the real handlers.

    `dies_before` and `dies_after` are kinds of commands whose first try fails: before anything is
    written, or after it is, so that nobody hears the answer. `refund`: what goes out is the
    duplicate of a payment, and no remittance.
    """

    mark: str
    refund: bool = False
    clock: FakeClock = field(default_factory=FakeClock)
    dies_before: set[str] = field(default_factory=set)
    dies_after: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        channel = RailProfile(
            name=f"bank-{self.mark}",
            timezone=SHANGHAI,
            calendar="PLAIN",
            opens=time(0),
            closes=time(23, 59, 59),
            cut_off=time(23, 59, 59),
            every_day=True,
            lease=timedelta(seconds=2),
            query_window=timedelta(seconds=1),
            inquiry=(timedelta(milliseconds=500),),
        )
        mine = policy(
            replace(PAYEE, channel=channel.name), refunds=replace(REFUNDS, channel=channel.name)
        )
        self.scene = Paying.of(*((name, pooled(), 10000) for name in LOANS), policy=mine)
        for name in LOANS:
            self.scene.received(10000, name, ref=f"T-{name}")
        rules = self.scene.books.rules
        self.scene.books.rules = replace(rules, channels={channel.name: channel})
        self.memory = self.scene.books
        self.key = self._duplicate() if self.refund else self.scene.requested()
        self._answers: dict[str, Applied | Refused] = {}

    def _duplicate(self) -> str:
        """The first loan is paid once more, and that is requested to be refunded."""
        self.scene.roll(1)
        self.scene.received(10000, LOANS[0], ref="T-AGAIN")
        return self.scene.refunding(self.scene.payment("T-AGAIN").id)

    @property
    def now(self) -> PayoutView:
        """The payout as it is now."""
        return self.memory.payout_view(self.key)

    async def apply(self, command: AnyCommand) -> Applied | Refused:
        """Apply a command once; its answer again carries the current view."""
        if command.kind in self.dies_before:
            self.dies_before.discard(command.kind)
            raise ConnectionError("died before it was written")
        known = command.id in self._answers
        if not known:
            self.memory.at = self.clock.now()
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

    async def apply_many(self, commands: Sequence[AnyCommand]) -> list[Any]:
        """Apply many, each by itself."""
        return [await self.apply(command) for command in commands]

    async def view(self, subject: Subject) -> PayoutView | None:
        """The payout, if it is asked for."""
        return self.now if subject.key == self.key else None

    async def payout(self, key: str) -> Payout | None:
        """The payout as the books hold it."""
        return self.memory.payouts.get(key)

    async def payout_items(
        self, key: str, after: tuple[str, str, int, str], limit: int
    ) -> tuple[PayoutItem, ...]:
        """Its items, two at a time, so that there are several pages."""
        found = (as_item(item, minor) for item, minor in self.memory.payout_items[key])
        return tuple(item for item in found if item[:4] > after)[: min(limit, 2)]


@dataclass
class PayoutStage:
    """One payout with its driver; `mark` is unique, so that tests do not meet."""

    client: Client
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])
    channel: FakeChannel = field(default_factory=FakeChannel)
    refund: bool = False

    def __post_init__(self) -> None:
        self.books = PayoutBooks(self.mark, self.refund)
        self.queue = f"wf-{self.mark}"

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Run the workflow worker, that of bulk work, and that of the channel."""
        name = self.books.now.labels.rail
        subjects = SubjectActivities(self.books, self.books, self.books)
        made = PayoutActivities(self.books, self.books, {name: self.channel}, self.books.clock)
        role = Role(self.queue, runs_workflows=True, activities_at_once=5, pollers_most=3)
        mine: list[Any] = [subjects.look, subjects.order, subjects.ask, made.review, made.escalate]
        async with (
            build_worker(self.client, role, mine),
            build_worker(self.client, books_role(), [made.learn]),
            build_worker(self.client, debit_role(name), [made.instruct, made.inquire]),
        ):
            yield

    async def open(self) -> Handle:
        """Start the driver of what the books hold now."""
        view = self.books.now
        return await self.client.start_workflow(
            PayoutWorkflow.run,
            DriverOrder.of(view),
            id=f"{names.driver_id(view)}-{self.mark}",
            task_queue=self.queue,
            search_attributes=names.attributes(view),
        )

    async def line(self, handle: Handle) -> None:
        """The bank books that it left; the driver is woken with the newer view."""
        self.books.memory.at = self.books.clock.now()
        self.books.scene.left(self.books.key)
        await handle.signal("wake", self.books.now)

    async def ended(self, handle: Handle) -> Closure:
        """Wait for its end."""
        return await asyncio.wait_for(handle.result(), 60)
