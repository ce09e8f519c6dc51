"""What it costs to repay early, part by part, with the reason for each part.

Interest runs for the actual period (Civil Code of China art. 677); a fee is what was agreed, never
more than the law of the place allows (Directive 2008/48/EC art. 16).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from domain.errors import InvalidInput
from domain.money import Rounding, round_minor
from domain.pricing.amounts import Component
from domain.pricing.daycount import DayCount, add_months, days_between
from domain.pricing.interest import drawn_within, interest_of, term_interest
from domain.pricing.periods import Period, fraction_of, periods_of, regular_fraction
from domain.pricing.schedule import ScheduleLine
from domain.pricing.schedule_terms import Method, ScheduleTerms


@dataclass(frozen=True, slots=True)
class FeeCap:
    """Most that an early-repayment fee may be, as a fraction of the principal repaid early.

    It applies while more than `months_left` months remain to the last due date.
    """

    rule: str
    fraction: Fraction
    months_left: int = 0


EU_CONSUMER_CREDIT = (
    FeeCap("2008/48/EC art. 16 (2), more than one year left", Fraction(1, 100), 12),
    FeeCap("2008/48/EC art. 16 (2), one year or less left", Fraction(1, 200)),
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

    A day of `months` is 1/360 of a year as in an odd period, and a part never bears more than the
    whole; ICMA shares the period out by actual days. `bullet` accrues from the disbursement on,
    until its one line is due.
    """
    if terms.method is Method.ZERO or as_of >= lines[-1].due_on:
        return 0
    periods, bullet = periods_of(terms), terms.method is Method.BULLET
    if bullet and regular_fraction(terms.every, terms.day_count) is None:
        return round_minor(term_interest(terms, periods, as_of), terms.rounding)
    exact, balance = Fraction(0), terms.first_part_minor
    for index, period in enumerate(periods):
        if period.start >= as_of:
            break
        lent = drawn_within(period, terms)
        if period.due_on <= as_of and not bullet:
            balance = lines[index].balance if index < len(lines) else 0
        elif index >= terms.interest_free:
            base = terms.principal_minor if terms.method is Method.FLAT else balance
            exact += interest_of(base, _until(period, as_of, terms), terms)
        if bullet:
            balance += lent
    return round_minor(exact, terms.rounding)


def quote(
    terms: ScheduleTerms,
    lines: Sequence[ScheduleLine],
    as_of: date,
    *,
    paid_through: int = 0,
    fee: EarlyFee | None = None,
    penalty_minor: int = 0,
) -> PayoffQuote:
    """What ends the loan on `as_of` when installments up to number `paid_through` are paid.

    After the last due date no interest accrues: what is overdue bears penalty, if anything.

    Raises:
        InvalidInput: a date before the loan, or a number that the schedule does not have.
    """
    _check(terms, lines, as_of, paid_through)
    due = [line for line in lines if line.due_on <= as_of]
    open_lines = due[paid_through:]
    ahead = lines[len(due) : paid_through]
    settled = max(len(due), paid_through)
    early = _not_yet_due(terms, lines[:settled], as_of)
    accrued = accrued_interest(terms, lines, as_of)
    interest_ahead = sum(line.interest for line in ahead)
    since = due[-1].due_on if due and terms.method is not Method.BULLET else terms.disbursed_on
    saved = sum(line.interest for line in lines[settled:]) + interest_ahead - accrued
    span = f"{since} to {as_of}, {days_between(since, as_of, terms.day_count)} days"
    numbers = ", ".join(str(line.number) for line in open_lines)
    parts = [
        QuotePart(Component.PENALTY, penalty_minor, "penalty up to the day of payment"),
        *(
            QuotePart(component, sum(getattr(line, component.value) for line in open_lines), why)
            for component, why in (
                (Component.FEE, f"fees of installments {numbers}, already due"),
                (Component.INTEREST, f"interest of installments {numbers}, already due"),
                (Component.PRINCIPAL, f"principal of installments {numbers}, already due"),
            )
        ),
        QuotePart(Component.INTEREST, accrued, f"interest accrued from {span}"),
        QuotePart(Component.INTEREST, -interest_ahead, "interest paid ahead and not accrued"),
        QuotePart(Component.PRINCIPAL, early, "principal not yet due"),
        fee_of(fee, early, lines[-1].due_on, as_of, saved),
    ]
    return PayoffQuote(as_of, tuple(part for part in parts if part.minor), saved)


def _not_yet_due(terms: ScheduleTerms, settled: Sequence[ScheduleLine], as_of: date) -> int:
    """Principal lent by `as_of` that the settled lines do not repay.

    A line's balance holds the parts lent before its due date, as drawn_within counts them.
    """
    balance = settled[-1].balance if settled else terms.first_part_minor
    held_until = settled[-1].due_on if settled else terms.disbursed_on
    lent_since = sum(minor for day, minor in terms.drawdowns if held_until <= day <= as_of)
    still_to_come = sum(minor for day, minor in terms.drawdowns if as_of < day < held_until)
    return balance + lent_since - still_to_come


def _until(period: Period, as_of: date, terms: ScheduleTerms) -> Period:
    """The period as far as `as_of`, never worth more than the whole of it."""
    if period.due_on <= as_of:
        return period
    if terms.day_count is DayCount.ACT_ACT_ICMA:
        elapsed = Fraction((as_of - period.start).days, (period.due_on - period.start).days)
        fraction = period.fraction * elapsed
    else:
        fraction = min(
            period.fraction, fraction_of(terms.every, terms.day_count, period.start, as_of)
        )
    days = days_between(period.start, as_of, terms.day_count)
    return Period(period.number, period.start, as_of, days, fraction)


def fee_of(
    fee: EarlyFee | None, early_minor: int, last_due_on: date, as_of: date, saved: int
) -> QuotePart:
    """The fee on principal repaid early, and what it was limited by."""
    if fee is None:
        return QuotePart(Component.FEE, 0, "no fee agreed")
    exact = early_minor * fee.fraction
    why = f"early-repayment fee, {fee.fraction * 100} % of the principal repaid early"
    for cap in fee.caps:
        if last_due_on > add_months(as_of, cap.months_left):
            if early_minor * cap.fraction < exact:
                exact = early_minor * cap.fraction
                why = f"early-repayment fee, limited by {cap.rule}"
            break
    if fee.within_interest and saved < exact:
        exact, why = Fraction(max(0, saved)), "early-repayment fee, limited by the interest saved"
    return QuotePart(Component.FEE, round_minor(exact, Rounding.DOWN), why)


def _check(
    terms: ScheduleTerms, lines: Sequence[ScheduleLine], as_of: date, paid_through: int
) -> None:
    if as_of < terms.disbursed_on:
        raise InvalidInput("as_of", as_of, f"not before the disbursement on {terms.disbursed_on}")
    if not 0 <= paid_through < len(lines):
        raise InvalidInput("paid_through", paid_through, f"from 0 to {len(lines) - 1}")
