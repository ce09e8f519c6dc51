"""What has happened to one installment's debits, as the retry rules count it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from domain.calendar import BankingCalendar, local_day
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.codes import RetryLimit
from domain.debit.mandate import Mandate
from domain.debit.plan import RetryPlan
from domain.debit.rail import RailProfile
from domain.errors import InvariantBroken

NEVER_PRESENTED = frozenset({AttemptState.NOT_EXECUTED, AttemptState.RECALLED})
"""States of attempts proven not executed: no limit counts them as presentments."""
FAILED = frozenset({AttemptState.DECLINED, AttemptState.RETURNED})


@dataclass(frozen=True, slots=True)
class History:
    """All that a decision about the next attempt looks at.

    Attributes:
        attempts: every attempt of the installment, in any order.
        due_on: the installment's due date.
        plan: how the product tries again.
        rail: the rail's own limits, window and lead.
        mandate: the payer's authority, its term and its limit on attempts.
        calendar: banking days of the rail.
        timezone: of the product: its days and `plan.at` are read in it.
        limits: rules of the rail's scheme and of regulators that apply to this loan.
        elsewhere: attempts on other loans of the payer, for limits that count across loans.
    """

    attempts: tuple[Attempt, ...]
    due_on: date
    plan: RetryPlan
    rail: RailProfile
    mandate: Mandate
    calendar: BankingCalendar
    timezone: str
    limits: tuple[RetryLimit, ...] = ()
    elsewhere: tuple[Attempt, ...] = ()

    @property
    def last(self) -> Attempt:
        """The attempt with the highest number."""
        return max(self.attempts, key=lambda attempt: attempt.number)

    @property
    def presented(self) -> tuple[Attempt, ...]:
        """The attempts that count as presentments."""
        return tuple(a for a in self.attempts if a.state not in NEVER_PRESENTED)

    @property
    def judged(self) -> Attempt:
        """The attempt whose reason counts: the last that was presented, else the last."""
        return max(self.presented, key=lambda attempt: attempt.number, default=self.last)

    @property
    def ended_at(self) -> datetime:
        """When the last attempt ended, or was taken back."""
        ended = self.last.last_news_at
        if ended is None:
            raise InvariantBroken(f"attempt {self.last.order_no} ended without an instant")
        return ended

    @property
    def covering(self) -> tuple[RetryLimit, ...]:
        """The limits that are about the reason that counts."""
        return tuple(limit for limit in self.limits if limit.covers(self.judged.code))

    @property
    def first_day(self) -> date | None:
        """The day of the first presentment in the rail's time zone; None before the first."""
        days = [local_day(a.intended_at, self.rail.timezone) for a in self.presented]
        return min(days, default=None)

    def strictest_count(self) -> tuple[str, int]:
        """The rule that allows the fewest presentments; law before rail, mandate, product if equal.

        Returns:
            The rule's id and how many presentments it allows in all.
        """
        counts = [
            (limit.id, limit.presentations_max)
            for limit in self.covering
            if limit.presentations_max is not None
        ]
        counts.append(("rail.attempts_max", self.rail.attempts_max))
        if self.mandate.attempts_max is not None:
            counts.append(("mandate.attempts_max", self.mandate.attempts_max))
        counts.append(("product.attempts_max", self.plan.attempts_max))
        return min(counts, key=lambda item: item[1])

    def failures_in_a_row(self, *, across_loans: bool) -> int:
        """Presentments that failed since the last success: of this loan, or of all the payer's."""
        history = self.presented
        if across_loans:
            history += tuple(a for a in self.elsewhere if a.state not in NEVER_PRESENTED)
        return _trailing_failures([a for a in history if not a.is_live])


def _trailing_failures(ended: Sequence[Attempt]) -> int:
    count = 0
    for attempt in sorted(ended, key=lambda a: (a.last_news_at or a.intended_at, a.number)):
        count = count + 1 if attempt.state in FAILED else 0
    return count
