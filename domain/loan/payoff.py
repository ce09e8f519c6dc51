"""What it costs to repay early, part by part, with the reason for each part.

Interest runs for the actual period (Civil Code of China art. 677); a fee is what was agreed, never
more than the law of the place allows (Directive 2008/48/EC art. 16).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from domain.errors import InvalidInput
from domain.loan.amounts import Amounts, Component
from domain.loan.daycount import DayCount, days_between, year_fraction
from domain.loan.interest import drawn_within, interest_of
from domain.loan.periods import Period, periods_of
from domain.loan.schedule import ScheduleLine
from domain.loan.schedule_terms import Method, ScheduleTerms
from domain.money import round_minor


@dataclass(frozen=True, slots=True)
class FeeCap:
    """Most that an early-repayment fee may be, as a fraction of the principal repaid early.

    It holds while at least `days_left_from` days remain to the last due date.
    """

    rule: str
    fraction: Fraction
    days_left_from: int = 0


EU_CONSUMER_CREDIT = (
    FeeCap("2008/48/EC art. 16 (2): 1 %", Fraction(1, 100), 367),
    FeeCap("2008/48/EC art. 16 (2): 0.5 %, one year or less left", Fraction(1, 200)),
)


@dataclass(frozen=True, slots=True)
class EarlyFee:
    """The fee agreed: a fraction of what is repaid early, under the first legal cap that applies.

    `within_interest` keeps it within the interest saved (art. 16 (5) of the same directive).
    """

    fraction: Fraction
    caps: tuple[FeeCap, ...] = ()
    within_interest: bool = False


@dataclass(frozen=True, slots=True)
class QuotePart:
    """One amount of a quote and why it is asked."""

    component: Component
    minor: int
    why: str


@dataclass(frozen=True, slots=True)
class PayoffQuote:
    """What ends a loan on `as_of`, good for that day only; minor units."""

    as_of: date
    parts: tuple[QuotePart, ...]
    interest_saved: int

    @property
    def total(self) -> int:
        """Everything asked."""
        return sum(part.minor for part in self.parts)

    def of(self, component: Component) -> int:
        """Sum of the parts of one component."""
        return sum(part.minor for part in self.parts if part.component is component)


def accrued_interest(terms: ScheduleTerms, lines: Sequence[ScheduleLine], as_of: date) -> int:
    """Interest from the last due date up to `as_of` (not counted) on the scheduled balance.

    Months and ICMA share the period's interest out by actual days; other day counts count theirs.
    """
    start, exact = terms.disbursed_on, Fraction(0)
    balance = terms.first_part_minor
    for index, period in enumerate(periods_of(terms)):
        if period.start >= as_of:
            break
        flat = terms.method is Method.FLAT
        bears = index >= terms.interest_free and terms.method is not Method.ZERO
        whole = period.due_on <= as_of
        if whole and terms.method is not Method.BULLET:
            balance = lines[index].balance if index < len(lines) else 0
            continue
        part = period if whole else _until(period, as_of, terms.day_count)
        start = part.start
        base = terms.principal_minor if flat else balance
        exact += interest_of(base, part, terms) if bears else 0
        balance += drawn_within(period, terms)
    del start
    return round_minor(exact, terms.rounding)
