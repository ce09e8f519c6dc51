"""Charges made by time and value dates: what fell due, and penalty recomputed from value dates."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import EXCUSING
from domain.ledger import bookings
from domain.loan.aggregate import Installment, Loan
from domain.loan.amounts import Amounts, Component
from domain.loan.caps import Cap
from domain.loan.costs import room_for
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.loan.penalty import LONGEST_DAYS, penalty, to_book
from domain.loan.waterfall import Allocation
from domain.money import Money

ONE_DAY = timedelta(days=1)
ACCRUING = frozenset({State.DUE, State.RETRYING, State.DELINQUENT, State.PRESENTED, State.IN_DOUBT})


def fall_due(work: Work, loan_id: str, number: int) -> None:
    """Charge the scheduled amounts once, value-dated on the due date."""
    item = work.item(loan_id, number)
    if item.fell_due:
        return
    work.charge(loan_id, number, item.scheduled, "fell_due", item.due_on)
    work.put(loan_id, replace(work.item(loan_id, number), fell_due=True))


def true_up_penalty(work: Work, loan_id: str, number: int, value_on: date) -> None:
    """Bring the penalty to what it is for money of a value date, before that money is applied.

    More is charged, less is reversed; what was paid of a penalty that was never due is un-applied
    first and waits again. While an attempt is live the penalty waits for its outcome.
    """
    _true_up(work, loan_id, number, value_on, lowest=-work.item(loan_id, number).owed.penalty)


def charge_through(
    work: Work, loan_id: str, number: int, through: date, *, tried_on: date | None = None
) -> None:
    """Bring the penalty to what value dates say it is for the days through `through`.

    `tried_on`: an attempt of that value date is about to be made, with which days end that an
    earlier one lost. Asked for less, it would leave a few cents behind, to be debited again.

    Here a cap only stops what would be added. What it leaves no room for any more, since other
    money turned out to have come earlier, goes when money comes that would pay it.
    """
    _true_up(work, loan_id, number, through, lowest=0, tried_on=tried_on)


def charge_to_date(work: Work, loan_id: str, number: int) -> None:
    """Penalty of what is still owed, through yesterday or the newest value date of its money."""
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    if item.owed.total:
        through = max([work.today(loan_id) - ONE_DAY, *_value_days(loan, item)])
        charge_through(work, loan_id, number, through)


def owed_on(loan: Loan, item: Installment, value_on: date) -> Amounts:
    """What is owed when money of that value date comes: penalty only for the days before it."""
    if not _accrues(loan, item):
        return item.owed
    wanted = _wanted(loan, item, value_on)
    delta, _ = _lawful(loan, item, value_on, wanted, lowest=-item.owed.penalty)
    return replace(item.owed, penalty=max(0, item.owed.penalty + delta))


def _true_up(
    work: Work,
    loan_id: str,
    number: int,
    through: date,
    lowest: int,
    *,
    tried_on: date | None = None,
) -> None:
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    if not _accrues(loan, item):
        return
    wanted = _wanted(loan, item, through, tried_on)
    delta, cap = _lawful(loan, item, through, wanted, lowest)
    if cap is not None and (delta or not _was_capped(loan, item)):
        withheld = Money(wanted - delta, loan.currency)
        why = f"{cap.rule}, at most {cap.percent} %: {withheld} are not charged"
        work.note(loan_id, number, item.state, item.state, "penalty_capped", why)
    if delta < 0:
        _unapply(work, loan_id, number, -delta - item.owed.penalty)
        # What was forgiven of it cannot be taken back twice: a waiver stays as it was given.
        delta = -min(-delta, work.item(loan_id, number).owed.penalty)
    event = "penalty_accrued" if delta > 0 else "penalty_reversed"
    on = max(item.due_on, min(through, work.today(loan_id)))
    work.charge(loan_id, number, Amounts(penalty=delta), event, on)
    work.put(loan_id, replace(work.item(loan_id, number), penalty_through=through))


def _wanted(loan: Loan, item: Installment, through: date, tried_on: date | None = None) -> int:
    """Penalty still to be charged (negative: to be reversed) for these days, caps aside."""
    due = penalty_due(loan, item, through, tried_on)
    return to_book(due, item.charged.penalty - item.penalty_carried)


def _lawful(
    loan: Loan, item: Installment, through: date, wanted: int, lowest: int
) -> tuple[int, Cap | None]:
    """The part of a wanted charge that the product's caps allow, and the cap that stops the rest.

    Never below `lowest` for a cap's sake, at most all that is unpaid: what was paid was lawful when
    it was asked for.
    """
    rules = loan.product.caps
    if rules is None or wanted <= lowest:
        return wanted, None
    allowed, cap = room_for(loan, rules, item.number, through)
    allowed = max(allowed, lowest)
    return (wanted, None) if wanted <= allowed else (allowed, cap)


def _was_capped(loan: Loan, item: Installment) -> bool:
    """Whether less than the rule asks for was booked the last time: nobody is told that again."""
    return item.penalty_through is not None and _wanted(loan, item, item.penalty_through) > 0


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
    exact = Fraction(0)
    first = item.due_on + ONE_DAY
    changes = sorted({day for day in _value_days(loan, item) if first <= day < through})
    for last in (*changes, through):
        if last >= first:
            bearing = _overdue_on(loan, item, last)
            exact += penalty(bearing, rule, item.due_on, first, last, excused, exact)
            first = last + ONE_DAY
    return exact


def excused_days(
    loan: Loan, item: Installment, through: date, tried_on: date | None = None
) -> frozenset[date]:
    """Days lost to rail, platform or risk block.

    From an attempt that they spoiled to the next one, which may be about to be made (`tried_on`);
    while an attempt is live; and the days that a rail took to execute an order after the day that
    it was ordered for.
    """
    days: set[date] = set()
    for index, attempt in enumerate(item.attempts):
        if attempt.state is AttemptState.CONFIRMED:
            days.update(_slow_days(loan, attempt))
        elif attempt.klass in EXCUSING or attempt.is_live:
            later = item.attempts[index + 1 :]
            after = later[0].value_on if later else tried_on or through + ONE_DAY
            days.update(_days(attempt.value_on, min(after, through + ONE_DAY)))
    return frozenset(days)


def _slow_days(loan: Loan, attempt: Attempt) -> Iterator[date]:
    for receipt in loan.receipts:
        if receipt.order_no == attempt.order_no:
            yield from _days(attempt.value_on + ONE_DAY, receipt.value_on + ONE_DAY)


def _days(first: date, after: date) -> Iterator[date]:
    return (first + timedelta(days=offset) for offset in range((after - first).days))


def _accrues(loan: Loan, item: Installment) -> bool:
    return (
        loan.product.penalty is not None
        and item.fell_due
        and item.state in ACCRUING
        and item.live_attempt is None
    )


def _unapply(work: Work, loan_id: str, number: int, minor: int) -> None:
    """Take money off the penalty of an installment, newest receipt first; it waits again."""
    for known in reversed(work.loan(loan_id).receipts):
        mine = sum(p.minor for p in known.allocations if _is_penalty(p.number, p.component, number))
        size = min(minor, mine)
        if size <= 0:
            continue
        part = Allocation(number, Component.PENALTY, -size)
        loan = work.loan(loan_id)
        work.post(bookings.apply_money(loan, known, [part], work.today(loan_id)))
        kept, left = [], size
        for item in reversed(known.allocations):
            is_it = _is_penalty(item.number, item.component, number)
            taken = min(left, item.minor) if is_it else 0
            left -= taken
            if item.minor > taken:
                kept.append(replace(item, minor=item.minor - taken))
        work.put_receipt(
            loan_id,
            replace(
                known,
                allocations=tuple(reversed(kept)),
                waiting_minor=known.waiting_minor + size,
            ),
        )
        minor -= size


def _is_penalty(of: int, component: Component, number: int) -> bool:
    return of == number and component is Component.PENALTY


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
