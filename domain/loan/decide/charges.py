"""Charges made by time and value dates: what fell due, and penalty recomputed from value dates."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from domain.debit.outcome import EXCUSING
from domain.loan.aggregate import Installment, Loan
from domain.loan.amounts import Amounts, Component
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.loan.penalty import penalty, to_book

ONE_DAY = timedelta(days=1)
ACCRUING = frozenset({State.DUE, State.RETRYING, State.DELINQUENT, State.PRESENTED, State.IN_DOUBT})


def fall_due(work: Work, loan_id: str, number: int) -> None:
    """Charge the scheduled amounts once, value-dated on the due date."""
    item = work.item(loan_id, number)
    if item.fell_due:
        return
    work.charge(loan_id, number, item.scheduled, "fell_due", item.due_on)
    work.put(loan_id, replace(work.item(loan_id, number), fell_due=True))


def true_up_penalty(work: Work, loan_id: str, number: int, through: date) -> None:
    """Bring the penalty to what value dates say it is for the days through `through`.

    More is charged, less is reversed ("charge reversed", legal in every state); a reversal takes
    only what is still owed, the rest is un-applied by whoever took the money.
    """
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    rule = loan.product.penalty
    if rule is None or not item.fell_due or item.state not in ACCRUING:
        return
    exact = penalty_due(loan, item, through)
    delta = to_book(exact, item.charged.penalty)
    if delta < 0:
        delta = -min(-delta, item.owed.penalty)
    event = "penalty_accrued" if delta > 0 else "penalty_reversed"
    on = max(item.due_on, min(through, work.today(loan_id)))
    work.charge(loan_id, number, Amounts(penalty=delta), event, on)
    work.put(loan_id, replace(work.item(loan_id, number), penalty_through=through))


def penalty_due(loan: Loan, item: Installment, through: date) -> Fraction:
    """Exact penalty of an installment for all days through `through`, from value dates alone."""
    rule = loan.product.penalty
    if rule is None:
        return Fraction(0)
    excused = excused_days(item, through)
    exact = Fraction(0)
    first = item.due_on + ONE_DAY
    changes = sorted({day for day in _value_days(loan, item) if first <= day < through})
    for last in (*changes, through):
        if last >= first:
            bearing = _overdue_on(loan, item, last)
            exact += penalty(bearing, rule, item.due_on, first, last, excused, exact)
            first = last + ONE_DAY
    return exact


def excused_days(item: Installment, through: date) -> frozenset[date]:
    """Days lost to rail, platform or risk block: from such an attempt to the next one."""
    days: set[date] = set()
    attempts = item.attempts
    for index, attempt in enumerate(attempts):
        if attempt.klass not in EXCUSING and not attempt.is_live:
            continue
        after = attempts[index + 1].value_on if index + 1 < len(attempts) else through + ONE_DAY
        span = range((min(after, through + ONE_DAY) - attempt.value_on).days)
        days.update(attempt.value_on + timedelta(days=offset) for offset in span)
    return frozenset(days)


def _value_days(loan: Loan, item: Installment) -> set[date]:
    return {
        receipt.value_on
        for receipt in loan.receipts
        if any(part.number == item.number for part in receipt.allocations)
    }


def _overdue_on(loan: Loan, item: Installment, day: date) -> Amounts:
    """What was overdue on a day: money valued before it no longer counts, waivers never did."""
    owed = item.charged - item.forgiven - item.given_up
    owed = replace(owed, penalty=0)
    for receipt in loan.receipts:
        if receipt.value_on >= day:
            continue
        for part in receipt.allocations:
            if part.number == item.number and part.component is not Component.PENALTY:
                owed = owed.plus(part.component, -part.minor)
    return Amounts(*(max(0, minor) for minor in owed.values()))
