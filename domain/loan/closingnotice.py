"""The messages that tell a borrower that the loan is settled, or is open again."""

from datetime import datetime

from domain.calendar import latest_in_window, local_day
from domain.kernel.message import Message
from domain.loan.aggregate import HoldKind, Installment, Loan, NoticeRecord
from domain.loan.notice import NOTICE, QueuedNotice
from domain.loanclosure.closure import Leg, LoanClosure
from domain.loanclosure.rules import LegKind

CLOSING_RULE = -1
"""Stands in a notice for the rule of the plan of reminders: it follows none."""
CLOSING_QUEUED = "closing_notice_queued"
"""What the journal calls the beginning of such a message."""
TEMPLATES = {LegKind.TELL_BORROWER: "loan_settled", LegKind.TELL_REVOKED: "loan_reopened"}
"""By leg, the template of its message."""


def queued(
    loan: Loan, closure: LoanClosure, leg: Leg, channel: str, at: datetime
) -> tuple[NoticeRecord, Message]:
    """The message of a leg, and the record of it, which lies with the last installment."""
    item, allowed = loan.installments[-1], loan.product.reminders.allowed
    notice = NoticeRecord(leg.reference, CLOSING_RULE, leg.tries, channel, at, due_on=item.due_on)
    certificate = closure.certificate
    body = QueuedNotice(
        message_id=leg.reference,
        channel=channel,
        to=loan.borrower,
        language=loan.product.language,
        template=TEMPLATES[leg.kind],
        not_after=latest_in_window(local_day(at, allowed.timezone), allowed),
        values={
            "loan": loan.id,
            "installment": str(item.number),
            "amount_minor": "0",
            "currency": loan.currency,
            "due_on": item.due_on.isoformat(),
            "settled_on": closure.value_on.isoformat(),
            "certificate": "" if certificate is None else certificate.code,
        },
    )
    return notice, NOTICE.message(f"notice/{leg.reference}", body)


def bar(item: Installment) -> str:
    """Why the borrower may not be told now; empty: they may."""
    held = item.hold in {HoldKind.CONTACT, HoldKind.ALL}
    return f"on hold ({item.hold})" if held else ""
