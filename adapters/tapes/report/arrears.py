"""What is past due of the loans of a tape when they are boarded, by days past due.

A loan stands in the ageing bucket of its oldest installment that is owed, with all that is past due
of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from domain.calendar import local_day
from domain.debit.retry import NoRetry
from domain.kernel.change import Refusal
from domain.loan.aggregate import Rulebook
from domain.loan.boarding import BoardLoan, Past
from domain.loan.change import Aggregates
from domain.loan.decide import decide
from domain.loan.lifecycle import State
from domain.loan.openingrules import debt_history
from domain.loan.retrying import retry_decision

BUCKETS = {"0": 0, "1-30": 30, "31-60": 60, "61-90": 90, "over 90": None}
"""The most days past due of each; 0 is for loans of which nothing fell due before today."""
NOT_DEBITABLE_KEPT = 100


@dataclass(slots=True)
class Bucket:
    """Loans of one currency and age; minor units.

    Attributes:
        installments, minor: of them what has fallen due and is owed, that of today included.
        asked, asked_minor: of these what the tape asks to be debited (`past` is `owed`).
        not_debitable, not_debitable_minor: of these what cannot be debited, as the plan of attempts
            is over.
    """

    currency: str
    days: str
    loans: int = 0
    installments: int = 0
    minor: int = 0
    asked: int = 0
    asked_minor: int = 0
    not_debitable: int = 0
    not_debitable_minor: int = 0


@dataclass(frozen=True, slots=True)
class NotDebitable:
    """An installment that the tape asks to be debited, and why it will not be."""

    loan_id: str
    number: int
    rule: str
    reason: str


class _Owed(NamedTuple):
    days: int
    minor: int


class Arrears:
    """Adds up what is past due of loans in progress, and of others that bring something past."""

    def __init__(self, rules: Rulebook, at: datetime) -> None:
        self._rules, self._at = rules, at
        self._found: dict[str, dict[str, Bucket]] = {}
        self.not_debitable: list[NotDebitable] = []
        """The first of those that cannot be debited."""

    def add(self, command: BoardLoan) -> None:
        """Count one loan."""
        today = local_day(self._at, command.product.timezone)
        owed = _owed(command, today)
        if command.opening is None and not owed:
            return
        bucket = self._bucket(command.currency, max((it.days for it in owed.values()), default=0))
        bucket.loans += 1
        bucket.installments += len(owed)
        bucket.minor += sum(it.minor for it in owed.values())
        if command.past is not Past.OWED:
            return
        bucket.asked += len(owed)
        bucket.asked_minor += sum(it.minor for it in owed.values())
        for item in self._not_debitable(command, owed):
            bucket.not_debitable += 1
            bucket.not_debitable_minor += owed[item.number].minor
            if len(self.not_debitable) < NOT_DEBITABLE_KEPT:
                self.not_debitable.append(item)

    @property
    def buckets(self) -> tuple[Bucket, ...]:
        """All buckets of each currency that has such loans, in order."""
        names = sorted(self._found)
        return tuple(bucket for name in names for bucket in self._found[name].values())

    def _bucket(self, currency: str, days: int) -> Bucket:
        if currency not in self._found:
            self._found[currency] = {name: Bucket(currency, name) for name in BUCKETS}
        names = (name for name, most in BUCKETS.items() if most is None or days <= most)
        return self._found[currency][next(names)]

    def _not_debitable(
        self, command: BoardLoan, owed: Mapping[int, _Owed]
    ) -> Iterator[NotDebitable]:
        """What the books would leave to a person, of a loan that brings attempts."""
        if command.opening is None or not command.opening.attempts:
            return
        change = decide(Aggregates(self._at, self._rules), command)
        if isinstance(change, Refusal):
            return
        loan = change.loans[command.loan_id]
        for item in (item for item in loan.installments if item.number in owed):
            why = retry_decision(loan, item, self._rules, self._at)
            if item.state is State.DELINQUENT and isinstance(why, NoRetry):
                yield NotDebitable(loan.id, item.number, why.rule, why.reason)


def _owed(command: BoardLoan, today: date) -> dict[int, _Owed]:
    """What has fallen due and is owed of each installment."""
    opening = command.opening
    if opening is None:
        past = () if command.past is Past.IGNORE else command.schedule
        left = {line: line.total for line in past}
    else:
        owed = debt_history(command, opening).owed()
        left = {line: amounts.total for line, amounts in owed}
    return {
        line.number: _Owed((today - line.due_on).days, minor)
        for line, minor in left.items()
        if line.due_on <= today
    }
