"""Penalty from value dates: the exact penalty through a day, and the part that caps allow.

Pure: nothing here charges anything. `decide.charges` books what these functions compute.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import EXCUSING
from domain.loan.aggregate import Installment, Loan
from domain.loan.costs import accrues, room_for
from domain.pricing.amounts import Amounts, Component
from domain.pricing.caps import Cap
from domain.pricing.penalty import LONGEST_DAYS, penalty, to_book

ONE_DAY = timedelta(days=1)


def owed_on(loan: Loan, item: Installment, value_on: date) -> Amounts:
    """What is owed when money of that value date comes: penalty only for the days before it."""
    if not accrues(loan, item):
        return item.owed
    asked = penalty_wanted(loan, item, value_on)
    delta, _ = within_caps(loan, item, value_on, asked)
    return replace(item.owed, penalty=max(0, item.owed.penalty + delta))


def penalty_wanted(
    loan: Loan, item: Installment, through: date, tried_on: date | None = None
) -> int:
    """Penalty still to be charged (negative: to be reversed) for these days, caps aside."""
    due = penalty_due(loan, item, through, tried_on)
    return to_book(due, item.charged.penalty - item.penalty_carried)


def within_caps(
    loan: Loan, item: Installment, through: date, wanted: int
) -> tuple[int, Cap | None]:
    """The part of a wanted charge that the product's caps allow, and the cap that stops the rest.

    What a cap leaves no room for any more may be reversed as far as it is not paid, and no further.
    """
    rules, lowest = loan.product.caps, -item.owed.penalty
    if rules is None or wanted <= lowest:
        return wanted, None
    allowed, cap = room_for(loan, rules, item.number, through)
    allowed = max(allowed, lowest)
    return (wanted, None) if wanted <= allowed else (allowed, cap)


def was_capped(loan: Loan, item: Installment) -> bool:
    """Whether a cap left out penalty the last time, so that it is not reported again."""
    return item.penalty_through is not None and penalty_wanted(loan, item, item.penalty_through) > 0


def penalty_due(
    loan: Loan, item: Installment, through: date, tried_on: date | None = None
) -> Fraction:
    """Exact penalty of an installment for all days through `through`, from value dates alone.

    `tried_on` is the value date of an attempt about to be made; see `excused_days`.
    """
    rule = loan.product.penalty
    if rule is None:
        return Fraction(0)
    # A debt older than the longest span bears no more; a wrong date must not stop the day's work.
    through = min(through, item.due_on + timedelta(days=LONGEST_DAYS))
    excused = excused_days(loan, item, through, tried_on)
    # What a former system charged fills the caps of the product.
    before = Fraction(item.penalty_carried if item.penalty_since is not None else 0)
    exact = before + _penalty_of_reopened(loan, item, through, excused)
    first = max(item.due_on + ONE_DAY, item.penalty_since or date.min)
    changes = sorted({day for day in value_days(loan, item) if first <= day < through})
    for last in (*changes, through):
        if last >= first:
            bearing = _overdue_on(loan, item, last)
            exact += penalty(bearing, rule, item.due_on, first, last, excused, exact)
            first = last + ONE_DAY
    return exact - before


def _penalty_of_reopened(
    loan: Loan, item: Installment, through: date, excused: frozenset[date]
) -> Fraction:
    """Penalty for the days of a former system on what it took and had to give back since.

    It counted that as paid, so the penalty that it states has nothing of it.
    """
    rule, since = loan.product.penalty, item.penalty_since
    gone = [
        (portion.value_on, part)
        for portion in loan.portions
        for part in portion.taken_back
        if part.number == item.number and part.component is not Component.PENALTY
    ]
    if rule is None or since is None or not gone:
        return Fraction(0)
    through, first = min(through, since - ONE_DAY), item.due_on + ONE_DAY
    before = exact = Fraction(item.penalty_carried)
    changes = sorted({day for day, _ in gone if first <= day < through})
    for last in (*changes, through):
        if last >= first:
            bearing = Amounts()
            for day, part in gone:
                if day < last:
                    bearing = bearing.plus(part.component, part.minor)
            exact += penalty(bearing, rule, item.due_on, first, last, excused, exact)
            first = last + ONE_DAY
    return exact - before


def excused_days(
    loan: Loan, item: Installment, through: date, tried_on: date | None = None
) -> frozenset[date]:
    """Days on which no penalty accrues, because rail, platform or risk block caused the delay.

    These are the days from an attempt that failed for such a cause to the next attempt, which may
    be about to be made (`tried_on`); the days while an attempt is live; and the days that a rail
    took to execute an order after the day that it was ordered for.
    """
    days: set[date] = set()
    for index, attempt in enumerate(item.attempts):
        if attempt.state is AttemptState.CONFIRMED:
            days.update(_slow_days(loan, attempt))
        elif attempt.outcome_class in EXCUSING or attempt.is_live:
            later = item.attempts[index + 1 :]
            after = later[0].value_on if later else tried_on or through + ONE_DAY
            days.update(_days(attempt.value_on, min(after, through + ONE_DAY)))
    return frozenset(days)


def _slow_days(loan: Loan, attempt: Attempt) -> Iterator[date]:
    for portion in loan.portions:
        if portion.order_no == attempt.order_no:
            yield from _days(attempt.value_on + ONE_DAY, portion.value_on + ONE_DAY)


def _days(first: date, after: date) -> Iterator[date]:
    return (first + timedelta(days=offset) for offset in range((after - first).days))


def value_days(loan: Loan, item: Installment) -> set[date]:
    """Value dates of the money that stands on an installment."""
    return {
        portion.value_on
        for portion in loan.portions
        if any(part.number == item.number for part in portion.allocations)
    }


def _overdue_on(loan: Loan, item: Installment, day: date) -> Amounts:
    """What was overdue on a day, penalty aside: charges less waivers and money valued before it."""
    owed = item.charged - item.forgiven - item.written_off
    owed = replace(owed, penalty=0)
    for portion in loan.portions:
        if portion.value_on >= day:
            continue
        for part in portion.allocations:
            if part.number == item.number and part.component is not Component.PENALTY:
                owed = owed.plus(part.component, -part.minor)
    return Amounts(*(max(0, minor) for minor in owed.values()))
