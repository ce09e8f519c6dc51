"""May a machine present a debit again, and when: decided from history alone, strictest rule wins.

Rail, mandate, product and the limits of schemes and regulators each say how often, how long and how
soon. A refusal carries the id of the rule that refused, so that it can be counted and contested.
"""

import calendar as months
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from domain.calendar import BankingCalendar, local_day, local_instant
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.codes import RetryLimit
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.debit.presentment import earliest_slot, order_day, unconfirmed, value_day
from domain.debit.rail import RailProfile
from domain.errors import InvalidInput, InvariantBroken

MACHINE_RETRIES = frozenset({OutcomeClass.NSF, OutcomeClass.LIMIT, OutcomeClass.DECLINED})
"""Classes of a refusal after which a machine may present again; TECH only once disproven."""
HARD = frozenset(
    {
        OutcomeClass.ACCOUNT,
        OutcomeClass.MANDATE,
        OutcomeClass.PAYER_STOP,
        OutcomeClass.DISPUTE,
        OutcomeClass.DECEASED,
        OutcomeClass.RISK_REJECT,
        OutcomeClass.DATA_ERROR,
        OutcomeClass.LATE_RETURN,
    }
)
"""Classes that no machine presents again, however the attempt ended."""
NEVER_PRESENTED = frozenset({AttemptState.NOT_EXECUTED, AttemptState.RECALLED})
"""Proven not executed: no presentment in the sense of any scheme limit."""
FAILED = frozenset({AttemptState.DECLINED, AttemptState.RETURNED})
NEVER_PRESENTED_MAX = 10
"""How many attempts of one installment may come to nothing before a person has to look."""
DECLINED_MAX = 1
"""A refusal without a reason is tried once more at most, whatever a product says."""
_STEPS_MOST = 200
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How a product tries again; the rail, the mandate and the law may be stricter.

    Attributes:
        attempts_max: presentments of one installment in all, the first included.
        wait_banking_days: wait after the 1st, 2nd ... failure; the last one repeats.
        paydays: days of the month on which the payer is paid; 31 means the month's last day.
        payday_reach_days: the wait is stretched to a payday that lies so many days away or less.
        at: time of day of a retry, in the time zone of the product.
        stop_after_days: calendar days from the due date after which no retry is value-dated.
        declined_retries: retries after a refusal without a reason (at most `DECLINED_MAX` count).
    """

    attempts_max: int
    wait_banking_days: tuple[int, ...]
    paydays: tuple[int, ...]
    payday_reach_days: int
    at: time
    stop_after_days: int
    declined_retries: int = 1

    def __post_init__(self) -> None:
        if self.attempts_max < 1:
            raise InvalidInput("retry.attempts_max", self.attempts_max, "at least 1")
        if not self.wait_banking_days or min(self.wait_banking_days) < 0:
            raise InvalidInput(
                "retry.wait_banking_days", self.wait_banking_days, "one wait or more, none below 0"
            )
        if any(not 1 <= day <= 31 for day in self.paydays):
            raise InvalidInput("retry.paydays", self.paydays, "days of a month, 1 to 31")
        for name in ("payday_reach_days", "stop_after_days", "declined_retries"):
            if getattr(self, name) < 0:
                raise InvalidInput(f"retry.{name}", getattr(self, name), "0 or more")


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Present again, not before this UTC instant, for the day `value_on`."""

    not_before: datetime
    reason: str
    value_on: date
    kind: Literal["retry_at"] = "retry_at"


