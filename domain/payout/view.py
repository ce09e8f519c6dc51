"""What lists, drivers and upstream see of a payout."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.kernel.subject import Subject
from domain.kernel.view import View


class RefundStatus(StrEnum):
    """What a payer is told of a refund, in one word."""

    REQUESTED = "requested"
    """It is to be approved."""
    PREPARED = "prepared"
    """It is approved and leaves next."""
    SENT = "sent"
    """The bank has the order; the money is under way."""
    PAID = "paid"
    """A bank statement shows that it left."""
    UNREACHABLE = "unreachable"
    """It failed or came back: the payer is asked for another account."""
    WITHDRAWN = "withdrawn"
    """It was refused or taken back before it left: the money stands on the payer's loan."""


@dataclass(frozen=True, slots=True)
class RefundDetail:
    """What only a refund has: the payment it gives back, its twins, its deadline, its status."""

    payment: str
    status: RefundStatus
    due_on: date
    twins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PayoutDetail:
    """What only a payout has, beside its labels.

    The labels say its amount, its cut-off (`due_on`), its channel (`rail`), the last code of the
    channel and its payee (`owner`). `items` counts what it pays.
    """

    account: str
    number: int
    order_no: str
    items: int
    attempt_state: str = ""
    requested_by: str = ""
    approved_by: tuple[str, ...] = ()
    line: str = ""
    return_line: str = ""
    cut_off_on: date | None = None
    refund: RefundDetail | None = None


PayoutView = View[PayoutDetail]
"""What comes next for a payout, and its view."""


def fields_of(subject: Subject) -> Mapping[str, object]:
    """The field by which commands about a payout name it."""
    return {"payout": subject.key}
