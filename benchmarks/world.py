"""A small world in which nothing has to wait: loans due today, a bank that answers at once.

Books, activities, outbox and workflows are the real ones. The bank lives in this process, so that
what is measured is ours, and keeps a log of its own, with which the books are audited afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from activities.debits import DebitActivities
from activities.installments import InstallmentActivities
from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import OutboxRelay
from adapters.temporal.dispatchers import dispatchers
from domain.audit import (
    TruthExecution,
    TruthFacts,
    TruthMovement,
    TruthNotice,
    TruthOrder,
    TruthStatement,
    compare,
)
from domain.calendar import BankingCalendar, DayWindow
from domain.debit.attempt import DebitOrder
from domain.debit.mandate import Mandate
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass
from domain.kernel.change import Applied
from domain.kernel.command import Actor
from domain.loan.accounts import accounts_named
from domain.loan.aggregate import Rulebook
from domain.loan.boarding import BoardLoan
from domain.loan.commands import BookLine, RecordDeliveryReport
from domain.loan.product import ClosureRules, Product, ReminderPlan, ReminderRule
from domain.loan.view import InstallmentView
from domain.pricing.schedule import ScheduleLine
from domain.statement.statement import LineItem, StatementLine
from ports.books import Books
from ports.drivers import Drivers
from ports.outbox import Dispatcher, OutboxRow
from sandbox.auditing import read_books
from tests.support.memory import PRODUCT, RAIL
from workers.clock import WallClock

BENCH = Actor("benchmark", "1")
TENANT = "bench"
PRINCIPAL, INTEREST = 10_000, 100
EVERY_DAY = BankingCalendar(
    "EVERY", frozenset(), frozenset(), date(2020, 1, 1), date(2099, 12, 31), weekend=frozenset()
)
"""Weekends are working days too: a run on a Sunday is the same as any other."""
OPEN_RAIL = replace(
    RAIL,
    calendar=EVERY_DAY.name,
    timezone="UTC",
    opens=time(0),
    closes=time(23, 59),
    cut_off=time(23, 59),
    every_day=True,
)
RULES = Rulebook(
    {EVERY_DAY.name: EVERY_DAY},
    {OPEN_RAIL.name: OPEN_RAIL},
    accounts=accounts_named([PRODUCT]),
)
DUE_AT_ONCE = replace(
    PRODUCT,
    id="bench",
    timezone="UTC",
    calendar=EVERY_DAY.name,
    present_at=time(0, 1),
    reminders=ReminderPlan(
        (ReminderRule(0, time(0), ("sms",)),), DayWindow(time(0), time(23, 59), "UTC")
    ),
    closure=ClosureRules(0, 5),
)
"""One reminder and one debit, both at the beginning of the due day; closed by the bank line."""
SILENT = replace(
    DUE_AT_ONCE, id="bench-silent", reminders=ReminderPlan((), DUE_AT_ONCE.reminders.allowed)
)
"""The same without a reminder."""
SETTLE_EVERY_S = 0.02


def loan(name: str, due: date, count: int = 1, product: Product = DUE_AT_ONCE) -> BoardLoan:
    """A loan of `count` installments of 101.00, the first of them due on `due`."""
    lines = tuple(
        ScheduleLine(
            number,
            due + timedelta(days=30 * (number - 1)),
            30,
            PRINCIPAL,
            INTEREST,
            0,
            PRINCIPAL * (count - number),
        )
        for number in range(1, count + 1)
    )
    return BoardLoan(
        id=f"board/{name}",
        actor=BENCH,
        reason="a benchmark",
        loan_id=name,
        tenant=TENANT,
        borrower=f"b-{name}",
        currency="CNY",
        principal_minor=PRINCIPAL * count,
        disbursed_on=due - timedelta(days=30),
        product=product,
        mandate=Mandate(f"M-{name}", OPEN_RAIL.name, "merchant-1", f"a-{name}", date(2020, 1, 1)),
        schedule=lines,
    )


STATEMENT_DAY = date(2026, 1, 1)
"""All lines are on one statement of this day."""


@dataclass
class Bank:
    """Takes every order and executes it; books it on a statement once its outcome is recorded.

    Implements what activities use of `ports.rail.Rail`, and remembers everything for the audit.
    """

    profile = OPEN_RAIL
    orders: dict[str, TruthOrder] = field(default_factory=dict)
    movements: list[TruthMovement] = field(default_factory=list)
    notices: list[TruthNotice] = field(default_factory=list)
    to_settle: list[str] = field(default_factory=list)

    async def present(self, order: DebitOrder) -> Outcome:
        """Take money for an order, once whatever comes."""
        now = datetime.now(UTC)
        if (known := self.orders.get(order.order_no)) is not None:
            self.orders[order.order_no] = replace(known, posts=known.posts + 1)
        else:
            done = TruthExecution(f"B-{order.order_no}", order.amount_minor, now, order.value_on)
            self.orders[order.order_no] = TruthOrder(
                order.rail,
                order.order_no,
                order.merchant_id,
                order.mandate_ref,
                order.amount_minor,
                order.currency,
                now,
                1,
                (done,),
                "SUCCESS",
                "00",
            )
        return await self.inquire(order.order_no, order.merchant_id)

    async def inquire(self, order_no: str, merchant_id: str) -> Outcome:
        """What became of an order."""
        known = self.orders.get(order_no)
        if known is None or known.merchant_id != merchant_id:
            return NO_ANSWER
        done = known.executions[0]
        return Outcome(OutcomeClass.SUCCESS, "00", done.amount_minor, done.bank_ref)

    async def settle(self, books: Books) -> None:
        """Book what was executed, one line for each order, in batches; ends by cancellation."""
        while True:
            await asyncio.sleep(SETTLE_EVERY_S)
            batch, self.to_settle = self.to_settle, []
            for result in await books.apply_many([self._line(order_no) for order_no in batch]):
                if isinstance(result, Exception):
                    raise result

    def _line(self, order_no: str) -> BookLine:
        order = self.orders[order_no]
        done = order.executions[0]
        name = f"{DUE_AT_ONCE.account}/{STATEMENT_DAY}/{len(self.movements) + 1}"
        self.movements.append(
            TruthMovement(
                name,
                DUE_AT_ONCE.account,
                order_no,
                "debit",
                done.amount_minor,
                order.currency,
                done.value_on,
                "S1",
                done.bank_ref,
            )
        )
        booked = StatementLine(
            id=name,
            account=DUE_AT_ONCE.account,
            booked_on=done.value_on,
            value_on=done.value_on,
            amount_minor=done.amount_minor,
            currency=order.currency,
            servicer_ref=done.bank_ref,
            items=(LineItem(order_no, None, None, done.amount_minor),),
        )
        return BookLine(id=f"line/{name}", actor=BENCH, statement_id="S1", line=booked)


class Reporting(DebitActivities):
    """Debits as they are; the bank learns when one is recorded, and settles it then."""

    def __init__(self, world: World) -> None:
        super().__init__(world.books, world.queries, {OPEN_RAIL.name: world.bank}, world.clock)  # type: ignore[dict-item]
        self._bank = world.bank

    async def _record(self, *given: Any) -> InstallmentView:  # noqa: ANN401
        view = await super()._record(*given)
        self._bank.to_settle.append(view.detail.order_no)
        return view


class Notices:
    """A dispatcher of messages to people: taken at once, its delivery report comes at once."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def deliver(self, row: OutboxRow) -> None:
        """Take a message and tell the books that it arrived."""
        message, channel = str(row.body["message_id"]), str(row.body["channel"])
        self._world.bank.notices.append(TruthNotice(message, channel, datetime.now(UTC)))
        await self._world.books.apply(
            RecordDeliveryReport(
                id=f"delivery/{message}", actor=BENCH, message_id=message, delivered=True
            )
        )


