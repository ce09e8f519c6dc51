"""Payments by the name that somebody else gave them, and how a line's amount falls on portions."""

from collections.abc import Iterable

from domain.kernel import canonical
from domain.loan.aggregate import Match
from domain.loan.decide.work import Work
from domain.payment.payment import Payment
from domain.payment.portion import Portion


def new_payment_id(loan_id: str, command_id: str) -> str:
    """The id of a payment that a command brings: ours, whatever reference the payer gave it."""
    return f"P-{canonical.digest((loan_id, command_id))[:12].upper()}"


Called = tuple[list[Payment], list[Payment]]
"""Payments that a person can mean by a name: the one whose id it is, and those that share it."""


def payments_called(work: Work, loan_id: str, name: str) -> Called:
    """The payments of a loan by id, and by order number or payer's reference.

    An id is the name of one payment alone. A payer may have written it as the reference of another:
    whoever names by id means the one that has it.
    """
    mine = [work.payments.get(portion.id) for portion in work.loan(loan_id).portions]
    known = [payment for payment in mine if payment is not None]
    by_id = [payment for payment in known if payment.id == name]
    shared = [payment for payment in known if name in {payment.order_no, payment.reference}]
    return by_id, [payment for payment in shared if payment.id != name]


def payments_named(work: Work, ref: str) -> list[Payment]:
    """Every payment of the loaded loans whose payer's reference is `ref`.

    The id of a transfer is as good as its reference. A debit is named by its order's number and
    never by its id: a payer who happens to write that means a payment of their own.
    """
    return [
        payment
        for payment in work.payments.values()
        if (ref and ref == payment.reference) or (ref == payment.id and payment.order_no is None)
    ]


def portions_of(work: Work, payment: Payment) -> list[tuple[str, Portion]]:
    """The portions of a payment with their loans, in the order in which these got them."""
    return [(loan_id, work.portion(loan_id, payment.id)) for loan_id in payment.loans]


def spread(work: Work, payment: Payment, minor: int, fee_minor: int = 0) -> list[Match]:
    """What a credit of `minor` units proves of the portions of a payment, in their order.

    The fee stands with the first of them.
    """
    rooms = [(name, portion.unsettled_minor) for name, portion in portions_of(work, payment)]
    return list(_matches(payment, rooms, minor, fee_minor, 1))


def spread_back(work: Work, payment: Payment, minor: int, fee_minor: int = 0) -> list[Match]:
    """What a debit of `minor` units takes back of a payment, of the loan that got it last first."""
    rooms = [(name, portion.returnable_minor) for name, portion in portions_of(work, payment)]
    return list(_matches(payment, reversed(rooms), minor, fee_minor, -1))


def _matches(
    payment: Payment, rooms: Iterable[tuple[str, int]], minor: int, fee_minor: int, sign: int
) -> Iterable[Match]:
    for loan_id, room in rooms:
        if part := max(0, min(minor, room)):
            yield Match(loan_id, payment.id, sign * part, fee_minor)
            minor, fee_minor = minor - part, 0
