"""What lists, drivers and upstream see of a payout."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from domain.kernel.subject import Subject
from domain.kernel.view import View


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


PayoutView = View[PayoutDetail]
"""What comes next for a payout, and its view."""


def fields_of(subject: Subject) -> Mapping[str, object]:
    """The field by which commands about a payout name it."""
    return {"payout": subject.key}
