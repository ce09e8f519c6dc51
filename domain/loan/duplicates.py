"""Which payments of a loan paid what another one was for as well."""

from domain.loan.aggregate import Loan
from domain.payment.portion import Portion

TWINS_MOST = 10
"""Twins that a refund and a case name."""


def payers(loan: Loan, payment_id: str) -> tuple[Portion, ...]:
    """The other portions that stand where the money of a payment was meant to.

    Of one that was taken for no installment these are all that paid any.
    """
    mine = loan.portion(payment_id)
    number = mine.number if mine is not None else None
    return tuple(
        portion
        for portion in loan.portions
        if portion.id != payment_id
        and any(number in {None, part.number} for part in portion.allocations)
    )


def twins(loan: Loan, payment_id: str) -> tuple[str, ...]:
    """The payments of which one is a duplicate, the latest ones at most; none where it paid itself.

    Of one that was taken for no installment these are those of the same amount.
    """
    mine = loan.portion(payment_id)
    if mine is None or mine.allocations:
        return ()
    found = [
        portion.id
        for portion in payers(loan, payment_id)
        if mine.number is not None or portion.amount_minor == mine.amount_minor
    ]
    return tuple(found[-TWINS_MOST:])
