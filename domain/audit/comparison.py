"""The comparison of the books with a bank's own log: what only the two together can tell."""

from domain.audit.bank import unexplained
from domain.audit.conduct import contact, known_messages
from domain.audit.debits import double_debits, intents
from domain.audit.facts import BooksFacts, TruthFacts
from domain.audit.payments import by_order, closed_not_paid, lost_payments
from domain.audit.report import AuditReport, Compared
from domain.audit.tally import tally


def compare(report: AuditReport, books: BooksFacts, truth: TruthFacts) -> AuditReport:
    """The report on the books with what their comparison with the bank's log adds to it."""
    sums, bank = tally(books.postings), by_order(truth, books.as_of)
    known = known_messages(books)
    return report.against(
        Compared(
            reminders=sum(1 for notice in truth.notices if notice.message_id in known),
            posts=sum(order.posts for order in truth.orders),
        ),
        (
            *double_debits(books, truth),
            *intents(books, truth),
            *lost_payments(books, bank, sums),
            *closed_not_paid(books, bank, sums),
            *unexplained(books, truth, sums),
            *contact(books, truth),
        ),
    )
