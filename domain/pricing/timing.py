"""Advances and payments as people write them, put on the clock of an APR method."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate
from typing import assert_never

from domain.errors import InvalidInput
from domain.pricing.apr import AprMethod
from domain.pricing.cashflow import MOST_FLOWS, Flow, flow_at
from domain.pricing.clock import MONTH, YEAR, eu_clock, term_of_units, us_clock
from domain.pricing.unitperiod import UnitPeriod, years_between_eu

DAYS_A_YEAR = 365


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

    A single payment of us-actuarial counts in its own term, as appendix J (b) (4) (ii) has it.
    """
    named = [group.every for group in payments if group.every is not None]
    clock = unit or max(named, key=lambda every: every.per_year, default=MONTH)
    paid = [
        (group.minor, clock.per_year / (group.every or clock).per_year)
        for group in payments
        for _ in range(group.count)
    ]
    whole = paid[0][1] if odd_periods is None else odd_periods
    us = method is AprMethod.US_ACTUARIAL
    odd = Fraction(odd_days, clock.days) if us else clock.per_year * odd_days / DAYS_A_YEAR
    single = term_of_units(clock, whole, odd_days) if us and len(paid) == 1 else None
    clock, first = single or (clock, whole + odd)
    times = accumulate((step for _, step in paid[1:]), initial=first)
    flows = [flow_at(minor, at) for (minor, _), at in zip(paid, times, strict=True)]
    return Timed((Flow(-advance_minor, 0), *flows), clock.per_year, clock)


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
        InvalidInput: an advance or the first payment has no date, or a payment lies before the
            first advance.
    """
    lent = [(day, -minor) for day, minor in _days(advances, "advance", unit)]
    paid = list(_days(payments, "payment", unit))
    return of_dates([*lent, *paid], method, unit or _named(payments))


def of_dates(
    amounts: Sequence[tuple[date, int]], method: AprMethod, unit: UnitPeriod | None = None
) -> Timed:
    """Dated amounts, advances below zero, on the clock of the method; `unit` is one named."""
    lent = sorted({day for day, minor in amounts if minor < 0})
    if not lent:
        raise InvalidInput("advance", 0, "at least one amount advanced to the borrower")
    start = lent[0]
    if early := [day for day, _ in amounts if day < start]:
        raise InvalidInput("date", min(early), f"not before the first advance on {start}")
    match method:
        case AprMethod.US_ACTUARIAL:
            paid = sorted({day for day, minor in amounts if minor > 0 and day > start})
            clock = us_clock(lent, paid, unit)
            flows = tuple(flow_at(minor, clock.between_us(start, day)) for day, minor in amounts)
            return Timed(flows, clock.per_year, clock)
        case AprMethod.EU:
            clock = unit or eu_clock(start, [day for day, _ in amounts])
            times = [years_between_eu(start, day, clock) for day, _ in amounts]
        case AprMethod.IRR:
            clock = unit or YEAR
            times = [Fraction((day - start).days, DAYS_A_YEAR) for day, _ in amounts]
        case _:
            assert_never(method)
    flows = tuple(flow_at(minor, at) for (_, minor), at in zip(amounts, times, strict=True))
    return Timed(flows, Fraction(1), clock)


def _days(
    groups: Sequence[Payments], field: str, unit: UnitPeriod | None
) -> Iterator[tuple[date, int]]:
    """Every date of the groups; months that go on keep the day of the month they began with."""
    last: date | None = None
    anchor = None
    for group in groups:
        every = (group.every or unit or MONTH).every
        if group.on is not None:
            first, anchor = group.on, group.on.day
        elif last is not None:
            first = every.date_at(last, 1, anchor)
        else:
            raise InvalidInput(field, "undated", "a date, since others have one")
        for index in range(group.count):
            last = every.date_at(first, index, anchor)
            yield last, group.minor
        if every.unit in {"week", "day"}:
            anchor = None


def _named(payments: Sequence[Payments]) -> UnitPeriod | None:
    """The period of most payments that name one; the shorter of two that tie."""
    counts: Counter[UnitPeriod] = Counter()
    for group in payments:
        if group.every is not None:
            counts[group.every] += group.count
    return max(counts, key=lambda every: (counts[every], every.per_year), default=None)
