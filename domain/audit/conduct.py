"""Checks on messages that a provider took: only ours, only in the allowed hours."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from domain.audit.facts import BooksFacts, TruthFacts
from domain.audit.findings import Finding, FindingKind
from domain.loan.aggregate import Loan


def known_messages(books: BooksFacts) -> dict[str, Loan]:
    """The loan of every message of the books, by the message's id."""
    return {
        record.message_id: loan
        for loan in books.loans
        for item in loan.installments
        for record in item.notices
    }


def contact(books: BooksFacts, truth: TruthFacts) -> Iterator[Finding]:
    """Every message that a provider took, against the rules of its product."""
    known = known_messages(books)
    for notice in truth.notices:
        if notice.message_id not in known:
            text = "a provider has a message that the books do not know"
            yield Finding(FindingKind.CONTACT, notice.message_id, text)
            continue
        loan = known[notice.message_id]
        hours = loan.product.reminders.allowed
        local = notice.received_at.astimezone(ZoneInfo(hours.timezone))
        if not hours.opens <= local.time() < hours.closes:
            text = f"sent at {local:%H:%M}, allowed {hours.opens:%H:%M} to {hours.closes:%H:%M}"
            yield Finding(FindingKind.CONTACT, notice.message_id, text)
