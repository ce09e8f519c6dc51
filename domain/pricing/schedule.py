"""Schedules: what falls due when, to the last minor unit.

Every amount is computed exactly and rounded once, as `ScheduleTerms.rounding` says; the last
installment takes what rounding left, so principal always sums to what was lent. Formulas,
conventions and sources: docs/arithmetic.md.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from domain.errors import InvalidInput
from domain.money import Rounding, round_minor, round_ratio
from domain.pricing.annuity import round_up_to
from domain.pricing.balance_run import BalanceRun
from domain.pricing.daycount import DayCount, days_between
from domain.pricing.frequency import Frequency
from domain.pricing.interest import drawn_within, interest_of, term_interest
from domain.pricing.periods import Period, periods_of, regular_fraction
from domain.pricing.schedule_line import ScheduleLine, check
from domain.pricing.schedule_terms import Method, ScheduleTerms

__all__ = [
    "DayCount",
    "Frequency",
    "Method",
    "Rounding",
    "ScheduleLine",
    "ScheduleTerms",
    "build",
    "check",
    "usual_line",
]


def build(terms: ScheduleTerms) -> tuple[ScheduleLine, ...]:
    """The whole schedule, in order of due dates.

    A loan repaid before its last period (its installment was rounded up far enough) ends there,
    and `bullet` has one line only.

    Raises:
        InvalidInput: the method is `explicit`, or a drawdown lies after the last due date.
    """
    periods = periods_of(terms)
    if terms.drawdowns and terms.drawdowns[-1][0] >= periods[-1].due_on:
        day = terms.drawdowns[-1][0]
        raise InvalidInput("drawdown", day, f"before the last due date {periods[-1].due_on}")
    match terms.method:
        case Method.EXPLICIT:
            raise InvalidInput("method", terms.method, "rows given by the lender, then checked")
        case Method.BULLET:
            return (_bullet(terms, periods),)
        case Method.FLAT:
            return _flat(terms, periods)
        case (
            Method.EQUAL_INSTALLMENT
            | Method.EQUAL_PRINCIPAL
            | Method.INTEREST_ONLY
            | Method.ZERO
            | Method.BALLOON
        ):
            return BalanceRun(terms, periods).lines()
        case _:
            assert_never(terms.method)


def usual_line(lines: Sequence[ScheduleLine]) -> ScheduleLine:
    """The first line with the usual installment.

    Lines of grace, and those whose interest alone exceeds the installment, repay no principal and
    are passed over; where only the last line repays principal, the first line is the usual one.
    """
    return next((line for line in lines[:-1] if line.principal), lines[0])


def _bullet(terms: ScheduleTerms, periods: tuple[Period, ...]) -> ScheduleLine:
    """Simple interest over all periods, rounded once at the end."""
    due_on = periods[-1].due_on
    interest = round_minor(_bullet_interest(terms, periods), terms.rounding)
    days = days_between(terms.disbursed_on, due_on, terms.day_count)
    return ScheduleLine(1, due_on, days, terms.principal_minor, interest, 0, 0)


def _bullet_interest(terms: ScheduleTerms, periods: tuple[Period, ...]) -> Fraction:
    """Counted in one, or period by period where the day count gives each the same fraction."""
    if regular_fraction(terms.every, terms.day_count) is None:
        return term_interest(terms, periods, periods[-1].due_on)
    balance, exact = terms.first_part_minor, Fraction(0)
    for index, period in enumerate(periods):
        if index >= terms.interest_free:
            exact += interest_of(balance, period, terms)
        balance += drawn_within(period, terms)
    return exact


def _flat(terms: ScheduleTerms, periods: tuple[Period, ...]) -> tuple[ScheduleLine, ...]:
    """Interest on the principal first lent; the last line takes what its total has left."""
    exact = [interest_of(terms.principal_minor, period, terms) for period in periods]
    exact[: terms.interest_free] = [Fraction(0)] * terms.interest_free
    interest_left = round_minor(sum(exact, Fraction(0)), terms.rounding)
    balance = terms.principal_minor
    repaying = terms.periods - terms.principal_grace
    lines = []
    for index, period in enumerate(periods):
        if index == len(periods) - 1:
            interest, principal = interest_left, balance
        else:
            interest = min(round_minor(exact[index], terms.rounding), interest_left)
            level = exact[index] + Fraction(terms.principal_minor, repaying)
            total = round_up_to(
                round_ratio(*level.as_integer_ratio(), terms.rounding),
                terms.round_installment_to_minor,
            )
            principal = min(total - interest, balance) if index >= terms.principal_grace else 0
        balance -= principal
        interest_left -= interest
        lines.append(
            ScheduleLine(period.number, period.due_on, period.days, principal, interest, 0, balance)
        )
    return tuple(lines)
