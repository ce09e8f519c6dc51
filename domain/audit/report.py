"""The audit: all checks, counted and listed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from domain.audit.bank import unexplained
from domain.audit.conduct import contact, known_messages
from domain.audit.debits import allowed_attempts, double_debits, intents
from domain.audit.facts import BooksFacts, ChainFact, TruthFacts
from domain.audit.findings import Finding, FindingKind
from domain.audit.ledger import chain, items_differ, unbalanced
from domain.audit.payments import by_order, closed_not_paid, lost_payments, paid_not_closed, stuck
from domain.audit.tally import tally
from domain.debit.attempt import Attempt, AttemptState
from domain.money import decimal_text

__all__ = ["AuditReport", "Finding", "FindingKind", "audit"]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the audit counted and found; clean when it found nothing.

    Attributes:
        attempts: by outcome class where the rail gave one, else by state.
        paid_not_closed: paid and later than its time, with or without a case; those without are
            findings. `closing` are paid and still within their time.
        open_attempts: orders whose final outcome is still asked for.
        open_cases: what waits for a person, by kind. `suspense`: money that waits, minor units by
            currency. Neither is a finding: they are known and seen.
        posts: how often the bank was sent an order; one for each attempt unless a first never came.
    """

    loans: int
    installments: Mapping[str, int]
    attempts: Mapping[str, int]
    receipts: int
    returns: int
    reminders: int
    open_attempts: int
    open_cases: Mapping[str, int]
    suspense: Mapping[str, int]
    closing: int
    posts: int
    paid_not_closed: int
    chain: ChainFact
    findings: tuple[Finding, ...]

    def count(self, kind: FindingKind) -> int:
        """Findings of one kind."""
        return sum(1 for finding in self.findings if finding.kind is kind)

    @property
    def unexplained_minor(self) -> int:
        """Money at the bank and not in the books, or the other way round, item by item."""
        kind = FindingKind.UNEXPLAINED
        return sum(finding.minor for finding in self.findings if finding.kind is kind)

    @property
    def balanced(self) -> bool:
        """Every entry sums to zero, and accounts are the sums of their items."""
        return not (self.count(FindingKind.UNBALANCED) or self.count(FindingKind.ITEMS_DIFFER))

    @property
    def chain_ok(self) -> bool:
        """The hash chain is intact and counts every posting."""
        return self.count(FindingKind.CHAIN) == 0

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_dict(self) -> dict[str, object]:
        """The report under the names that other programs read."""
        return {
            "loans": self.loans,
            "installments": dict(self.installments),
            "attempts": dict(self.attempts),
            "receipts": self.receipts,
            "returns": self.returns,
            "reminders": self.reminders,
            "double_debits": self.count(FindingKind.DOUBLE_DEBIT),
            "lost_payments": self.count(FindingKind.LOST_PAYMENT),
            "closed_not_paid": self.count(FindingKind.CLOSED_NOT_PAID),
            "paid_not_closed": self.paid_not_closed,
            "unexplained_minor": self.unexplained_minor,
            "ledger": {
                "entries": self.chain.entries,
                "postings": self.chain.postings,
                "balanced": self.balanced,
                "chain_ok": self.chain_ok,
                "head": self.chain.head,
            },
            "open_attempts": self.open_attempts,
            "open_cases": dict(self.open_cases),
            "suspense": {
                currency: decimal_text(minor, currency) for currency, minor in self.suspense.items()
            },
            "closing": self.closing,
            "posts": self.posts,
            "findings": [
                {
                    "kind": finding.kind.value,
                    "subject": finding.subject,
                    "text": finding.text,
                    "minor": finding.minor,
                    "currency": finding.currency,
                }
                for finding in self.findings
            ],
            "clean": self.clean,
        }


def audit(books: BooksFacts, truth: TruthFacts) -> AuditReport:
    """Compare the books with the bank's log, and the books with themselves."""
    sums, bank = tally(books.postings), by_order(truth, books.as_of)
    unclosed = tuple(paid_not_closed(books, sums))
    late = [item for item in unclosed if item.is_late]
    findings = (
        *double_debits(books, truth, sums),
        *intents(books, truth),
        *lost_payments(books, bank, sums),
        *closed_not_paid(books, bank, sums),
        *(item.finding() for item in late if not item.has_case),
        *stuck(books, sums),
        *unexplained(books, truth, sums),
        *unbalanced(sums),
        *items_differ(books, sums),
        *chain(books),
        *contact(books, truth, sums),
        *allowed_attempts(books),
    )
    known = known_messages(books)
    attempts = [attempt for loan in books.loans for _, attempt in loan.attempts()]
    receipts = [receipt for loan in books.loans for receipt in loan.receipts]
    states = Counter(item.state.value for loan in books.loans for item in loan.installments)
    return AuditReport(
        loans=len(books.loans),
        installments=dict(sorted(states.items())),
        attempts=dict(sorted(Counter(_outcome(attempt) for attempt in attempts).items())),
        receipts=len(receipts),
        returns=sum(1 for item in receipts if item.returned_minor and not item.is_withdrawn),
        reminders=sum(1 for notice in truth.notices if notice.message_id in known),
        open_attempts=sum(1 for attempt in attempts if attempt.is_live),
        open_cases=dict(sorted(Counter(case.kind for case in books.cases).items())),
        suspense={currency: minor for currency, minor in sorted(sums.suspense.items()) if minor},
        closing=len(unclosed) - len(late),
        posts=sum(order.posts for order in truth.orders),
        paid_not_closed=len(late),
        chain=books.chain,
        findings=findings,
    )


def _outcome(attempt: Attempt) -> str:
    ended_by_class = attempt.state in {AttemptState.CONFIRMED, AttemptState.DECLINED}
    if ended_by_class and attempt.outcome_class is not None:
        return attempt.outcome_class.value
    return attempt.state.value
