"""Books of one installment for tests: idempotent by id, a small agenda, no rules of their own.

They stand in for the real ones where a test is about waiting and acting, not about money. Every
command that changes something raises the version by one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import cast

from domain.debit.attempt import LIVE, Attempt, AttemptState, DebitOrder
from domain.debit.mandate import Mandate
from domain.debit.outcome import Outcome, OutcomeStatus
from domain.errors import Conflict
from domain.kernel.change import Answer, Applied, Done, Refused, Superseded
from domain.kernel.subject import Subject
from domain.kernel.view import Action, Labels, View
from domain.loan.aggregate import Installment, Loan
from domain.loan.change import Ordered
from domain.loan.lifecycle import State
from domain.loan.product import Product
from domain.loan.view import ActionKind, InstallmentDetail, InstallmentView, installment
from domain.pricing.amounts import Amounts
from tests.fakes.clock import FakeClock
from tests.support.doors import (
    ActionCommand,
    AnyCommand,
    Cancel,
    ChangeDate,
    Hold,
    IntendDebit,
    QueueReminder,
    RaiseOperator,
    RecordOutcome,
    RecordUnsent,
    RenewSend,
    Review,
    Unhold,
)
from tests.support.views import changed

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Pace:
    """How long the fake agenda waits, so that a test runs in real seconds."""

    remind: timedelta = timedelta(0)
    present: timedelta = timedelta(seconds=1)
    inquire: timedelta = timedelta(seconds=1)
    retry: timedelta = timedelta(seconds=1)
    review: timedelta = timedelta(hours=1)
    lease: timedelta = timedelta(seconds=30)


@dataclass
class FakeBooks:
    """`Books` and the part of `Queries` that drivers use, for one installment."""

    rail: str
    loan_id: str
    pace: Pace = field(default_factory=Pace)
    number: int = 1
    tenant: str = "t1"
    lease_passed: bool = True
    conclusive: bool = True
    refuse: str = ""
    fail_next: list[Exception] = field(default_factory=list)
    fail_kinds: dict[str, Exception] = field(default_factory=dict)
    commands: list[AnyCommand] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    stuck: bool = False
    behind: timedelta = timedelta()
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self._answers: dict[str, tuple[str, Applied | Refused]] = {}
        self._keys = 0
        self.failed: Counter[str] = Counter()
        self.current = View(
            tenant=self.tenant,
            subject=installment(self.loan_id, self.number),
            generation=1,
            version=1,
            state=State.SCHEDULED,
            labels=Labels(
                loan_id=self.loan_id,
                number=self.number,
                due_on=date(2026, 12, 1),
                currency="CNY",
                amount_minor=10_000,
                rail=self.rail,
            ),
            detail=InstallmentDetail(),
        )
        self.current = replace(
            self.current, next_action=self.action(ActionKind.REMIND, self.pace.remind)
        )

    def _due_on(self) -> date:
        assert self.current.labels.due_on is not None
        return self.current.labels.due_on

    # --- what tests do to it ---------------------------------------------------------------------

    def now(self) -> datetime:
        return self.clock.now()

    def action(self, kind: ActionKind, wait: timedelta) -> Action:
        self._keys += 1
        return Action(
            kind, self.now() + wait, f"it is time to {kind.value}", f"{kind}/{self._keys}"
        )

    def change(self, **fields: object) -> InstallmentView:
        """Change the view as news from outside would, and give it."""
        version = self.current.version + 1
        self.current = changed(self.current, version=version, **fields)
        return self.current

    def settle(self) -> InstallmentView:
        """The bank's statement proves the money: closed."""
        return self.change(state=State.CLOSED, is_final=True, next_action=None)

    def applied(self, kind: str) -> list[AnyCommand]:
        return [command for command in self.commands if command.kind == kind]

    # --- the port --------------------------------------------------------------------------------

    async def apply(self, command: AnyCommand) -> Applied | Refused:
        if self.fail_next:
            raise self.fail_next.pop(0)
        if command.kind in self.fail_kinds:
            self.failed[command.kind] += 1
            raise self.fail_kinds[command.kind]
        known = self._answers.get(command.id)
        if known is not None:
            identity, answer = known
            if identity != command.identity():
                raise Conflict(command.id)
            return replace(answer, view=self._now(), replayed=True)
        answer = self._decide(command)
        self._answers[command.id] = (command.identity(), answer)
        self.commands.append(command)
        return answer

    async def apply_many(
        self, commands: Sequence[AnyCommand]
    ) -> Sequence[Applied | Refused | Exception]:
        return [await self.apply(command) for command in commands]

    async def view(self, subject: Subject) -> InstallmentView | None:
        return self._now() if subject == self.current.subject else None

    async def loan(self, loan_id: str) -> Loan | None:
        if loan_id != self.loan_id:
            return None
        item = Installment(
            self.number, self._due_on(), Amounts(10_000), attempts=tuple(self.attempts)
        )
        return Loan(
            id=loan_id,
            tenant=self.tenant,
            borrower="b1",
            currency="CNY",
            principal_minor=10_000,
            disbursed_on=date(2026, 11, 1),
            product=cast("Product", None),
            mandate=cast("Mandate", None),
            installments=(item,),
        )

    # --- deciding --------------------------------------------------------------------------------

    def _decide(self, command: AnyCommand) -> Applied | Refused:
        answer: Answer = Done()
        match command:
            case QueueReminder() | IntendDebit() | Review() if self._moot(command):
                return Applied(Superseded(), self._now())
            case _ if self.stuck and isinstance(command, ActionCommand):
                return Applied(Done(), self.current)
            case QueueReminder():
                self.change(next_action=self.action(ActionKind.PRESENT, self.pace.present))
            case IntendDebit():
                answer = Ordered(self._intend())
            case RenewSend():
                if not self.lease_passed:
                    return Refused("lease", "still held", self.current)
                answer = Ordered(self._renew())
            case RecordOutcome(outcome=outcome, source=source):
                self._outcome(outcome, source)
            case RecordUnsent():
                self.attempts[-1] = replace(self.attempts[-1], state=AttemptState.RECALLED)
                self._next(State.DUE, ActionKind.PRESENT, self.pace.retry)
            case RaiseOperator():
                self.change(needs_operator=command.reason)
            case Review():
                self.change(next_action=None)
            case _:
                return self._order(command)
        return Applied(answer, self.current)

    def _moot(self, command: ActionCommand) -> bool:
        action = self.current.next_action
        early = action is not None and action.not_before > self.now() - self.behind
        return action is None or action.key != command.action or early

    def _now(self) -> InstallmentView:
        """The view as the books give it: with the instant of their own clock."""
        return replace(self.current, as_of=self.now() - self.behind)

    def _order(self, command: AnyCommand) -> Applied | Refused:
        if self.refuse:
            return Refused(self.refuse, "not now", self.current)
        match command:
            case Hold():
                self.change(hold=command.what.value, next_action=None)
            case Unhold():
                self.change(hold="", next_action=self.action(ActionKind.PRESENT, timedelta(0)))
            case Cancel():
                self.change(state=State.CANCELLED, is_final=True, next_action=None)
            case ChangeDate():
                action = self.action(ActionKind.PRESENT, self.pace.present)
                self.change(due_on=command.due_on, next_action=action)
            case _:
                self.change(amount_minor=self.current.labels.amount_minor - 1)
        return Applied(Done(), self.current)

    def _intend(self) -> DebitOrder:
        number = len(self.attempts) + 1
        attempt = Attempt(
            number=number,
            order_no=f"{self.loan_id}-{number}",
            merchant_id="m1",
            mandate_ref="mandate",
            rail=self.rail,
            amount_minor=self.current.labels.amount_minor,
            value_on=self._due_on(),
            intended_at=self.now(),
            send_until=self.now() + self.pace.lease,
        )
        self.attempts.append(attempt)
        self.change(
            state=State.PRESENTED,
            attempt_no=number,
            attempt_state=attempt.state.value,
            order_no=attempt.order_no,
            next_action=self.action(ActionKind.INQUIRE, self.pace.inquire),
        )
        return self._debit(attempt)

    def _renew(self) -> DebitOrder:
        last = self.attempts[-1]
        until = self.now() + self.pace.lease
        self.attempts[-1] = replace(last, send_until=until, sends=last.sends + 1)
        self.change()
        return self._debit(self.attempts[-1])

    def _debit(self, attempt: Attempt) -> DebitOrder:
        return DebitOrder(
            order_no=attempt.order_no,
            merchant_id=attempt.merchant_id,
            mandate_ref=attempt.mandate_ref,
            rail=attempt.rail,
            amount_minor=attempt.amount_minor,
            currency="CNY",
            value_on=attempt.value_on,
            loan_id=self.loan_id,
            number=self.number,
            send_until=attempt.send_until,
        )

    def _outcome(self, outcome: Outcome, source: str) -> None:
        last = self.attempts[-1]
        if last.state not in LIVE:
            return
        match outcome.status:
            case OutcomeStatus.CONFIRMED:
                self._end(AttemptState.CONFIRMED, outcome)
                self._next(State.CLEARING, ActionKind.REVIEW, self.pace.review)
            case OutcomeStatus.DECLINED:
                self._end(AttemptState.DECLINED, outcome)
                self._next(State.RETRYING, ActionKind.PRESENT, self.pace.retry)
            case OutcomeStatus.NOT_FOUND if self._proves(source):
                self._end(AttemptState.NOT_EXECUTED, outcome)
                self._next(State.DUE, ActionKind.PRESENT, self.pace.retry)
            case OutcomeStatus.PENDING:
                self._end(AttemptState.ACCEPTED, outcome)
                self._next(State.PRESENTED, ActionKind.INQUIRE, self.pace.inquire)
            case _:
                self._end(AttemptState.UNKNOWN, outcome)
                self._next(State.IN_DOUBT, ActionKind.INQUIRE, self.pace.inquire)

    def _proves(self, source: str) -> bool:
        return self.lease_passed and self.conclusive and source == "inquiry"

    def _end(self, state: AttemptState, outcome: Outcome) -> None:
        self.attempts[-1] = replace(self.attempts[-1], state=state, code=outcome.code)

    def _next(self, state: State, kind: ActionKind, wait: timedelta) -> None:
        last = self.attempts[-1]
        self.change(
            state=state,
            attempt_state=last.state.value,
            code=last.code if state is not State.CLEARING else "",
            next_action=self.action(kind, wait),
        )
