"""The instants at which virtual time begins in tests: one by default, any other by `--base NAME`.

They are fixed, so that the day of the run decides nothing. A sandbox can begin only after the wall
(servers' clocks never go back), so all of them lie far ahead, beyond every confirmed calendar; days
off of the two long holidays of China that tests need there are added to the calendar here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from adapters.calendars import CALENDARS, load_calendar
from domain.calendar import BankingCalendar

ORDINARY = "ordinary"
BASES: Mapping[str, datetime] = {
    # A Wednesday in the middle of a month, ten in the morning in Shanghai.
    ORDINARY: datetime(2061, 5, 11, 2, tzinfo=UTC),
    "month-end": datetime(2061, 8, 31, 2, tzinfo=UTC),
    "february-28": datetime(2061, 2, 28, 2, tzinfo=UTC),
    "weekend": datetime(2061, 7, 9, 5, tzinfo=UTC),
    "year-end": datetime(2061, 12, 31, 15, 30, tzinfo=UTC),
    # Two hours before New York's clocks go forward; those of Europe follow within the run.
    "clocks-forward": datetime(2061, 3, 13, 5, tzinfo=UTC),
    # Two hours before Europe's clocks go back; those of New York follow within the run.
    "clocks-back": datetime(2061, 10, 29, 23, tzinfo=UTC),
    # The first installment of `whole.loans(1)` falls due 22 days later: on a day off.
    "golden-week": datetime(2061, 9, 9, 2, tzinfo=UTC),
    "spring-festival": datetime(2062, 1, 18, 2, tzinfo=UTC),
    # 29 February in London, 1 March in Shanghai; no calendar of ours says anything about it.
    "unknown-calendar": datetime(2084, 2, 29, 17, tzinfo=UTC),
}
GOLDEN_WEEK = (date(2061, 10, 1), date(2061, 10, 7))
SPRING_FESTIVAL = (date(2062, 2, 8), date(2062, 2, 14))
MAKE_UP_DAYS = (date(2061, 9, 24), date(2061, 10, 8), date(2062, 2, 4), date(2062, 2, 18))
"""Saturdays around them on which banks work."""
_ONE_DAY = timedelta(days=1)
_chosen: list[str] = [ORDINARY]


def choose(name: str) -> None:
    """Begin virtual time at the base of this name from now on, in this process."""
    if name not in BASES:
        raise ValueError(f"--base {name}: one of {', '.join(BASES)}")
    _chosen[0] = name


def chosen() -> str:
    """Name of the base of this run."""
    return _chosen[0]


def base() -> datetime:
    """The instant at which virtual time begins."""
    return BASES[chosen()]


def base_day() -> date:
    """Its day, UTC."""
    return base().date()


def ahead() -> timedelta:
    """How far the base is ahead of the wall now."""
    return base() - datetime.now(UTC)


def close_long_holidays() -> None:
    """Add the long holidays around the bases to the calendar CN, in this process."""
    gazetted = CALENDARS["CN"]

    def with_holidays() -> BankingCalendar:
        calendar = gazetted()
        off = {day for span in (GOLDEN_WEEK, SPRING_FESTIVAL) for day in _days(*span)}
        return replace(
            calendar,
            holidays=calendar.holidays | off,
            extra_working_days=calendar.extra_working_days | set(MAKE_UP_DAYS),
        )

    assert isinstance(CALENDARS, dict)
    CALENDARS["CN"] = with_holidays
    load_calendar.cache_clear()


def _days(first: date, last: date) -> list[date]:
    return [first + _ONE_DAY * count for count in range((last - first).days + 1)]