@dataclass(frozen=True, slots=True)
class NoRetry:
    """A machine presents no more. `rule` is a stable id, `reason` says it in words."""

    rule: str
    reason: str
    kind: Literal["no_retry"] = "no_retry"


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a decision looks at; `presented` are the attempts that count as presentments."""

    attempts: tuple[Attempt, ...]
    elsewhere: tuple[Attempt, ...]
    due_on: date
    plan: RetryPlan
    rail: RailProfile
    mandate: Mandate
    limits: tuple[RetryLimit, ...]
    calendar: BankingCalendar
    timezone: str

    @property
    def last(self) -> Attempt:
        return max(self.attempts, key=lambda attempt: attempt.number)

    @property
    def presented(self) -> tuple[Attempt, ...]:
        return tuple(a for a in self.attempts if a.state not in NEVER_PRESENTED)

    @property
    def ended_at(self) -> datetime:
        ended = self.last.ended_at
        if ended is None:
            raise InvariantBroken(f"attempt {self.last.order_no} ended without an instant")
        return ended

    @property
    def covering(self) -> tuple[RetryLimit, ...]:
        return tuple(limit for limit in self.limits if limit.covers(self.last.code))


def next_attempt(
    attempts: tuple[Attempt, ...],
    due_on: date,
    plan: RetryPlan,
    rail: RailProfile,
    mandate: Mandate,
    calendar: BankingCalendar,
    timezone: str,
    *,
    limits: tuple[RetryLimit, ...] = (),
    elsewhere: tuple[Attempt, ...] = (),
) -> RetryAt | NoRetry:
    """When the machine may present an installment again, or the rule that says no.

    Args:
        attempts: every attempt of the installment, in any order.
        timezone: of the product: its days and `plan.at` are read in it.
        limits: rules of the rail's scheme and of regulators that apply to this loan.
        elsewhere: attempts on other loans of the payer, for limits that count across loans.
    """
    if not attempts:
        return NoRetry("history.empty", "nothing was presented yet, so nothing is tried again")
    if any(attempt.is_live for attempt in attempts):
        return NoRetry("attempt.live", "an earlier order still owes a verdict")
    case = _Case(
        attempts, elsewhere, due_on, plan, rail, mandate, limits, calendar, timezone
    )
    refused = _mandate_ended(case) or _by_class(case) or _by_count(case) or _in_a_row(case)
    if refused is not None:
        return refused
    slot = _slot(case)
    if isinstance(slot, NoRetry):
        return slot
    value_on = value_day(rail, calendar, local_day(slot, rail.timezone))
    return _too_late(case, value_on) or RetryAt(slot, _why(case, value_on), value_on)


def _mandate_ended(case: _Case) -> NoRetry | None:
    ended_on = case.mandate.ended_on
    if ended_on is None or ended_on > local_day(case.ended_at, case.timezone):
        return None
    return NoRetry("mandate.ended", f"the mandate ended on {ended_on}")


def _by_class(case: _Case) -> NoRetry | None:
    last = case.last
    if last.klass in HARD:
        return NoRetry(f"class.{last.klass}", f"{last.klass} ({last.code}) is never tried again")
    if last.state in NEVER_PRESENTED:
        return None
    if last.klass not in MACHINE_RETRIES or last.state not in FAILED:
        klass = last.klass or "NONE"
        return NoRetry(f"class.{klass}", f"{klass} ({last.code}) in state {last.state}")
    declined = sum(
        1
        for a in case.presented
        if a.klass is OutcomeClass.DECLINED and a.state is AttemptState.DECLINED
    )
    if last.klass is OutcomeClass.DECLINED and declined > case.plan.declined_retries:
        return NoRetry(
            "product.declined_retries",
            f"refused {declined} times without a reason; {case.plan.declined_retries} again allowed",
        )
    if last.klass is OutcomeClass.DECLINED and declined > DECLINED_MAX:
        return NoRetry("class.DECLINED", f"refused {declined} times without a reason")
    return None


def _by_count(case: _Case) -> NoRetry | None:
    unpresented = len(case.attempts) - len(case.presented)
    if unpresented >= NEVER_PRESENTED_MAX:
        return NoRetry(
            "attempt.not_executed_max", f"{unpresented} attempts came to nothing; a person looks"
        )
    for limit in case.covering:
        if limit.only_codes and case.last.code not in limit.only_codes:
            if case.last.state in NEVER_PRESENTED:
                continue
            return NoRetry(
                limit.id, f"code {case.last.code} is not among {', '.join(limit.only_codes)}"
            )
    rule, most = _strictest_count(case)
    if len(case.presented) >= most:
        return NoRetry(rule, f"presented {len(case.presented)} times; {rule} allows {most}")
    return None


def _strictest_count(case: _Case) -> tuple[str, int]:
    """The rule that allows the fewest presentments; of equals, law before rail before product."""
    counts = [
        (limit.id, limit.presentations_max)
        for limit in case.covering
        if limit.presentations_max is not None
    ]
    counts.append(("rail.attempts_max", case.rail.attempts_max))
    if case.mandate.attempts_max is not None:
        counts.append(("mandate.attempts_max", case.mandate.attempts_max))
    counts.append(("product.attempts_max", case.plan.attempts_max))
    return min(counts, key=lambda item: item[1])


def _in_a_row(case: _Case) -> NoRetry | None:
    """Limits on consecutive failures, where a regulator wants new authority after them."""
    for limit in case.covering:
        if limit.failures_in_a_row is None:
            continue
        history = case.presented
        if limit.across_loans:
            history += tuple(a for a in case.elsewhere if a.state not in NEVER_PRESENTED)
        failures = _trailing_failures(history)
        if failures >= limit.failures_in_a_row:
            scope = "over the payer's loans" if limit.across_loans else "on this installment"
            return NoRetry(
                limit.id,
                f"{failures} failures in a row {scope}; new authority after "
                f"{limit.failures_in_a_row}",
            )
    return None


def _trailing_failures(history: Sequence[Attempt]) -> int:
    ended = [a for a in history if not a.is_live]
    ended.sort(key=lambda a: (a.ended_at or a.intended_at, a.number))
    count = 0
    for attempt in reversed(ended):
        if attempt.state not in FAILED:
            break
        count += 1
    return count


def _slot(case: _Case) -> datetime | NoRetry:
    """The first instant that waits long enough and keeps every limit per day or span."""
    at = _wished(case)
    for limit in case.covering:
        at = max(at, case.ended_at + timedelta(hours=limit.wait_hours))
    rule = "rail.attempts_per_day"
    for _ in range(_STEPS_MOST):
        slot = earliest_slot(at, case.rail, case.calendar)
        pushed = _pushed(case, slot)
        if pushed is None:
            return slot
        at, rule = pushed
    return NoRetry(rule, f"{rule} leaves no slot")


def _wished(case: _Case) -> datetime:
    """When the product would try again, if only its waits and paydays counted."""
    if case.last.state in NEVER_PRESENTED:
        return case.ended_at
    ended_on = local_day(case.ended_at, case.timezone)
    target = _target_day(case, ended_on)
    sent_on = target
    if case.rail.lead_banking_days > 0:
        sent_on = case.calendar.add_banking_days(target, -case.rail.lead_banking_days)
    return max(local_instant(sent_on, case.plan.at, case.timezone), case.ended_at)


def _target_day(case: _Case, ended_on: date) -> date:
    """The value day the product waits for: its banking days, stretched to a payday in reach."""
    waits = case.plan.wait_banking_days
    failures = sum(1 for a in case.presented if a.state in FAILED)
    wait = waits[min(max(failures, 1), len(waits)) - 1]
    # A wait of nothing is the same day; the calendar would move it off a weekend.
    day = ended_on if wait == 0 else case.calendar.add_banking_days(ended_on, wait)
    paydays = (
        payday
        for offset in range(case.plan.payday_reach_days + 1)
        if _is_payday(payday := day + offset * _ONE_DAY, case.plan.paydays)
    )
    return order_day(case.rail, case.calendar, next(paydays, day))


def _is_payday(day: date, paydays: tuple[int, ...]) -> bool:
    last_day = months.monthrange(day.year, day.month)[1]
    return any(min(payday, last_day) == day.day for payday in paydays)


def _pushed(case: _Case, slot: datetime) -> tuple[datetime, str] | None:
    """A later instant to look at, and the rule that wants it, where a limit per span is used up."""
    today = local_day(slot, case.rail.timezone)
    same_day = [a for a in case.presented if local_day(a.intended_at, case.rail.timezone) == today]
    if len(same_day) >= case.rail.attempts_per_day:
        tomorrow = local_instant(today + _ONE_DAY, time.min, case.rail.timezone)
        planned = local_instant(today + _ONE_DAY, case.plan.at, case.timezone)
        return max(tomorrow, planned), "rail.attempts_per_day"
    for limit in case.covering:
        if limit.rolling_max is None:
            continue
        span = timedelta(hours=limit.rolling_hours)
        recent = sorted(a.intended_at for a in case.presented if a.intended_at > slot - span)
        if len(recent) >= limit.rolling_max:
            return recent[len(recent) - limit.rolling_max] + span, limit.id
    return None


def _too_late(case: _Case, value_on: date) -> NoRetry | None:
    """The rule whose last day comes first, when the next value day lies beyond it."""
    last_days = [("product.stop_after_days", case.due_on + case.plan.stop_after_days * _ONE_DAY)]
    if case.presented:
        first = min(local_day(a.intended_at, case.rail.timezone) for a in case.presented)
        last_days.append(("rail.retry_within_days", first + case.rail.retry_within_days * _ONE_DAY))
        last_days.extend(
            (limit.id, first + limit.within_days * _ONE_DAY)
            for limit in case.covering
            if limit.within_days is not None
        )
    if case.mandate.valid_to is not None:
        last_days.append(("mandate.term", case.mandate.valid_to))
    if case.mandate.ended_on is not None:
        last_days.append(("mandate.ended", case.mandate.ended_on - _ONE_DAY))
    rule, last_day = min(last_days, key=lambda item: item[1])
    if value_on > last_day:
        return NoRetry(rule, f"the next value day {value_on} lies after {last_day} ({rule})")
    if value_on < case.mandate.valid_from:
        return NoRetry("mandate.term", f"the mandate begins on {case.mandate.valid_from}")
    return None


def _why(case: _Case, value_on: date) -> str:
    last = case.last
    rule, most = _strictest_count(case)
    if last.state in NEVER_PRESENTED:
        said = [f"{last.state}: proven not executed"]
    else:
        said = [f"{last.klass} ({last.code})"]
    said.append(f"presented {len(case.presented)} of {most} ({rule})")
    said.append(f"value {value_on}")
    said.extend(unconfirmed(case.calendar, value_on))
    return "; ".join(said)
