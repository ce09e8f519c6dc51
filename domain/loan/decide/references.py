"""Payments by the name that somebody else gave them: a payer's reference may repeat."""

from domain.kernel import canonical
from domain.loan.aggregate import Portion
from domain.loan.decide.work import Work


def new_payment_id(loan_id: str, command_id: str) -> str:
    """The id of a payment that a command brings: ours, whatever reference the payer gave it."""
    return f"P-{canonical.digest((loan_id, command_id))[:12].upper()}"


def payments_called(work: Work, loan_id: str, name: str) -> list[Portion]:
    """The payments of a loan that a person can mean: by id, order number or payer's reference."""
    portions = work.loan(loan_id).portions
    return [r for r in portions if name in {r.id, r.order_no, r.reference}]


def payments_named(work: Work, ref: str) -> list[tuple[str, Portion]]:
    """Every payment of the loaded loans whose payer's reference is `ref`, by loan.

    The id of a transfer is as good as its reference. A debit is named by its order's number and
    never by its id: a payer who happens to write that means a payment of their own.
    """
    return [
        (loan_id, portion)
        for loan_id in work.aggregates.payments.get(ref, ())
        for portion in work.loan(loan_id).portions
        if ref == portion.reference or (ref == portion.id and portion.order_no is None)
    ]
