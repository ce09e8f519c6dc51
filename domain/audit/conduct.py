"""Checks on messages: only ours, only in the allowed hours, none once payment is known."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.audit.facts import BooksFacts, TruthFacts
from domain.audit.findings import Finding, FindingKind
from domain.audit.tally import Item, Tally
from domain.loan.aggregate import Installment, Loan, NoticeRecord

Known = tuple[Loan, Installment, NoticeRecord]


def known_messages(books: BooksFacts) -> dict[str, Known]:
    """Every message of the books by its id."""
    return {
        record.message_id: (loan, item, record)
        for loan in books.loans
        for item in loan.installments
        for record in item.notices
    }


def contact(books: BooksFacts, truth: TruthFacts, sums: Tally) -> Iterator[Finding]:
    """Every message that a provider took, against the rules of its product."""
    known = known_messages(books)
    for notice in truth.notices:
        if notice.message_id not in known:
            text = "a provider has a message that the books do not know"
            yield Finding(FindingKind.CONTACT, notice.message_id, text)
            continue
        loan, item, record = known[notice.message_id]
        hours = loan.product.reminders.allowed
        local = notice.received_at.astimezone(ZoneInfo(hours.timezone))
        if not hours.opens <= local.time() < hours.closes:
            text = f"sent at {local:%H:%M}, allowed {hours.opens:%H:%M} to {hours.closes:%H:%M}"
            yield Finding(FindingKind.CONTACT, notice.message_id, text)
        if _was_paid((loan.id, item.number), record.queued_at, sums):
            text = "queued after the payment was known"
            yield Finding(FindingKind.CONTACT, notice.message_id, text)


def _was_paid(item: Item, at: datetime, sums: Tally) -> bool:
    """Whether the installment had been charged and owed nothing before that instant."""
    before = [minor for moved_at, minor in sums.owed_moves.get(item, ()) if moved_at < at]
    return bool(before) and sum(before) == 0
