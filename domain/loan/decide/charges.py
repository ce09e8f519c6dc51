"""Charges made by time and value dates: what fell due, and penalty recomputed from value dates."""

from dataclasses import replace
from datetime import date

from domain.loan import bookings
from domain.loan.accrual import (
    ONE_DAY,
    penalty_wanted,
    value_days,
    was_capped,
    within_caps,
)
from domain.loan.costs import accrues
from domain.loan.decide.work import Work
from domain.loan.sharing import cut
from domain.loan.waiting import in_order
from domain.money import Money
from domain.payment.portion import Allocated
from domain.pricing.amounts import Amounts, Component


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
    _true_up(work, loan_id, number, value_on)


def charge_through(
    work: Work, loan_id: str, number: int, through: date, *, tried_on: date | None = None
) -> None:
    """Bring the penalty to what value dates say it is for the days through `through`.

    `tried_on`: an attempt of that value date is about to be made, with which days end that an
    earlier one lost. Asked for less, it would leave a few cents behind, to be debited again.
    """
    _true_up(work, loan_id, number, through, tried_on=tried_on)


def charge_to_date(work: Work, loan_id: str, number: int) -> None:
    """Penalty of what is still owed, through yesterday or the newest value date of its money."""
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    if item.owed.total:
        through = max([work.today(loan_id) - ONE_DAY, *value_days(loan, item)])
        charge_through(work, loan_id, number, through)


def _true_up(
    work: Work,
    loan_id: str,
    number: int,
    through: date,
    *,
    tried_on: date | None = None,
) -> None:
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    if not accrues(loan, item):
        return
    wanted = penalty_wanted(loan, item, through, tried_on)
    delta, cap = within_caps(loan, item, through, wanted)
    if cap is not None and (delta or not was_capped(loan, item)):
        withheld = Money(wanted - delta, loan.currency)
        why = f"{cap.rule}, at most {cap.percent} %: {withheld} are not charged"
        work.note(loan_id, number, item.state, item.state, "penalty_capped", why)
    if delta < 0:
        paid = -delta - item.owed.penalty
        if paid > 0 and len(loan.product.shares.parties) > 1:
            # Whatever is left of it is shared anew over the claims of the smaller charge.
            paid = item.allocated.penalty
        _unapply(work, loan_id, number, paid)
        # What was forgiven of it cannot be taken back twice: a waiver stays as it was given.
        delta = -min(-delta, work.item(loan_id, number).owed.penalty)
    event = "penalty_accrued" if delta > 0 else "penalty_reversed"
    on = max(item.due_on, min(through, work.today(loan_id)))
    work.charge(loan_id, number, Amounts(penalty=delta), event, on)
    charged = work.item(loan_id, number)
    if charged.penalty_through != through:
        work.put(loan_id, replace(charged, penalty_through=through))


def _unapply(work: Work, loan_id: str, number: int, minor: int) -> None:
    """Take money off the penalty of an installment, latest value date first; it waits again."""
    for known in reversed(in_order(work.loan(loan_id))):
        taken, kept = newest(known.allocations, minor, number, Component.PENALTY)
        size = sum(part.minor for part in taken)
        if size:
            loan, waiting = work.loan(loan_id), known.waiting_minor + size
            after = replace(known, allocations=kept, waiting_minor=waiting)
            work.post(bookings.unapply(loan, known, after, taken, work.today(loan_id)))
            work.put_portion(loan_id, after)
            minor -= size


def newest(
    allocations: tuple[Allocated, ...],
    minor: int,
    number: int | None = None,
    component: Component | None = None,
) -> tuple[list[Allocated], tuple[Allocated, ...]]:
    """The newest allocations worth at most `minor`, newest first, and what is left of them all.

    `number` and `component` leave out the allocations to anything else.
    """
    taken: list[Allocated] = []
    kept: list[Allocated] = []
    for part in reversed(allocations):
        is_meant = number in {None, part.number} and component in {None, part.component}
        size = min(minor, part.minor) if is_meant and minor > 0 else 0
        gone, left = cut(part, size)
        minor -= size
        if gone.minor:
            taken.append(gone)
        if left.minor:
            kept.append(left)
    return taken, tuple(reversed(kept))
