"""Day counts: which fraction of a year lies between two dates, exactly.

Sources: ISDA 2006 Definitions section 4.16; ICMA Rule 251; 30/360 US with its February rule
(Standard Securities Calculation Methods, 1993).
"""

from calendar import isleap, monthrange
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import assert_never

from domain.errors import InvalidInput


class DayCount(StrEnum):
    """How days become a fraction of a year."""

    MONTHS = "months"
    """Unit periods: a month is 1/12, a half-month 1/24, a week 1/52; odd days are 1/360 each."""
    THIRTY_360 = "30/360"
    """US: 31 counts as 30, the last of February as 30 when the period starts on it."""
    THIRTY_E_360 = "30E/360"
    """European: every 31 counts as 30, February as it is."""
    ACT_365F = "ACT/365F"
    """Actual days over 365, leap years too."""
    ACT_360 = "ACT/360"
    """Actual days over 360; the Chinese "annual / 360" daily rate."""
    ACT_ACT = "ACT/ACT"
    """ISDA: days in leap years over 366, the others over 365."""
    ACT_ACT_ICMA = "ACT/ACT-ICMA"
    """ICMA: a regular period is 1/n of a year, odd days are parts of the regular period."""


def add_months(day: date, months: int, anchor: int | None = None) -> date:
    """The same day of another month, or its last day; `anchor` is the day wanted (1 to 31)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not date.min.year <= year <= date.max.year:
        raise InvalidInput("date", f"{day} + {months} months", "a year from 1 to 9999")
    return date(year, month, min(anchor or day.day, monthrange(year, month)[1]))


def whole_months(start: date, end: date) -> tuple[int, int]:
    """Whole months and odd days from `start` to `end`, counted back from `end`.

    A month that ends on a shorter month's last day is whole: 31 January to 28 February.
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if add_months(start, months) == end:
        return months, 0
    if add_months(end, -months) < start:
        months -= 1
    return months, (add_months(end, -months) - start).days


def days_between(start: date, end: date, count: DayCount) -> int:
    """Days from `start` to `end` as the day count counts them; actual ones where it has no own."""
    match count:
        case DayCount.THIRTY_360:
            return _thirty_us(start, end)
        case DayCount.THIRTY_E_360:
            return _thirty(start, end, min(start.day, 30), min(end.day, 30))
        case (
            DayCount.MONTHS
            | DayCount.ACT_365F
            | DayCount.ACT_360
            | DayCount.ACT_ACT
            | DayCount.ACT_ACT_ICMA
        ):
            return (end - start).days
        case _:
            assert_never(count)


@lru_cache(maxsize=4096)
def year_fraction(start: date, end: date, count: DayCount) -> Fraction:
    """Exact fraction of a year from `start` to `end`, seen without any schedule around it.

    MONTHS and ICMA give whole months over 12 and the odd days over 360 here; the schedule refines
    both with its own regular periods.
    """
    match count:
        case DayCount.THIRTY_360 | DayCount.THIRTY_E_360 | DayCount.ACT_360:
            return Fraction(days_between(start, end, count), 360)
        case DayCount.ACT_365F:
            return Fraction((end - start).days, 365)
        case DayCount.ACT_ACT:
            return _isda(start, end)
        case DayCount.MONTHS | DayCount.ACT_ACT_ICMA:
            months, days = whole_months(start, end)
            return Fraction(months, 12) + Fraction(days, 360)
        case _:
            assert_never(count)


def _thirty(start: date, end: date, first_day: int, last_day: int) -> int:
    months = (end.year - start.year) * 12 + end.month - start.month
    return months * 30 + last_day - first_day


def _thirty_us(start: date, end: date) -> int:
    first_day, last_day = start.day, end.day
    if _ends_february(start):
        if _ends_february(end):
            last_day = 30
        first_day = 30
    if last_day == 31 and first_day >= 30:
        last_day = 30
    return _thirty(start, end, min(first_day, 30), last_day)


def _ends_february(day: date) -> bool:
    return day.month == 2 and (day + timedelta(days=1)).month == 3


def _isda(start: date, end: date) -> Fraction:
    total = Fraction(0)
    at = start
    while at < end:  # ends: one step for each calendar year
        turn = min(end, date(at.year, 12, 31) + timedelta(days=1))
        total += Fraction((turn - at).days, 366 if isleap(at.year) else 365)
        at = turn
    return total
