"""The messages that tell a borrower that the loan is settled, or is open again."""

from datetime import datetime

from domain.calendar import latest_in_window, local_day
from domain.kernel.message import Message
from domain.loan.aggregate import HoldKind, Loan, NoticeRecord
from domain.loan.notice import NOTICE, QueuedNotice
from domain.loanclosure.closure import Leg, LoanClosure
from domain.loanclosure.rules import LegKind

CLOSING_RULE = -1
"""Stands in a notice for the rule of the plan of reminders: it follows none."""
CLOSING_QUEUED = "closing_notice_queued"
"""What the journal calls the beginning of such a message."""
TEMPLATES = {LegKind.TELL_BORROWER: "closed", LegKind.TELL_REVOKED: "reopened"}
"""By leg, the template of its message."""


def queued(
    loan: Loan, closure: LoanClosure, leg: Leg, channel: str, at: datetime
) -> tuple[NoticeRecord, Message]:
    """The message of a leg, and the record of it, which lies with the last installment."""
    item, allowed = loan.installments[-1], loan.product.reminders.allowed
    notice = NoticeRecord(leg.reference, CLOSING_RULE, leg.tries, channel, at, due_on=item.due_on)
    values = {
        "loan": loan.id,
        "installment": str(item.number),
        "closed_on": closure.value_on.isoformat(),
        "reopened_on": local_day(leg.began_at, loan.product.timezone).isoformat(),
    }
    if closure.certificates:
        values["certificate"] = closure.certificates[-1].code
    body = QueuedNotice(
        message_id=leg.reference,
        channel=channel,
        to=loan.borrower,
        language=loan.product.language,
        template=TEMPLATES[leg.kind],
        not_after=latest_in_window(local_day(at, allowed.timezone), allowed),
        values=values,
    )
    return notice, NOTICE.message(f"notice/{leg.reference}", body)


def bar(loan: Loan, message_id: str) -> str:
    """Why the borrower may not be told by a message now; empty: they may."""
    item, closure = loan.installments[-1], loan.closing
    if item.hold in {HoldKind.CONTACT, HoldKind.ALL}:
        return f"on hold ({item.hold})"
    is_asked_for = closure is not None and closure.of_reference(message_id) is not None
    return "" if is_asked_for else "the closure of the loan has moved on"
