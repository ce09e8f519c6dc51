"""Finds the unit period in which the flows of a loan are timed, from their dates.

Sources: Regulation Z, 12 CFR 1026 appendix J (b) (3), (4) and (5); Directive 2014/17/EU annex I,
remark on intervals that are no whole number of weeks or months.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from domain.errors import InvalidInput
from domain.pricing.daycount import whole_months
from domain.pricing.unitperiod import UnitPeriod

MONTH, WEEK, YEAR = UnitPeriod(1, "month"), UnitPeriod(1, "week"), UnitPeriod(1, "year")
_HALF_MONTH = UnitPeriod(1, "half-month")
_MONTHS_A_YEAR, _DAYS_A_YEAR, _TWO_WEEKS, _SHORTEST_HALF = 12, 365, 14, 13
_STANDARD = (
    UnitPeriod(1, "day"),
    _HALF_MONTH,
    *(UnitPeriod(count, "month") for count in range(1, 12)),
    *(UnitPeriod(count, "week") for count in range(1, 53)),
    YEAR,
)
"""Standard intervals of time, (b) (3) (iii)."""


def us_clock(
    advances: Sequence[date], payments: Sequence[date], named: UnitPeriod | None = None
) -> UnitPeriod:
    """The unit period of appendix J (b) (4).

    One advance and one payment count in their own term, whatever was named. Otherwise it is the
    one named; else the interval that occurs most often, the shorter of a tie; else the standard
    interval nearest to the average one. Intervals lie between advances and between payments, and
    from the first advance to the first payment.

    Args:
        advances: days on which money is lent, each once and in order.
        payments: days after the first advance on which money is paid, likewise.
        named: the unit period that somebody gave.
    """
    start = advances[0]
    if not payments:
        raise InvalidInput("payment", start, "a payment after the advance")
    if len(advances) == len(payments) == 1:
        return term_of(start, payments[0])
    if named is not None:
        return named
    series = (advances, (start, *payments))
    counts = Counter(gap for days in series for gap in _gaps(days))
    common = {gap: count for gap, count in counts.items() if gap is not None and count > 1}
    if common:
        return max(common, key=lambda gap: (common[gap], gap.per_year))
    lengths = [(end - day).days for days in series for day, end in pairwise(days)]
    average = Fraction(sum(lengths), len(lengths))
    return min(_STANDARD, key=lambda unit: (abs(unit.days - average), unit.days))


def eu_clock(start: date, days: Sequence[date]) -> UnitPeriod:
    """Weeks where all times since `start` are whole weeks and not all whole months; else months."""
    whole_weeks = all((day - start).days % WEEK.days == 0 for day in days)
    return (
        MONTH if not whole_weeks or all(not whole_months(start, day)[1] for day in days) else WEEK
    )


def term_of(start: date, end: date) -> UnitPeriod:
    """The term of a single payment as its unit period: months if whole, days, a year at most.

    A term of whole weeks counts in days: a year has 365 of them over the term's, (b) (5) (vii).
    """
    months, odd = whole_months(start, end)
    days = (end - start).days
    if not odd and months < _MONTHS_A_YEAR:
        return UnitPeriod(months, "month")
    if not odd or days > _DAYS_A_YEAR:
        return YEAR
    return UnitPeriod(days, "day")


def term_of_units(
    clock: UnitPeriod, whole: Fraction, odd_days: int
) -> tuple[UnitPeriod, Fraction] | None:
    """`term_of` without dates: the unit period of a single payment, and when it falls due in it.

    None where months and days come together, whose number of days only dates can tell.
    """
    months = whole * _MONTHS_A_YEAR / clock.per_year
    if clock.unit in {"day", "week"} or not whole:
        days = whole * clock.days + odd_days
        if days.denominator != 1 or not days:
            return None
        if days > _DAYS_A_YEAR:
            return YEAR, days / _DAYS_A_YEAR
        return UnitPeriod(int(days), "day"), Fraction(1)
    if odd_days or months.denominator != 1:
        return None
    if months >= _MONTHS_A_YEAR:
        return YEAR, months / _MONTHS_A_YEAR
    return UnitPeriod(int(months), "month"), Fraction(1)


def _gaps(days: Sequence[date]) -> Iterator[UnitPeriod | None]:
    for index, (day, end) in enumerate(pairwise(days)):
        yield _HALF_MONTH if _is_half_month(days, index) else _interval(day, end)


def _is_half_month(days: Sequence[date], index: int) -> bool:
    """Whether this interval and the one before or after it are the halves of one month."""
    threes = (days[at : at + 3] for at in (index - 1, index) if 0 <= at < len(days) - 2)
    return any(_halves_a_month(*three) for three in threes)


def _halves_a_month(start: date, middle: date, end: date) -> bool:
    """Halves have at least 13 days; two of 14 are weeks, not half-months."""
    halves = {(middle - start).days, (end - middle).days}
    whole = whole_months(start, end) == (1, 0)
    return whole and min(halves) >= _SHORTEST_HALF and halves != {_TWO_WEEKS}


def _interval(start: date, end: date) -> UnitPeriod | None:
    """The time between two dates as months, weeks or days; None beyond a year."""
    months, odd = whole_months(start, end)
    days = (end - start).days
    if not odd and months <= _MONTHS_A_YEAR:
        return YEAR if months == _MONTHS_A_YEAR else UnitPeriod(months, "month")
    if days > _DAYS_A_YEAR:
        return None
    return UnitPeriod(days // 7, "week") if days % 7 == 0 else UnitPeriod(days, "day")
