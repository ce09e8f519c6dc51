"""What is left of a loan under new terms: the next version of its schedule.

The old version stays as it was; the new one starts from what is still owed on a date and goes on
with the numbers of the old.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.errors import InvalidInput
from domain.pricing.caps import CapRules, Payment, exceeded
from domain.pricing.costs import check_caps, of_schedule
from domain.pricing.schedule import ScheduleLine, ScheduleTerms, build, usual_line
from domain.pricing.schedule_terms import Method


class Effect(StrEnum):
    """What money paid ahead does to the schedule."""

    SHORTER_TERM = "shorter-term"
    """The installment stays, the loan ends earlier."""
    SMALLER_INSTALLMENT = "smaller-installment"
    """The last due date stays, the installment falls."""
    NEXT_INSTALLMENTS = "next-installments"
    """The schedule stays; the next installments are paid from it."""
    LAST_INSTALLMENTS = "last-installments"
    """The schedule stays; the last installments are paid from it."""


def remaining_terms(
    terms: ScheduleTerms,
    lines: Sequence[ScheduleLine],
    as_of: date,
    balance_minor: int,
    periods: int | None = None,
) -> ScheduleTerms:
    """Terms of what is left after `as_of`: the old ones from the next due date on.

    Args:
        terms: terms of the version that ends.
        lines: its lines.
        as_of: interest of the new version starts on this day; all due dates up to it are past.
        balance_minor: principal still owed on that day; parts to be lent later come on top.
        periods: number of installments left; as many as the old version has unless given.

    Raises:
        InvalidInput: no installment is left, or `as_of` lies before the disbursement.
    """
    left = [line for line in lines if line.due_on > as_of]
    if not left:
        raise InvalidInput("as_of", as_of, f"before the last due date {lines[-1].due_on}")
    if as_of < terms.disbursed_on:
        raise InvalidInput("as_of", as_of, f"not before the disbursement on {terms.disbursed_on}")
    past = len(lines) - len(left)
    later = tuple(part for part in terms.drawdowns if part[0] > as_of)
    principal = balance_minor + sum(minor for _, minor in later)
    return replace(
        terms,
        principal_minor=principal,
        annual_rate_percent=_rate_on(terms, as_of),
        periods=periods or len(left),
        disbursed_on=as_of,
        first_due_on=_next_due_on(terms, left, as_of) if periods is None else left[0].due_on,
        anchor_day=terms.anchor_day or terms.first_due_on.day,
        rate_changes=tuple(change for change in terms.rate_changes if change[0] > as_of),
        drawdowns=later,
        principal_grace=min(max(0, terms.principal_grace - past), (periods or len(left)) - 1),
        interest_free=min(max(0, terms.interest_free - past), periods or len(left)),
        balloon_minor=min(terms.balloon_minor, principal),
        round_installment_to_minor=min(terms.round_installment_to_minor, principal),
        last_due_on=terms.last_due_on if periods is None else None,
    )


def continue_from(terms: ScheduleTerms, after: int) -> tuple[ScheduleLine, ...]:
    """The new version, numbered on from installment `after`."""
    return tuple(replace(line, number=after + line.number) for line in build(terms))


def reamortise(
    terms: ScheduleTerms,
    lines: Sequence[ScheduleLine],
    as_of: date,
    balance_minor: int,
    effect: Effect,
) -> tuple[ScheduleLine, ...]:
    """Lines after `as_of` once the balance is `balance_minor`: fewer of them, or smaller ones.

    Raises:
        InvalidInput: the effect leaves the schedule as it is, or asks a method for an equal
            installment that has none.
    """
    after = sum(line.due_on <= as_of for line in lines)
    left = remaining_terms(terms, lines, as_of, balance_minor)
    if effect is Effect.SMALLER_INSTALLMENT:
        return continue_from(replace(left, installment_minor=0), after)
    if effect is not Effect.SHORTER_TERM:
        raise InvalidInput("effect", effect, "shorter-term or smaller-installment")
    usual = usual_line(lines[after + left.principal_grace :])
    if terms.method in {Method.EQUAL_INSTALLMENT, Method.BALLOON}:
        return continue_from(replace(left, installment_minor=usual.total), after)
    if terms.method in {Method.EQUAL_PRINCIPAL, Method.ZERO}:
        each = max(1, usual.principal)
        count = max(1, -(-(left.principal_minor - left.balloon_minor) // each))
        kept = min(left.principal_grace + count, left.periods)
        fewer = replace(
            left,
            periods=kept,
            round_installment_to_minor=min(each, left.principal_minor),
            last_due_on=left.last_due_on if kept == left.periods else None,
        )
        return continue_from(fewer, after)
    raise InvalidInput("effect", effect, f"smaller-installment for method {terms.method}")


def check_cost(
    rules: CapRules,
    terms: ScheduleTerms,
    paid: Sequence[Payment],
    lines: Sequence[ScheduleLine],
) -> None:
    """Refuse a new version under which the loan as a whole would cost more than its caps allow.

    Args:
        rules: ceilings of the product, and fees besides the schedule.
        terms: of the first version: what was lent, and when.
        paid: everything paid under earlier versions, penalties and fees besides included.
        lines: the new version.

    Raises:
        InvalidInput: names the rule, its cap, and the figure.
    """
    advances = [(terms.disbursed_on, terms.first_part_minor), *terms.drawdowns]
    fees = rules.fees_on(terms.principal_minor)
    check_caps(exceeded(of_schedule(terms.every, advances, lines, fees, paid), rules.caps))


def _next_due_on(terms: ScheduleTerms, left: Sequence[ScheduleLine], as_of: date) -> date:
    """The date from which the regular ones are counted: the next due date.

    Where only an odd last one is left, it is the next date that would be regular.
    """
    if terms.last_due_on is None or len(left) > 1:
        return left[0].due_on
    index = 0
    while (day := terms.every.date_at(terms.first_due_on, index, terms.anchor_day)) <= as_of:
        index += 1  # ends: dates rise with the index
    return day


def _rate_on(terms: ScheduleTerms, day: date) -> Decimal:
    in_force = terms.annual_rate_percent
    for starts, percent in terms.rate_changes:
        if starts <= day:
            in_force = percent
    return in_force
