"""Books under attack, driven through time and news. Every step is always allowed.

A step that finds nothing to act on does nothing, so any step can be left out of a history when a
finding is shrunk. Arguments that pick something are taken modulo what there is.
"""

import re
from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import fields, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from domain.calendar import local_day, local_instant
from domain.debit.attempt import DebitOrder
from domain.kernel.change import Refusal
from domain.loan.change import Change, Ordered
from domain.loan.lifecycle import State
from domain.loan.view import ActionKind
from tests.attack.bank import Bank
from tests.attack.findings import Finding
from tests.attack.lies import FATES
from tests.attack.oracle import Oracle
from tests.attack.setup import BEGINS, Setup
from tests.attack.summary import summary
from tests.attack.truth import DRIVER, News
from tests.attack.wording import answer_of, short_of
from tests.support.doors import (
    AnyCommand,
    IntendDebit,
    QueueReminder,
    RecordDeliveryReport,
    RecordPayment,
    RenewSend,
    Review,
    RollDay,
)
from tests.support.memory import SHANGHAI, TESTER, MemoryBooks

ACTIONS: dict[str, type] = {
    ActionKind.REMIND: QueueReminder,
    ActionKind.PRESENT: IntendDebit,
    ActionKind.REVIEW: Review,
}
REACH = timedelta(days=10)
NOW = timedelta()
Complete = tuple[str, int, int]
"""An installment that is released or closed: loan, number and generation."""
PAID = frozenset({State.CLEARING, State.SETTLED, State.RELEASED, State.CLOSED})
PENALTY = re.compile(r"(owed/.*/penalty|claim/.*|debt/.*) -?[0-9]+$")
"""What penalty of another day changes in a summary."""
Outcome = tuple[MemoryBooks, set[Complete]]
"""Books after news, and what was complete in them before the last of it was known."""
ORDERS = 1
"""Other orders of news that a burst is compared with; above one, every arrival is compared too."""


