"""Finds when the next attempt may go out: waits, paydays, windows, limits per day and per span."""

import calendar as months
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from domain.calendar import ONE_DAY, local_day, local_instant
from domain.debit.history import FAILED, NEVER_PRESENTED, History
from domain.debit.plan import NoRetry
from domain.debit.presentment import earliest_slot, order_day

_STEPS_MOST = 200


def next_slot(history: History) -> datetime | NoRetry:
    """The first UTC instant that waits long enough and keeps every limit per day or span."""
    at = _wished(history)
    for limit in history.covering:
        at = max(at, history.ended_at + timedelta(hours=limit.wait_hours))
    rule = "rail.attempts_per_day"
    for _ in range(_STEPS_MOST):
        slot = earliest_slot(at, history.rail, history.calendar)
        pushed = _pushed(history, slot)
        if pushed is None:
            return slot
        at, rule = pushed
    return NoRetry(rule, f"{rule} leaves no slot")


def last_value_day(history: History) -> tuple[str, date]:
    """The rule whose last value day comes first, and that day."""
    plan, mandate = history.plan, history.mandate
    last_days = [("product.stop_after_days", history.due_on + plan.stop_after_days * ONE_DAY)]
    if (first := history.first_day) is not None:
        within = history.rail.retry_within_days
        last_days.append(("rail.retry_within_days", first + within * ONE_DAY))
        last_days.extend(
            (limit.id, first + limit.within_days * ONE_DAY)
            for limit in history.covering
            if limit.within_days is not None
        )
    if mandate.valid_to is not None:
        last_days.append(("mandate.term", mandate.valid_to))
    if mandate.ended_on is not None:
        last_days.append(("mandate.ended", mandate.ended_on - ONE_DAY))
    return min(last_days, key=lambda item: item[1])


def _wished(history: History) -> datetime:
    """When the product would try again, if only its waits and paydays counted."""
    if history.last.state in NEVER_PRESENTED:
        return history.ended_at
    sent_on = _target_day(history)
    if history.rail.lead_banking_days > 0:
        sent_on = history.calendar.add_banking_days(sent_on, -history.rail.lead_banking_days)
    return max(local_instant(sent_on, history.plan.at, history.timezone), history.ended_at)


def _target_day(history: History) -> date:
    """The value day the product waits for: its banking days, stretched to a payday in reach."""
    waits = history.plan.wait_banking_days
    failures = sum(1 for a in history.presented if a.state in FAILED)
    wait = waits[min(max(failures, 1), len(waits)) - 1]
    ended_on = local_day(history.ended_at, history.timezone)
    # A wait of nothing is the same day; the calendar would move it off a weekend.
    day = ended_on if wait == 0 else history.calendar.add_banking_days(ended_on, wait)
    return order_day(history.rail, history.calendar, next(_paydays(history, day), day))


def _paydays(history: History, day: date) -> Iterator[date]:
    """Paydays from `day` on, as far as the product reaches."""
    for offset in range(history.plan.payday_reach_days + 1):
        payday = day + offset * ONE_DAY
        last_day = months.monthrange(payday.year, payday.month)[1]
        if any(min(wanted, last_day) == payday.day for wanted in history.plan.paydays):
            yield payday


def _pushed(history: History, slot: datetime) -> tuple[datetime, str] | None:
    """A later instant to look at, and the rule that wants it, where a limit is used up."""
    zone, plan = history.rail.timezone, history.plan
    today = local_day(slot, zone)
    same_day = [a for a in history.presented if local_day(a.intended_at, zone) == today]
    if len(same_day) >= history.rail.attempts_per_day:
        tomorrow = local_instant(today + ONE_DAY, time.min, zone)
        planned = local_instant(today + ONE_DAY, plan.at, history.timezone)
        return max(tomorrow, planned), "rail.attempts_per_day"
    for limit in history.covering:
        if limit.rolling_max is None:
            continue
        span = timedelta(hours=limit.rolling_hours)
        recent = sorted(a.intended_at for a in history.presented if a.intended_at > slot - span)
        if len(recent) >= limit.rolling_max:
            return recent[len(recent) - limit.rolling_max] + span, limit.id
    return None
