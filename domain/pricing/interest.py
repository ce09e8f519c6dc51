"""Interest on a balance over a period: exact, split where a rate or the balance changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from domain.errors import InvalidInput
from domain.money import Rounding, round_minor
from domain.pricing.daycount import DayCount, days_between, year_fraction
from domain.pricing.periods import Period
from domain.pricing.schedule_terms import ScheduleTerms, check_rate


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a period with one rate: its start, year fraction, and rate as a fraction of one."""

    start: date
    end: date
    fraction: Fraction
    rate: Fraction

    @property
    def factor(self) -> Fraction:
        """Interest on one unit of balance."""
        return self.fraction * self.rate


def pieces_of(period: Period, terms: ScheduleTerms) -> tuple[Piece, ...]:
    """The period cut at every rate change and drawdown that lies strictly inside it.

    Day counts that look at days alone count from the period's start to each cut, so that the
    pieces make the whole (30/360 US would count the 31st twice); months and ICMA share the
    period's fraction out by actual days.
    """
    inside = {day for day, _ in (*terms.rate_changes, *terms.drawdowns)}
    cuts = sorted(day for day in inside if period.start < day < period.due_on)
    if not cuts:
        rate = terms.rate_on(period.start)
        return (Piece(period.start, period.due_on, period.fraction, rate),)
    bounds = [period.start, *cuts, period.due_on]
    shared = terms.day_count in {DayCount.MONTHS, DayCount.ACT_ACT_ICMA}
    whole = (period.due_on - period.start).days
    result = []
    counted = Fraction(0)
    for start, end in pairwise(bounds):
        if shared:
            until = period.fraction * Fraction((end - period.start).days, whole)
        else:
            until = year_fraction(period.start, end, terms.day_count)
        result.append(Piece(start, end, until - counted, terms.rate_on(start)))
        counted = until
    return tuple(result)


def drawn_within(period: Period, terms: ScheduleTerms) -> int:
    """Minor units lent from the period's start on and before its due date, the first part not."""
    return sum(minor for day, minor in terms.drawdowns if period.start <= day < period.due_on)


def interest_of(balance: int, period: Period, terms: ScheduleTerms) -> Fraction:
    """Exact interest of one period on the balance at its start and what is lent within it."""
    total = Fraction(0)
    for piece in pieces_of(period, terms):
        lent = sum(minor for day, minor in terms.drawdowns if period.start <= day <= piece.start)
        total += (balance + lent) * piece.factor
    return total


def term_interest(terms: ScheduleTerms, periods: Sequence[Period], until: date) -> Fraction:
    """Exact simple interest of a bullet up to `until`, for day counts that look at days alone.

    One term from the first period that bears interest, counted in one: 30/360 (US) month by month
    would lose days at the ends of months.
    """
    if terms.interest_free == len(periods) or until <= periods[terms.interest_free].start:
        return Fraction(0)
    start = periods[terms.interest_free].start
    balance = terms.first_part_minor + sum(minor for day, minor in terms.drawdowns if day < start)
    days = days_between(start, until, terms.day_count)
    fraction = year_fraction(start, until, terms.day_count)
    return interest_of(balance, Period(1, start, until, days, fraction), terms)


@dataclass(frozen=True, slots=True)
class Accrual:
    """Interest between two dates, with what it was computed from."""

    days: int
    fraction: Fraction
    exact: Fraction
    minor: int


def accrue(
    balance: int,
    annual_rate_percent: Decimal,
    start: date,
    end: date,
    day_count: DayCount,
    rounding: Rounding = Rounding.HALF_UP,
) -> Accrual:
    """Simple interest on `balance` minor units from `start` (counted) to `end` (not counted)."""
    check_rate("rate", annual_rate_percent)
    if end < start:
        raise InvalidInput("to", end, f"not before {start}")
    fraction = year_fraction(start, end, day_count)
    exact = balance * fraction * Fraction(annual_rate_percent) / 100
    days = days_between(start, end, day_count)
    return Accrual(days, fraction, exact, round_minor(exact, rounding))
