"""What parties hold of a payment: booked where it changes, with a case for shares of others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.loan import bookings
from domain.loan.aggregate import Loan
from domain.loan.placing import held_for_others
from domain.loan.sharing import held
from domain.money import amount_text
from domain.payment.portion import Portion

if TYPE_CHECKING:
    from domain.loan.decide.work import Work

_Key = TypeVar("_Key", bound=tuple[object, ...])


def hold(work: Work, loan_id: str, payment_id: str) -> None:
    """Book what parties hold of a payment: their shares, as far as cash lies on their accounts.

    What lies there and is due to a party with an account of its own is owed by who holds it.
    """
    loan, portion, today = (
        work.loan(loan_id),
        work.portion(loan_id, payment_id),
        work.today(loan_id),
    )
    before = work.aggregates.loans.get(loan_id)
    known = before.portion(payment_id) if before else None
    moved = _differences(held(loan, known) if known else {}, held(loan, portion))
    if moved:
        work.post(bookings.hold(loan, portion, moved, today))
    for _, number, _ in moved:
        work.touch(loan_id, number)
    was, now = held_for_others(loan, known) if known else {}, held_for_others(loan, portion)
    if lent := _differences(was, now):
        work.post(bookings.hold_for_others(loan, portion, lent, today))
    for holder in dict.fromkeys(holder for holder, *_ in lent):
        minor = sum(part for (name, *_), part in now.items() if name == holder)
        work.follow_amount(_receivable(loan, portion, holder, minor))


def _differences(was: Mapping[_Key, int], now: Mapping[_Key, int]) -> dict[_Key, int]:
    """What moved between two sets of amounts, by key, without what did not."""
    keys = sorted(was.keys() | now.keys())
    moves = {key: now.get(key, 0) - was.get(key, 0) for key in keys}
    return {key: minor for key, minor in moves.items() if minor}


def _receivable(loan: Loan, portion: Portion, holder: str, minor: int) -> Case:
    """What a party holds of a payment for others, as long as it does: minor units."""
    said = amount_text(minor, loan.currency)
    return Case(
        f"receivable/{portion.id}/{loan.id}/{holder}",
        CaseKind.RECEIVABLE,
        f"{said} of payment {portion.id} lie on the account of {holder} and are others'",
        loan_id=loan.id,
        number=portion.number,
        payment=portion.id,
        amount_minor=minor,
        currency=loan.currency,
    )
