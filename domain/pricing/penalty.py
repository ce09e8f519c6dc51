"""Penalty interest by the day on what is overdue, exact until it is booked.

A day counts when the installment is overdue on it, grace is over and nothing of ours caused the
delay: overdue amount x rate / basis. Days of grace and excused days never accrue, also later.
Source: PBC notice yinfa [2003] 251 (contract rate plus 30 to 50 percent, from the overdue day
until paid); rounding and switches are the product's.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from domain.errors import InvalidInput
from domain.money import Rounding, round_minor
from domain.pricing.amounts import Amounts
from domain.pricing.schedule_terms import check_rate

LONGEST_DAYS = 3_660
"""Ten years: a wrong date must not become a long loop."""


@dataclass(frozen=True, slots=True)
class PenaltyRule:
    """How overdue amounts bear penalty.

    Attributes:
        annual_rate_percent: penalty rate a year, from the first day after grace.
        day_basis: 360 or 365 days a year.
        on_interest: overdue interest bears penalty as well as overdue principal.
        grace_days: days after the due date that bear nothing.
        steps: other yearly rates from a number of days past due on, in ascending order.
        compounding: penalty bears penalty at the same rate from the next day.
        cap_minor: most penalty for one installment; None for no cap.
        cap_fraction: most penalty as a fraction of the overdue principal; None for no cap.
        cap_rate_percent: highest yearly rate whatever rule and steps say; None for no cap.
    """

    annual_rate_percent: Decimal
    day_basis: int
    on_interest: bool
    grace_days: int
    steps: tuple[tuple[int, Decimal], ...] = ()
    compounding: bool = False
    cap_minor: int | None = None
    cap_fraction: Fraction | None = None
    cap_rate_percent: Decimal | None = None

    def __post_init__(self) -> None:
        check_rate("penalty rate", self.annual_rate_percent)
        if self.day_basis not in {360, 365}:
            raise InvalidInput("day_basis", self.day_basis, "360 or 365")
        if not 0 <= self.grace_days <= LONGEST_DAYS:
            raise InvalidInput("grace_days", self.grace_days, f"from 0 to {LONGEST_DAYS}")
        for _, percent in self.steps:
            check_rate("penalty rate", percent)
        starts = [dpd for dpd, _ in self.steps]
        if starts != sorted(set(starts)) or any(dpd < 1 for dpd in starts):
            raise InvalidInput("steps", starts, "days past due above zero, ascending, each once")
        if self.cap_rate_percent is not None:
            check_rate("cap rate", self.cap_rate_percent)
        for cap in (self.cap_minor, self.cap_fraction):
            if cap is not None and cap < 0:
                raise InvalidInput("cap", cap, "not negative")

    def rate_at(self, dpd: int) -> Fraction:
        """Rate of one day as a fraction of the amount, at so many days past due."""
        percent = self.annual_rate_percent
        for starts, stepped in self.steps:
            if starts <= dpd:
                percent = stepped
        if self.cap_rate_percent is not None:
            percent = min(percent, self.cap_rate_percent)
        return Fraction(percent) / 100 / self.day_basis

    def bearing(self, owed: Amounts) -> int:
        """Minor units that bear penalty."""
        return owed.principal + (owed.interest if self.on_interest else 0)


def penalty(
    owed: Amounts,
    rule: PenaltyRule,
    due_on: date,
    first_day: date,
    last_day: date,
    excused: frozenset[date] = frozenset(),
    before: Fraction = Fraction(0),
) -> Fraction:
    """Exact penalty, in minor units, of the days from `first_day` to `last_day`, both counted.

    The due date itself never counts, so an installment paid n days late bears n days. Amounts that
    change between days are added up span by span: keep the exact sum and book with `to_book`.

    Args:
        owed: what was overdue on each of these days, by component.
        rule: the product's rule.
        due_on: due date of the installment.
        first_day: first day asked for; days up to the end of grace are left out by themselves.
        last_day: last day asked for.
        excused: days that must not count: caused by rail, platform or risk block, or deferred.
        before: exact penalty of earlier days; it bears penalty when compounding, and fills caps.
    """
    start = max(first_day, due_on + timedelta(days=rule.grace_days + 1))
    if last_day < start:
        return Fraction(0)
    days = (last_day - start).days + 1
    if days > LONGEST_DAYS:
        raise InvalidInput("to", last_day, f"at most {LONGEST_DAYS} days from {start}")
    first, last = (start - due_on).days, (last_day - due_on).days
    out = {(day - due_on).days for day in excused if start <= day <= last_day}
    base, accrued = rule.bearing(owed), before
    if not rule.compounding:
        accrued += base * _rates(rule, first, last, out)
    else:
        for dpd in range(first, last + 1):
            if dpd not in out:
                accrued += (base + accrued) * rule.rate_at(dpd)
    return max(Fraction(0), _capped(accrued, owed, rule) - before)


def _rates(rule: PenaltyRule, first: int, last: int, out: Collection[int]) -> Fraction:
    """Sum of the daily rates from one number of days past due to another, except those in `out`."""
    total = Fraction(0)
    bounds = (0, *(starts for starts, _ in rule.steps), last + 1)
    for lower, upper in pairwise(bounds):
        low, high = max(lower, first), min(upper - 1, last)
        if low <= high:
            counted = high - low + 1 - sum(low <= dpd <= high for dpd in out)
            total += counted * rule.rate_at(low)
    return total


def _capped(exact: Fraction, owed: Amounts, rule: PenaltyRule) -> Fraction:
    capped = exact
    if rule.cap_minor is not None:
        capped = min(capped, Fraction(rule.cap_minor))
    if rule.cap_fraction is not None:
        capped = min(capped, owed.principal * rule.cap_fraction)
    return capped


def to_book(exact: Fraction, booked_minor: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """What is still to be booked of an exact sum: rounded whole, less what is booked; no drift.

    Negative after a payment was value-dated back: that much is to be reversed.
    """
    return round_minor(exact, rounding) - booked_minor
