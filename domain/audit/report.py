"""The report of an audit: what was counted, and what was found."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from domain.audit.findings import Finding, FindingKind, Findings
from domain.debit.attempt import AttemptState
from domain.money import decimal_text


@dataclass(frozen=True, slots=True)
class ChainFact:
    """What recomputing the hash chain gave."""

    entries: int
    postings: int
    head: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What only a comparison with the bank's own log can count.

    Attributes:
        reminders: messages of ours that a provider took.
        posts: how often the bank was sent an order; one for each attempt unless a first never came.
    """

    reminders: int
    posts: int


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
        bank: None unless the books were compared with the bank's own log.
    """

    loans: int
    installments: Mapping[str, int]
    attempts: Mapping[str, int]
    payments: int
    returns: int
    open_attempts: int
    open_cases: Mapping[str, int]
    suspense: Mapping[str, int]
    closing: int
    paid_not_closed: int
    chain: ChainFact
    found: Findings
    bank: Compared | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that are listed; there may be more of a kind."""
        return tuple(self.found.kept)

    def count(self, kind: FindingKind) -> int:
        """Findings of one kind, listed or not."""
        return self.found.counts[kind]

    @property
    def unexplained_minor(self) -> int:
        """Money that nothing explains, or that only one side has, item by item."""
        return self.found.minors[FindingKind.UNEXPLAINED]

    @property
    def balanced(self) -> bool:
        """Every entry sums to zero, and accounts are the sums of their items."""
        return not (self.count(FindingKind.UNBALANCED) or self.count(FindingKind.ITEMS_DIFFER))

    @property
    def chain_ok(self) -> bool:
        """The hash chain is intact, and so is what is kept beside the journal."""
        return self.count(FindingKind.CHAIN) == 0

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.found.found

    def against(self, bank: Compared, findings: Iterable[Finding]) -> "AuditReport":
        """The report with what a comparison with the bank's log counted and found."""
        both = Findings(list(self.found.kept), +self.found.counts, +self.found.minors)
        both.add(findings)
        return replace(self, found=both, bank=bank)

    def as_dict(self) -> dict[str, object]:
        """The report under the names that other programs read."""
        facts: dict[str, object] = {
            "loans": self.loans,
            "installments": dict(self.installments),
            "attempts": dict(self.attempts),
            "payments": self.payments,
            "returns": self.returns,
        }
        if self.bank is not None:
            facts["reminders"] = self.bank.reminders
        facts["double_debits"] = self.count(FindingKind.DOUBLE_DEBIT)
        if self.bank is not None:
            facts["lost_payments"] = self.count(FindingKind.LOST_PAYMENT)
        facts |= {
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
        }
        if self.bank is not None:
            facts["posts"] = self.bank.posts
        counts = sorted((kind.value, count) for kind, count in self.found.counts.items())
        return facts | {
            "found": dict(counts),
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


def outcomes(attempts: Iterable[tuple[str, str | None, int]]) -> Mapping[str, int]:
    """Attempts by what came of them, from counts by state and outcome class."""
    found: Counter[str] = Counter()
    by_class = {AttemptState.CONFIRMED, AttemptState.DECLINED}
    for state, outcome_class, count in attempts:
        named = outcome_class if state in by_class and outcome_class is not None else state
        found[named] += count
    return dict(sorted(found.items()))