class Driven:
    """Books under attack, driven through time and news, and what was done to them."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.books = MemoryBooks(at=BEGINS, rules=setup.rules)
        self.bank = Bank(setup)
        self.oracle = Oracle(setup, self.books, self.bank)
        self.trace: list[tuple[datetime, AnyCommand, Change | Refusal | None] | str] = []
        self.count = 0
        self.is_mute = False
        for command in setup.boards():
            self.apply(command)

    # --- giving commands -------------------------------------------------------------------------

    def give(
        self, kind: Callable[..., Any], actor: Any = TESTER, **values: Any
    ) -> Change | Refusal:
        self.count += 1
        return self.apply(
            kind(id=f"{self.setup.name}c{self.count}", actor=actor, reason="attack", **values)
        )

    def apply(self, command: AnyCommand) -> Change | Refusal:
        try:
            change = self.books.apply(command)
        except Exception as error:
            self.trace.append((self.books.at, command, None))
            raise Finding("crash", f"{type(error).__name__}: {error} on {command}") from error
        self.trace.append((self.books.at, command, change))
        if isinstance(change, Refusal):
            if command.evidence or isinstance(command, RecordPayment):
                raise Finding("evidence.refused", f"{change.rule}: {short_of(command)}")
        else:
            self.oracle.after(command, change)
        return change

    @property
    def reported(self) -> list[str]:
        """A readable account of what was done and answered."""
        return [
            step
            if isinstance(step, str)
            else f"{step[0]:%m-%d %H:%M} {short_of(step[1])} -> {answer_of(step[2])}"
            for step in self.trace
        ]

    def deliver(self, news: News) -> None:
        """Give the books a piece of news."""
        self.bank.deliver(news)
        self.apply(news.command)

    def which(self, loan: int, number: int) -> tuple[str, int]:
        loan_id = self.setup.loan_ids[loan % self.setup.loans]
        return loan_id, number % self.setup.installments + 1

    def _order(self, kind: Any, loan: int, number: int, **values: Any) -> Change | Refusal:
        return self.order(kind, *self.which(loan, number), **values)

    def order(self, kind: Any, loan: str, number: int, **values: Any) -> Change | Refusal:
        """Give an order about an installment."""
        return self.give(kind, loan_id=loan, number=number, **values)

    # --- time ------------------------------------------------------------------------------------

    def wait(self, hours: int) -> None:
        """Let hours pass, with nobody rolling the days."""
        self.books.at += timedelta(hours=hours)

    def days(self, days: int) -> None:
        """Let days pass, each rolled in its first hours."""
        for _ in range(days):
            self._to_day(1)
            self.roll()

    def roll(self) -> None:
        """Roll today for every loan."""
        for loan_id in self.setup.loan_ids:
            self.give(RollDay, loan_id=loan_id, day=self.today)

    def _to_day(self, days: int) -> None:
        day = self.today + timedelta(days=days)
        self.books.at = max(self.books.at, local_instant(day, time(1), SHANGHAI))

    def wait_until_day(self, days: int) -> None:
        """Let days pass unrolled, until ten in the morning."""
        day = self.today + timedelta(days=days)
        self.books.at = max(self.books.at, local_instant(day, time(10), SHANGHAI))

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.books.at, SHANGHAI)

    # --- the driver ------------------------------------------------------------------------------

    def drive(self, loan: int, number: int, fate: str = "taken") -> None:
        """Perform what comes next until an order is out, waiting up to ten days for each action."""
        for _ in range(6):
            if self._perform(*self.which(loan, number), fate, REACH) != "more":
                return

    def _perform(self, loan: str, number: int, fate: str, reach: timedelta) -> str:
        """Perform one action: `sent` when an order went out, `idle` when there is nothing now."""
        view = self.books.view(number, loan)
        action = view.next_action
        if action is None or action.not_before > self.books.at + reach:
            return "idle"
        self.books.at = max(self.books.at, action.not_before)
        if action.kind == ActionKind.INQUIRE:
            self.deliver(self.bank.inquire(view.detail.order_no, self.books.at))
            return "more"
        change = self.give(
            ACTIONS[action.kind],
            DRIVER,
            loan_id=loan,
            number=number,
            action=action.key,
            generation=view.generation,
            seen=view.version,
        )
        if isinstance(change, Refusal):
            return "idle"
        if isinstance(change.answer, Ordered):
            self._send(change.answer.order, fate)
            return "sent"
        if action.kind == ActionKind.REMIND and not self.is_mute:
            self._deliver_notices(loan, number)
        return "more"

    def _deliver_notices(self, loan: str, number: int) -> None:
        for notice in self.books.item(number, loan).notices:
            if notice.state.value == "queued":
                self.give(RecordDeliveryReport, message_id=notice.message_id, delivered=True)

    def _send(self, order: DebitOrder, fate: str) -> None:
        """The order goes to the rail, which does with it what `fate` says."""
        self.bank.orders[order.order_no] = order
        self.bank.says.pop(order.order_no, None)
        FATES[fate](self, order)

    def ask(self, loan: int, number: int, hours: int = 1) -> None:
        """Inquire about the live order of an installment, some hours later."""
        loan_id, of = self.which(loan, number)
        live = self.books.item(of, loan_id).live_attempt
        if live is not None:
            self.books.at += timedelta(hours=hours)
            self.deliver(self.bank.inquire(live.order_no, self.books.at))

    def renew(self, pick: int) -> None:
        """A sender wants the lease of an order again."""
        orders = list(self.bank.orders.values())
        if orders:
            order = orders[pick % len(orders)]
            self.give(
                RenewSend, loan_id=order.loan_id, number=order.number, order_no=order.order_no
            )

    def work(self) -> bool:
        """Perform everything that is due now, orders being taken; whether anything was."""
        done = False
        for loan_id in self.setup.loan_ids:
            for item in self.books.loans[loan_id].installments:
                for _ in range(6):
                    if self._perform(loan_id, item.number, "taken", NOW) == "idle":
                        break
                    done = True
        return done

    def mute(self) -> None:
        """From now on no message to the borrower arrives, or again it does."""
        self.is_mute = not self.is_mute

    # --- news ------------------------------------------------------------------------------------

    def _available(self) -> list[News]:
        return [news for news in self.bank.pending if news.not_before <= self.books.at]

    def _take(self, news: News) -> None:
        self.bank.pending.remove(news)
        self.bank.delivered.append(news)

    def news(self, pick: int = 0) -> None:
        """One piece of news that waits arrives."""
        if waiting := self._available():
            self._take(news := waiting[pick % len(waiting)])
            self.deliver(news)

    def all_news(self) -> None:
        """All news that waits arrives; with several `ORDERS` also in the opposite one."""
        waiting = self._available()
        if ORDERS > 1:
            self._compare(waiting, waiting[::-1])
        for _ in waiting:
            self.news()

    def again(self, pick: int) -> None:
        """News arrives once more under another id: nothing may be booked twice."""
        known = [news for news in self.bank.delivered if news.command.evidence]
        if known:
            news = known[pick % len(known)]
            self.count += 1
            mark = len(self.books.entries)
            self.deliver(
                replace(
                    news, command=replace(news.command, id=f"{self.setup.name}again{self.count}")
                )
            )
            if len(self.books.entries) != mark:
                raise Finding("news.twice", f"{short_of(news.command)} was booked again")

    def lose(self, pick: int) -> None:
        """A report is lost; statements never are."""
        reports = [n for n in self.bank.pending if n.command.kind != "book_line"]
        if reports:
            self.bank.pending.remove(reports[pick % len(reports)])

    def burst(self, seed: int) -> None:
        """All news that waits arrives at once; in other orders the end would be the same."""
        waiting = self._available()
        dice = Random(seed)
        for _ in range(ORDERS):
            other = list(waiting)
            dice.shuffle(other)
            self._compare(waiting, other)
        for news in waiting:
            self._take(news)
            self.deliver(news)

    def _compare(self, waiting: list[News], other: list[News]) -> None:
        """Two orders of one set of news come to the same books.

        Penalty of an installment that nothing has touched is charged by the day's roll, and is
        compared after it. Nothing is compared while several payments of one reference were sent
        and not all are recorded: a line proves the payment that is known, and may be of another.
        Nor while one of several returns of an order has a line that does not name it: such a line
        is told from the others by what of them was reported, and proven, when it came.
        """
        if waiting == other or self._repeats() or self._is_bare():
            return
        one, two = self._come_to(waiting), self._come_to(other)
        differs = self._difference(waiting, one, two)
        is_penalty = all(PENALTY.match(name) for name in differs)
        for books, _ in (one, two) if differs and is_penalty else ():
            for loan_id in self.setup.loan_ids:
                name = f"rolled-{loan_id}"
                roll = RollDay(id=name, actor=TESTER, reason=name, loan_id=loan_id, day=self.today)
                books.apply(roll)
        if differs := self._difference(waiting, one, two):
            orders = " / ".join(
                ", ".join(short_of(n.command) for n in news) for news in (waiting, other)
            )
            raise Finding("news.order", f"{'; '.join(differs)}: {orders}")

    def _repeats(self) -> bool:
        """Whether payers repeat a reference for a payment that nobody has recorded."""
        names = Counter(sent.reference for sent in self.bank.transfers)
        return any(names[t.reference] > 1 and not t.is_recorded for t in self.bank.transfers)

    def _is_bare(self) -> bool:
        """Whether one of several returns of an order has a line that does not name the order."""
        bank = self.bank
        returned = Counter(bank.executions[back.execution].order_no for back in bank.returns)
        return any(
            truth.minor < 0 and returned[truth.order_no] > 1
            for line_id, truths in bank.truths.items()
            for truth in truths
            if truth.order_no not in {item.end_to_end_id for item in bank.lines[line_id].items}
        )

    def _difference(self, waiting: list[News], one: Outcome, two: Outcome) -> list[str]:
        """In what the books differ after two orders of news."""
        known = self._complete(self.books)
        early = {loan for loan, _, _ in (one[1] | two[1]) - known}
        agree, either = self._agrees(waiting), self._either(known, one[0], two[0])
        here, there = (
            summary(books, with_cases=agree, by_loan=early, either=either)
            for books, _ in (one, two)
        )
        more = [f"{a} | {b}" for a, b in zip(here, there, strict=False) if a != b]
        return sorted(set(here) ^ set(there)) or more

    def _come_to(self, several: list[News]) -> Outcome:
        """The books after news, and what was complete before the last of it was known."""
        known = {field.name: copy(getattr(self.books, field.name)) for field in fields(self.books)}
        books = MemoryBooks(**known)
        early: set[Complete] = set()
        for news in several:
            early |= self._complete(books)
            try:
                books.apply(news.command)
            except Exception as error:
                raise Finding("crash", f"{error!r} on {news.command}") from error
        return books, early

    @staticmethod
    def _complete(books: MemoryBooks) -> set[Complete]:
        """Installments that are released or closed."""
        return {
            (loan.id, item.number, item.generation)
            for loan in books.loans.values()
            for item in loan.installments
            if item.state in {State.RELEASED, State.CLOSED}
        }

    @classmethod
    def _either(cls, known: set[Complete], *both: MemoryBooks) -> set[tuple[str, int]]:
        """Installments that are paid either way, and complete since before all news in one order.

        What comes back of an order that was executed twice, under no name that is known, goes back
        of the execution that pays nothing, where that is known by then: what is complete stays so.
        Else it reopens the installment, which the other execution pays anew.
        """
        one, two = (known & cls._complete(books) for books in both)
        stayed = {(loan, number) for loan, number, _ in one ^ two}
        return {
            (loan, number)
            for loan, number in stayed
            if all(books.item(number, loan).state in PAID for books in both)
        }

    def _agrees(self, several: list[News]) -> bool:
        """Whether news agrees with itself: of no order are two final outcomes among it."""
        orders = [n.command.order_no for n in several if n.is_final]  # type: ignore[attr-defined]
        return len(orders) == len(set(orders)) and not self.oracle.is_lying