@dataclass
class World:
    """Books on a database of their own, with the bank, activities and outbox around them.

    Implements `ports.drivers.Drivers` by those it was given, to see who has ended.
    """

    engine: AsyncEngine
    books: SqlBooks
    queries: SqlQueries
    bank: Bank
    clock: WallClock
    began: datetime
    drivers: Drivers = field(init=False)
    relay: OutboxRelay | None = None
    _final: dict[str, asyncio.Future[InstallmentView]] = field(default_factory=dict)

    @property
    def debits(self) -> Reporting:
        """The activities that present and inquire."""
        return Reporting(self)

    @property
    def items(self) -> InstallmentActivities:
        """The activities that remind and review."""
        return InstallmentActivities(self.books)

    def kick(self) -> None:
        """Something was committed."""
        if self.relay is not None:
            self.relay.kick()

    async def open(self, view: InstallmentView) -> None:
        """A driver was asked for."""
        await self.drivers.open(view)

    async def wake(self, view: InstallmentView) -> None:
        """A driver was notified: whoever waits for the end of its installment is notified too."""
        await self.drivers.wake(view)
        if view.is_final and not (waiting := self._final[view.labels.loan_id]).done():
            waiting.set_result(view)

    async def running(self, view: InstallmentView) -> bool:
        """Whether a driver runs."""
        return await self.drivers.running(view)

    async def close(self, name: str) -> InstallmentView:
        """Board a loan of one installment and wait until the books have closed it."""
        waiting: asyncio.Future[InstallmentView] = asyncio.get_running_loop().create_future()
        self._final[name] = waiting
        answer = await self.books.apply(loan(name, datetime.now(UTC).date()))
        if not isinstance(answer, Applied):
            raise TypeError(f"{name} was not boarded: {answer}")
        return await waiting

    @asynccontextmanager
    async def driven(self, drivers: Drivers) -> AsyncIterator[None]:
        """Deliver to these drivers, and settle."""
        self.drivers = drivers
        topics: dict[str, Dispatcher] = {**dispatchers(self), "notice": Notices(self)}
        self.relay = OutboxRelay(self.engine, self.clock, topics)
        tasks = [
            asyncio.create_task(self.relay.run()),
            asyncio.create_task(self.bank.settle(self.books)),
        ]
        try:
            yield
        finally:
            self.relay.stop()
            await tasks[0]
            tasks[1].cancel()
            await asyncio.wait(tasks)

    async def faults(self, closed: int) -> str:
        """What an audit finds in the books against the bank's log; empty when it is clean."""
        auditor = SqlSelfAudit(self.engine, self.clock, RULES)
        facts = await read_books(self.queries, self.clock.now())
        truth = TruthFacts(
            orders=tuple(self.bank.orders.values()),
            movements=tuple(self.bank.movements),
            notices=tuple(self.bank.notices),
            statements=(TruthStatement("S1", DUE_AT_ONCE.account, self.began, STATEMENT_DAY),),
        )
        report = compare(await auditor.audit(), facts, truth)
        if not report.clean:
            return f"{len(report.findings)} findings, the first: {report.findings[0].text}"
        reminders = 0 if report.bank is None else report.bank.reminders
        if report.installments.get("CLOSED", 0) != closed or reminders != closed:
            return f"{dict(report.installments)}, {reminders} reminders"
        posts = sum(order.posts for order in self.bank.orders.values())
        return "" if posts == closed else f"{posts} orders sent for {closed} installments"


@asynccontextmanager
async def world(url: str) -> AsyncIterator[World]:
    """Open books on an empty database."""
    async with AsyncExitStack() as closing:
        await upgrade(url)
        engine = books_engine(url)
        closing.push_async_callback(engine.dispose)
        clock = WallClock()
        books = SqlBooks(engine, clock, RULES, kick=lambda: made.kick())  # noqa: PLW0108
        closing.push_async_callback(books.close)
        made = World(engine, books, SqlQueries(engine, clock, RULES), Bank(), clock, clock.now())
        yield made
