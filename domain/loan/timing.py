"""Advances and payments as people write them, put on the clock of an APR method."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise

from domain.errors import InvalidInput
from domain.loan.apr import AprMethod
from domain.loan.cashflow import MOST_FLOWS, Flow, flow_at
from domain.loan.daycount import whole_months
from domain.loan.unitperiod import UnitPeriod, years_between_eu

DAYS_A_YEAR = 365
MONTH = UnitPeriod(1, "month")


@dataclass(frozen=True, slots=True)
class Payments:
    """`count` equal payments, the first on a date if one is given, the others `every` so often."""

    minor: int
    count: int = 1
    on: date | None = None
    every: UnitPeriod | None = None

    def __post_init__(self) -> None:
        if self.minor <= 0:
            raise InvalidInput("amount", self.minor, "above zero")
        if not 1 <= self.count <= MOST_FLOWS:
            raise InvalidInput("count", self.count, f"from 1 to {MOST_FLOWS}")


@dataclass(frozen=True, slots=True)
class Timed:
    """Flows ready for a method: their clock, and the unit period to name and to compound by."""

    flows: tuple[Flow, ...]
    per_year: Fraction
    unit: UnitPeriod


def undated(
    advance_minor: int,
    payments: Sequence[Payments],
    method: AprMethod,
    unit: UnitPeriod | None = None,
    odd_periods: Fraction | None = None,
    odd_days: int = 0,
) -> Timed:
    """One advance and payments that follow one another.

    Args:
        advance_minor: lent at once, above zero.
        payments: groups in order; each payment lies one of its periods after the one before.
        method: odd days are parts of the unit period (30 a month) for us-actuarial, of a year of
            365 days for the others.
        unit: the shortest period named by a group, else a month, unless given.
        odd_periods: unit periods before the first payment; one of its own periods unless given.
        odd_days: days besides.
    """
    named = [group.every for group in payments if group.every is not None]
    clock = unit or max(named, key=lambda every: every.per_year, default=MONTH)
    if method is AprMethod.US_ACTUARIAL:
        odd = Fraction(odd_days, clock.days)
    else:
        odd = clock.per_year * Fraction(odd_days, DAYS_A_YEAR)
    flows = [Flow(-advance_minor, 0)]
    at = None
    for group in payments:
        step = clock.per_year / (group.every or clock).per_year
        for _ in range(group.count):
            if at is None:
                at = (step if odd_periods is None else odd_periods) + odd
            else:
                at += step
            flows.append(flow_at(group.minor, at))
    return Timed(tuple(flows), clock.per_year, clock)


def dated(
    advances: Sequence[Payments],
    payments: Sequence[Payments],
    method: AprMethod,
    unit: UnitPeriod | None = None,
) -> Timed:
    """Advances and payments on dates; time runs from the first advance.

    us-actuarial counts unit periods as appendix J does, eu counts years as the directives do, irr
    counts days over 365.

    Raises:
        InvalidInput: an advance or the first payment has no date, a payment lies before the first
            advance, or no unit period can be told from the dates.
    """
    lent = [(day, -minor) for day, minor in _days(advances, "advance", unit)]
    paid = list(_days(payments, "payment", unit))
    return of_dates([*lent, *paid], method, unit or _named(payments))


def of_dates(
    amounts: Sequence[tuple[date, int]], method: AprMethod, unit: UnitPeriod | None = None
) -> Timed:
    """Dated amounts, advances below zero, on the clock of the method."""
    start = min((day for day, minor in amounts if minor < 0), default=None)
    if start is None:
        raise InvalidInput("advance", 0, "at least one amount advanced to the borrower")
    if early := [day for day, _ in amounts if day < start]:
        raise InvalidInput("date", min(early), f"not before the first advance on {start}")
    clock = unit or _unit_of(start, amounts, method)
    if method is AprMethod.US_ACTUARIAL:
        flows = tuple(flow_at(minor, clock.between_us(start, day)) for day, minor in amounts)
        return Timed(flows, clock.per_year, clock)
    if method is AprMethod.EU:
        flows = tuple(flow_at(minor, years_between_eu(start, day, clock)) for day, minor in amounts)
    else:
        flows = tuple(
            flow_at(minor, Fraction((day - start).days, DAYS_A_YEAR)) for day, minor in amounts
        )
    return Timed(flows, Fraction(1), clock)


def _days(
    groups: Sequence[Payments], field: str, unit: UnitPeriod | None
) -> Iterator[tuple[date, int]]:
    last: date | None = None
    for group in groups:
        every = (group.every or unit or MONTH).every
        first = group.on or (every.date_at(last, 1) if last else None)
        if first is None:
            raise InvalidInput(field, "undated", "a date, since others have one")
        for index in range(group.count):
            last = every.date_at(first, index)
            yield last, group.minor


def _named(payments: Sequence[Payments]) -> UnitPeriod | None:
    """The period of most payments that name one; the shorter of two that tie."""
    counts: Counter[UnitPeriod] = Counter()
    for group in payments:
        if group.every is not None:
            counts[group.every] += group.count
    return max(counts, key=lambda every: (counts[every], every.per_year), default=None)


def _unit_of(start: date, amounts: Sequence[tuple[date, int]], method: AprMethod) -> UnitPeriod:
    """Appendix J (b) (4) from the dates; years for irr and where the directive has no period."""
    if method is not AprMethod.US_ACTUARIAL:
        return UnitPeriod(1, "year") if method is AprMethod.IRR else MONTH
    days = sorted({day for day, _ in amounts})
    if len(days) == 1:
        raise InvalidInput("payment", days[0], "a payment after the advance")
    if len(days) == 2:
        return _interval(start, days[1]) or UnitPeriod(1, "year")
    gaps = Counter(_interval(one, other) for one, other in pairwise(days))
    common = {gap: count for gap, count in gaps.items() if gap is not None and count > 1}
    if not common:
        rule = "a unit period, since no interval between the dates occurs twice"
        raise InvalidInput("unit_period", "", rule)
    return max(common, key=lambda gap: (common[gap], gap.per_year))


def _interval(start: date, end: date) -> UnitPeriod | None:
    """The time between two dates as months, weeks or days; None beyond a year."""
    months, odd = whole_months(start, end)
    days = (end - start).days
    if months == 12 and not odd:
        return UnitPeriod(1, "year")
    if months and not odd:
        return UnitPeriod(months, "month") if months < 12 else None
    if days > DAYS_A_YEAR:
        return None
    return UnitPeriod(days // 7, "week") if days % 7 == 0 else UnitPeriod(days, "day")
