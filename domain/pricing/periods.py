"""The interest periods of a schedule: their dates, and which fraction of a year each one is."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple, assert_never

from domain.errors import InvalidInput
from domain.pricing.daycount import DayCount, days_between, whole_months, year_fraction
from domain.pricing.frequency import Frequency
from domain.pricing.schedule_terms import ScheduleTerms


@dataclass(frozen=True, slots=True)
class Period:
    """One interest period from `start` to `due_on`; `days` as the day count counts them."""

    number: int
    start: date
    due_on: date
    days: int
    fraction: Fraction


def periods_of(terms: ScheduleTerms) -> tuple[Period, ...]:
    """All periods of a schedule, the first from the disbursement, each from due date to due date.

    Raises:
        InvalidInput: `last_due_on` does not follow the installment before it.
    """
    return _periods(
        DateTerms(
            terms.every,
            terms.day_count,
            terms.disbursed_on,
            terms.first_due_on,
            terms.last_due_on,
            terms.anchor_day,
            terms.periods,
        )
    )


class DateTerms(NamedTuple):
    """The part of terms that dates depend on; loans made on one day share it."""

    every: Frequency
    day_count: DayCount
    disbursed_on: date
    first_due_on: date
    last_due_on: date | None
    anchor_day: int | None
    periods: int


@lru_cache(maxsize=256)
def _periods(dated: DateTerms) -> tuple[Period, ...]:
    dates = [
        dated.every.date_at(dated.first_due_on, index, dated.anchor_day)
        for index in range(1, dated.periods)
    ]
    dates.insert(0, dated.first_due_on)
    if dated.last_due_on is not None:
        dates[-1] = dated.last_due_on
        before = dates[-2] if dated.periods > 1 else dated.disbursed_on
        if dated.last_due_on <= before:
            raise InvalidInput("last_due", dated.last_due_on, f"after {before}")
    regular = regular_fraction(dated.every, dated.day_count)
    starts = [dated.disbursed_on, *dates[:-1]]
    odd = {1}
    if dated.last_due_on is not None:
        odd.add(dated.periods)
    # A first due date off the days wanted makes the step to them odd as well.
    if dated.every.date_at(dated.first_due_on, 0, dated.anchor_day) != dated.first_due_on:
        odd.add(2)
    result = []
    for number, (start, due_on) in enumerate(zip(starts, dates, strict=True), start=1):
        if regular is not None and number not in odd:
            fraction = regular
        elif dated.day_count is DayCount.ACT_ACT_ICMA:
            fraction = _icma_fraction(dated, number, start, due_on)
        else:
            fraction = fraction_of(dated.every, dated.day_count, start, due_on)
        days = days_between(start, due_on, dated.day_count)
        result.append(Period(number, start, due_on, days, fraction))
    return tuple(result)


def regular_fraction(every: Frequency, count: DayCount) -> Fraction | None:
    """The year fraction of each regular period, where the day count gives all the same one."""
    return every.year_fraction if count in {DayCount.MONTHS, DayCount.ACT_ACT_ICMA} else None


def fraction_of(every: Frequency, count: DayCount, start: date, end: date) -> Fraction:
    """Exact year fraction of one period, regular or odd, from its own two dates alone.

    ICMA needs the dates of the whole schedule and is not counted here.
    """
    if count is DayCount.MONTHS:
        return _unit_fraction(every, start, end)
    return year_fraction(start, end, count)


def _unit_fraction(every: Frequency, start: date, end: date) -> Fraction:
    """Whole units counted back from `end`, and odd days: 1/360 each, 1/364 where weeks count."""
    days = (end - start).days
    match every.unit:
        case "month":
            months, odd = whole_months(start, end)
            return Fraction(months, 12) + Fraction(odd, 360)
        case "half-month":
            months, odd = whole_months(start, end)
            return Fraction(months, 12) + (_half_months(odd) if odd else 0)
        case "week":
            return Fraction(days, 364)
        case "day":
            return Fraction(days, 365)
        case _:
            assert_never(every.unit)


def _half_months(odd: int) -> Fraction:
    """13 to 16 days between the two dates of a month are one half-month, else 1/360 a day."""
    return Fraction(1, 24) if 13 <= odd <= 16 else Fraction(odd, 360)


def _icma_fraction(dated: DateTerms, number: int, start: date, end: date) -> Fraction:
    """Year fraction of an odd period by rule 251: what it covers of each regular period.

    The regular periods lie between the dates that the frequency gives from the first due date, on
    both sides of it. So an odd first period is counted back from the first due date, and an odd
    last one forward from the due date before it.
    """
    every, total = dated.every, Fraction(0)
    index = number - 1
    while _regular_date(dated, index) < end:  # ends: dates rise with the index
        index += 1
    upper = _regular_date(dated, index)
    while upper > start:  # ends: dates fall with the index
        index -= 1
        lower = _regular_date(dated, index)
        covered = (min(upper, end) - max(lower, start)).days
        total += every.year_fraction * Fraction(max(0, covered), (upper - lower).days)
        upper = lower
    return total


def _regular_date(dated: DateTerms, index: int) -> date:
    return dated.every.date_at(dated.first_due_on, index, dated.anchor_day)
