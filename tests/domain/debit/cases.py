"""Builders for attempts and rules around one Monday, 2 March 2026, in Shanghai."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from domain.calendar import BankingCalendar, local_instant
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.history import History
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.debit.rail import RailProfile
from domain.debit.retry import NoRetry, RetryAt, RetryPlan, next_attempt

SHANGHAI = "Asia/Shanghai"
DUE = date(2026, 3, 2)
# A closure like those of October: a week off, and a Saturday that is worked for it.
CALENDAR = BankingCalendar(
    name="CN",
    holidays=frozenset(date(2026, 5, day) for day in range(1, 6)),
    extra_working_days=frozenset({date(2026, 5, 9)}),
    confirmed_from=date(2026, 1, 1),
    confirmed_until=date(2026, 12, 31),
)
PLAN = RetryPlan(
    attempts_max=4,
    wait_banking_days=(1, 3, 5),
    paydays=(),
    payday_reach_days=0,
    at=time(9),
    stop_after_days=30,
)
RAIL = RailProfile(
    name="bank", timezone=SHANGHAI, calendar="CN", opens=time(7), closes=time(22), cut_off=time(21)
)
MANDATE = Mandate(
    ref="M", rail="bank", merchant_id="M-1", account_token="tok", valid_from=date(2020, 1, 1)
)


def at(day: date, hour: int, minute: int = 0, zone: str = SHANGHAI) -> datetime:
    """An instant by the wall clock of the rail."""
    return local_instant(day, time(hour, minute), zone)


def attempt(
    number: int = 1,
    outcome_class: OutcomeClass | None = OutcomeClass.NSF,
    on: date = DUE,
    **changes: Any,
) -> Attempt:
    """An attempt sent at nine and declined half an hour later."""
    fields: dict[str, Any] = {
        "number": number,
        "order_no": f"O-{number}",
        "merchant_id": "M-1",
        "mandate_ref": "M",
        "rail": "bank",
        "amount_minor": 10_000,
        "value_on": on,
        "intended_at": at(on, 9),
        "send_until": at(on, 9, 1),
        "state": AttemptState.DECLINED,
        "outcome_class": outcome_class,
        "code": "64",
        "ended_at": at(on, 9, 30),
    }
    return Attempt(**(fields | changes))


def decide(*attempts: Attempt, **changes: Any) -> RetryAt | NoRetry:
    """The decision on these attempts under the ordinary rules, with changes by name."""
    rules: dict[str, Any] = {
        "due_on": DUE,
        "plan": PLAN,
        "rail": RAIL,
        "mandate": MANDATE,
        "calendar": CALENDAR,
        "timezone": SHANGHAI,
    }
    return next_attempt(History(attempts, **(rules | changes)))


def rule(*attempts: Attempt, **changes: Any) -> str:
    """The id of the rule that refuses; fails when the attempt is allowed."""
    decision = decide(*attempts, **changes)
    assert isinstance(decision, NoRetry), decision
    assert decision.reason
    return decision.rule


def slot(*attempts: Attempt, **changes: Any) -> datetime:
    """The instant of the next attempt; fails when it is refused."""
    decision = decide(*attempts, **changes)
    assert isinstance(decision, RetryAt), decision
    assert decision.not_before.utcoffset() == timedelta()
    assert decision.not_before.tzinfo is UTC
    return decision.not_before
