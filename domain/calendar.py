"""Banking days of one place, how a date moves when it is not one, and windows within a day.

A calendar knows its holidays only between `confirmed_from` and `confirmed_until`. Outside, weekends
still apply, and `is_confirmed` lets every result that depends on such a day say so.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import InvalidInput

ONE_DAY = timedelta(days=1)
LONGEST_CLOSURE_DAYS = 60
"""No calendar closes its banks for longer: a search that takes longer found a fault in its data."""
MOST_BANKING_DAYS = 10_000
"""Largest step of `add_banking_days`: about forty years."""


class Adjust(StrEnum):
    """What becomes of a date that is not a banking day (ISDA 2006 section 4.12)."""

    NONE = "none"
    """It stays."""
    FOLLOWING = "following"
    """The next banking day."""
    MODIFIED_FOLLOWING = "modified-following"
    """The next one, unless that lies in another month: then the one before."""
    PRECEDING = "preceding"
    """The banking day before."""


@dataclass(frozen=True, slots=True)
class BankingCalendar:
    """Days on which banks of one place work.

    `extra_working_days` take precedence over weekends and holidays (make-up working days of China);
    `weekend` holds `date.weekday()` numbers, Monday 0 to Sunday 6.
    """

    name: str
    holidays: frozenset[date]
    extra_working_days: frozenset[date]
    confirmed_from: date
    confirmed_until: date
    weekend: frozenset[int] = frozenset({5, 6})

    def is_banking_day(self, day: date) -> bool:
        """Whether banks work on `day`; a guess (weekends only) where it is not confirmed."""
        if day in self.extra_working_days:
            return True
        return day.weekday() not in self.weekend and day not in self.holidays

    def is_confirmed(self, day: date) -> bool:
        """Whether the calendar's source covers `day`."""
        return self.confirmed_from <= day <= self.confirmed_until

    def adjust(self, day: date, how: Adjust) -> date:
        """Move `day` to a banking day by the rule named.

        Raises:
            InvalidInput: no banking day within `LONGEST_CLOSURE_DAYS`.
        """
        match how:
            case Adjust.NONE:
                return day
            case Adjust.FOLLOWING:
                return self._nearest(day, ONE_DAY)
            case Adjust.PRECEDING:
                return self._nearest(day, -ONE_DAY)
            case Adjust.MODIFIED_FOLLOWING:
                moved = self._nearest(day, ONE_DAY)
                return moved if moved.month == day.month else self._nearest(day, -ONE_DAY)
            case _:
                assert_never(how)

    def add_banking_days(self, day: date, n: int) -> date:
        """The n-th banking day after `day` (before it if n < 0); n = 0 moves to the following one.

        `day` itself is never counted: one banking day after a Saturday is Monday.
        """
        if abs(n) > MOST_BANKING_DAYS:
            raise InvalidInput("banking days", n, f"at most {MOST_BANKING_DAYS} either way")
        step = ONE_DAY if n >= 0 else -ONE_DAY
        moved = self._nearest(day, ONE_DAY) if n == 0 else day
        for _ in range(abs(n)):
            moved = self._nearest(moved + step, step)
        return moved

    def _nearest(self, day: date, step: timedelta) -> date:
        moved = day
        for _ in range(LONGEST_CLOSURE_DAYS):
            if self.is_banking_day(moved):
                return moved
            moved += step
        raise InvalidInput(
            "calendar", self.name, f"a banking day within {LONGEST_CLOSURE_DAYS} days of {day}"
        )


@dataclass(frozen=True, slots=True)
class DayWindow:
    """Hours of one place within which something may be done: from `opens`, before `closes`."""

    opens: time
    closes: time
    timezone: str

    def __post_init__(self) -> None:
        if self.opens >= self.closes:
            raise InvalidInput("window", f"{self.opens}-{self.closes}", "opens before it closes")


def local_instant(day: date, at: time, timezone: str) -> datetime:
    """The UTC instant at which clocks of `timezone` show `day` and `at`.

    A time shown twice (clocks go back) is its first showing, so that a cut-off is never read too
    late; a time never shown (clocks go forward) is the instant of the change.
    """
    zone = _zone(timezone)
    shown = datetime.combine(day, at, tzinfo=zone)
    first = shown.replace(fold=0).astimezone(UTC)
    second = shown.replace(fold=1).astimezone(UTC)
    return first if first <= second else _change_between(second, first, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant, to the second, at which the offset of `zone` changes after `before`."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):  # ends: the span is halved each time
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def latest_in_window(day: date, window: DayWindow) -> datetime:
    """The UTC instant before which something has to be done on `day` (local to the window)."""
    return local_instant(day, window.closes, window.timezone)


def earliest_in_window(at: datetime, window: DayWindow) -> datetime:
    """The first UTC instant not before `at` that lies inside the window.

    Raises:
        InvalidInput: `at` carries no time zone, or the window's zone does not exist.
    """
    if at.tzinfo is None:
        raise InvalidInput("instant", at, "a date-time with its time zone")
    instant = at.astimezone(UTC)
    day = local_day(instant, window.timezone)
    while True:  # ends by the third day: clocks never skip the whole window two days running
        found = max(instant, local_instant(day, window.opens, window.timezone))
        if found < latest_in_window(day, window):
            return found
        day += ONE_DAY


def local_day(at: datetime, timezone: str) -> date:
    """The date that a wall calendar in `timezone` shows at the instant `at`."""
    return at.astimezone(_zone(timezone)).date()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("timezone", name, "a name of the IANA time zone database") from None
