"""When an order may be handed to a rail: earliest and latest moment, as pure functions.

A rail takes orders in windows of its own day, in its own time zone; each window leads to a value
date so many banking days later, and some rails take no order earlier than so many days before it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domain.calendar import (
    ONE_DAY,
    Adjust,
    BankingCalendar,
    DayWindow,
    local_day,
    local_instant,
)
from domain.errors import InvalidInput

MOST_DAYS = 60
"""Days looked ahead for a window; no rail is shut for longer."""


@dataclass(frozen=True, slots=True)
class SubmissionRule:
    """How one rail takes orders.

    Attributes:
        rail: its name, for messages.
        windows: hours of each day, in order, none overlapping.
        lead_banking_days: banking days from the day of submission to the value date.
        every_day: orders are taken, and valued, on days that are no banking days as well.
        earliest_days_before: most calendar days that an order may come before its value date.
    """

    rail: str
    windows: tuple[DayWindow, ...]
    lead_banking_days: int = 0
    every_day: bool = False
    earliest_days_before: int = 30

    def __post_init__(self) -> None:
        if not self.windows or len({window.timezone for window in self.windows}) != 1:
            raise InvalidInput("windows", self.rail, "at least one, all in one time zone")
        for before, after in zip(self.windows, self.windows[1:], strict=False):
            if after.opens < before.closes:
                raise InvalidInput("windows", self.rail, "in order, none overlapping")
        if self.lead_banking_days < 0 or self.earliest_days_before < 0:
            raise InvalidInput("lead", self.rail, "not negative")

    @property
    def timezone(self) -> str:
        """The rail's own time zone."""
        return self.windows[0].timezone


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment to submit, the instant before which it has to be done, and the value date."""

    at: datetime
    closes: datetime
    value_on: date
    confirmed: bool


def latest_submission(rule: SubmissionRule, calendar: BankingCalendar, value_on: date) -> datetime:
    """The UTC instant before which an order for `value_on` has to be with the rail."""
    last = rule.windows[-1]
    return local_instant(_day_of_submission(rule, calendar, value_on), last.closes, rule.timezone)


def earliest_submission(
    rule: SubmissionRule, calendar: BankingCalendar, value_on: date
) -> datetime:
    """The first UTC instant at which the rail takes an order for `value_on`."""
    latest_day = _day_of_submission(rule, calendar, value_on)
    day = value_on - timedelta(days=rule.earliest_days_before)
    if not rule.every_day:
        day = calendar.adjust(day, Adjust.FOLLOWING)
    first = rule.windows[0]
    return local_instant(min(day, latest_day), first.opens, rule.timezone)


def next_slot(rule: SubmissionRule, calendar: BankingCalendar, at: datetime) -> Slot:
    """The first window still open at `at`, and the value date that it leads to.

    Raises:
        InvalidInput: no window opens within `MOST_DAYS`.
    """
    today = local_day(at, rule.timezone)
    for day in (today + ONE_DAY * offset for offset in range(MOST_DAYS)):
        if not (rule.every_day or calendar.is_banking_day(day)):
            continue
        for window in rule.windows:
            opens = max(at.astimezone(UTC), local_instant(day, window.opens, rule.timezone))
            closes = local_instant(day, window.closes, rule.timezone)
            if opens < closes:
                value_on = _value_date(rule, calendar, day)
                sure = calendar.is_confirmed(day) and calendar.is_confirmed(value_on)
                return Slot(opens, closes, value_on, sure)
    raise InvalidInput("rail", rule.rail, f"a window within {MOST_DAYS} days of {today}")


def _value_date(rule: SubmissionRule, calendar: BankingCalendar, day: date) -> date:
    if rule.lead_banking_days == 0:
        return day
    return calendar.add_banking_days(day, rule.lead_banking_days)


def _day_of_submission(rule: SubmissionRule, calendar: BankingCalendar, value_on: date) -> date:
    if rule.lead_banking_days > 0:
        return calendar.add_banking_days(value_on, -rule.lead_banking_days)
    if not (rule.every_day or calendar.is_banking_day(value_on)):
        raise InvalidInput("value_on", value_on, f"a banking day of {calendar.name}")
    return value_on


_WHOLE_DAY = time(0), time(23, 59, 59)

WECHAT_NOTICE_DEBIT = SubmissionRule(
    "wechat-pay", (DayWindow(time(7), time(22), "Asia/Shanghai"),), every_day=True
)
"""WeChat Pay, debits after notice: 07:00 to 22:00 Beijing, every day."""

ALIPAY_PLAN_DEBIT = SubmissionRule(
    "alipay", (DayWindow(*_WHOLE_DAY, "Asia/Shanghai"),), every_day=True, earliest_days_before=5
)
"""Alipay periodic debit: from five days before the planned day to that day (2024-05-06 text)."""

SEPA_CORE = SubmissionRule(
    "sepa-core",
    (DayWindow(*_WHOLE_DAY, "Europe/Brussels"),),
    lead_banking_days=1,
    earliest_days_before=14,
)
"""SEPA direct debit Core: with the bank one TARGET day ahead; its own cut-off may be earlier."""

BACS = SubmissionRule(
    "bacs", (DayWindow(time(7), time(22, 30), "Europe/London"),), lead_banking_days=2
)
"""Bacs: input day until 22:30, processing day, entry day."""

ACH_SAME_DAY = SubmissionRule(
    "ach-same-day",
    (
        DayWindow(time(2, 15), time(10, 30), "America/New_York"),
        DayWindow(time(10, 30), time(14, 45), "America/New_York"),
        DayWindow(time(14, 45), time(16, 45), "America/New_York"),
    ),
)
"""Same-day ACH: deadlines 10:30, 14:45 and 16:45 Eastern on days of the Reserve Banks."""
