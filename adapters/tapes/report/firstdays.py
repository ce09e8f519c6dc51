"""Forecasts the first days after boarding: debits, reminders and penalties, day by day.

The loans are decided on by the rules of the books, in memory. Every reminder is taken to arrive
and every debit to succeed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from domain.calendar import local_day, local_instant
from domain.debit.attempt import DebitOrder
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Refusal
from domain.kernel.command import Actor, Command
from domain.kernel.view import Action
from domain.loan import agenda
from domain.loan.aggregate import Loan, NoticeState, Rulebook
from domain.loan.boarding import BoardLoan
from domain.loan.change import Aggregates, Change, Ordered
from domain.loan.commands import (
    IntendDebit,
    QueueReminder,
    RecordDeliveryReport,
    RecordOutcome,
    RollDay,
)
from domain.loan.decide import decide
from domain.loan.openingrules import debt_history
from domain.loan.view import ActionKind
from domain.payment.payment import Payment
from domain.pricing.amounts import Component

DAYS = 7
_FORECASTER = Actor("system", "forecast")
_ACTIONS_MOST = 10_000
"""Of one loan in its first days: a limit for a loop that should end by itself."""


@dataclass(slots=True)
class FirstDay:
    """One day, in the time zones of the products: how many, and minor units by currency."""

    day: date
    reminders: int = 0
    debits: int = 0
    debited: dict[str, int] = field(default_factory=dict)
    penalties: dict[str, int] = field(default_factory=dict)


def first_days(
    commands: Iterable[BoardLoan], rules: Rulebook, at: datetime, days: int = DAYS
) -> tuple[FirstDay, ...]:
    """What happens from `at` (UTC) on, today and the days after it; quiet days are left out."""
    forecast = Forecaster(rules, at, days)
    for command in commands:
        forecast.add(command)
    return forecast.days


class Forecaster:
    """Adds up the first days of loans, one loan after the other."""

    def __init__(self, rules: Rulebook, at: datetime, days: int = DAYS) -> None:
        self._rules, self._at, self._span = rules, at, days
        self._found: dict[date, FirstDay] = {}

    def add(self, command: BoardLoan) -> None:
        """Count what a loan brings."""
        _Forecast(command, self._rules, self._at, self._found).run(self._span)

    @property
    def days(self) -> tuple[FirstDay, ...]:
        """The days so far, in order; quiet days are left out."""
        return tuple(self._found[day] for day in sorted(self._found))


class _Forecast:
    """One loan in memory, and what becomes of it."""

    def __init__(
        self, command: BoardLoan, rules: Rulebook, at: datetime, found: dict[date, FirstDay]
    ) -> None:
        self._command, self._rules, self._at, self._found = command, rules, at, found
        self._zone = command.product.timezone
        self._loan: Loan | None = None
        self._payments: dict[str, Payment] = {}
        self._no_progress: set[str] = set()

    def run(self, days: int) -> None:
        """Board it, begin each day, and do what comes next until the days are over."""
        if not self._is_near(days):
            return
        opening = self._command.opening
        known = sum(item.charged.penalty for item in opening.items) if opening else 0
        self._apply(self._command, charged_before=known)
        first = local_day(self._at, self._zone)
        for day in (first + timedelta(days=passed) for passed in range(days)):
            self._at = max(self._at, local_instant(day, time.min, self._zone))
            self._apply(
                RollDay(id="roll", actor=_FORECASTER, loan_id=self._command.loan_id, day=day)
            )
            self._spend(local_instant(day + timedelta(days=1), time.min, self._zone))

    def _is_near(self, days: int) -> bool:
        """Whether anything can happen so soon: most loans of a tape are due later."""
        product = self._command.product
        ahead = max((rule.days_before for rule in product.reminders.rules), default=0)
        last = local_day(self._at, self._zone) + timedelta(days=days + ahead)
        near = [line.number for line in self._command.schedule if line.due_on <= last]
        if (opening := self._command.opening) is None:
            return bool(near)
        owed = debt_history(self._command, opening).owed()
        return any(line.number in near for line, _ in owed)

    def _spend(self, end: datetime) -> None:
        """Do what is due before an instant, in order of time."""
        for _ in range(_ACTIONS_MOST):
            first = min(self._actions(), key=lambda pair: pair[1].not_before, default=None)
            if first is None or first[1].not_before >= end:
                return
            number, action = first
            self._at = max(self._at, action.not_before)
            before = self._loan
            self._do(number, action)
            if self._loan is before:
                self._no_progress.add(f"{number}/{action.key}")

    def _actions(self) -> Iterator[tuple[int, Action]]:
        if (loan := self._loan) is None:
            return
        for item in loan.installments:
            action = agenda.next_action(loan, item, self._rules, self._at)
            if action is None or action.kind not in {ActionKind.REMIND, ActionKind.PRESENT}:
                continue
            if f"{item.number}/{action.key}" not in self._no_progress:
                yield item.number, action

    def _do(self, number: int, action: Action) -> None:
        loan_id, key = self._command.loan_id, action.key
        if action.kind is ActionKind.REMIND:
            self._apply(
                QueueReminder(id=key, actor=_FORECASTER, loan_id=loan_id, number=number, action=key)
            )
            self._arrive(number)
            return
        change = self._apply(
            IntendDebit(id=key, actor=_FORECASTER, loan_id=loan_id, number=number, action=key)
        )
        if change is not None and isinstance(change.answer, Ordered):
            self._succeed(change.answer.order)

    def _arrive(self, number: int) -> None:
        """The messages of an installment that were just written have reached the borrower."""
        loan = self._loan
        for notice in loan.installment(number).notices if loan else ():
            if notice.state is NoticeState.QUEUED:
                self._today().reminders += 1
                self._apply(
                    RecordDeliveryReport(
                        id=notice.message_id,
                        actor=_FORECASTER,
                        message_id=notice.message_id,
                        delivered=True,
                    )
                )

    def _succeed(self, order: DebitOrder) -> None:
        today = self._today()
        today.debits += 1
        today.debited[order.currency] = today.debited.get(order.currency, 0) + order.amount_minor
        self._apply(
            RecordOutcome(
                id=order.order_no,
                actor=_FORECASTER,
                rail=order.rail,
                order_no=order.order_no,
                outcome=Outcome(OutcomeClass.SUCCESS, "00", order.amount_minor),
                source="answer",
            )
        )

    def _apply(self, command: Command, charged_before: int = 0) -> Change | None:
        """Decide on a command; penalty that a former system charged is none of these days."""
        change = decide(self._aggregates(), command)
        if isinstance(change, Refusal):
            return None
        self._loan = change.loans.get(self._command.loan_id, self._loan)
        self._payments.update(change.payments)
        charged = sum(
            posting.minor
            for posting in (posting for entry in change.entries for posting in entry.postings)
            if posting.minor > 0
            and posting.account.startswith("owed/")
            and posting.component == Component.PENALTY
        )
        if charged > charged_before:
            sums, currency = self._today().penalties, self._command.currency
            sums[currency] = sums.get(currency, 0) + charged - charged_before
        return change

    def _aggregates(self) -> Aggregates:
        loan = self._loan
        if loan is None:
            return Aggregates(self._at, self._rules)
        return Aggregates(
            self._at,
            self._rules,
            loans={loan.id: loan},
            orders={attempt.order_no: loan.id for _, attempt in loan.attempts()},
            messages={
                notice.message_id: loan.id for item in loan.installments for notice in item.notices
            },
            payments=dict(self._payments),
            under_mandates={loan.mandate.ref: (loan.id,)},
        )

    def _today(self) -> FirstDay:
        day = local_day(self._at, self._zone)
        return self._found.setdefault(day, FirstDay(day))
