"""What an audit can find, and how findings are kept: all counted, the first of each kind listed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

KEPT = 100
"""Most findings of one kind that an audit lists; all are counted."""


class FindingKind(StrEnum):
    """Kinds of findings: what the audit found to be wrong."""

    DOUBLE_DEBIT = "double_debit"
    """Intended or sent while an earlier order had no final outcome, or a surplus without a case."""
    LOST_PAYMENT = "lost_payment"
    """A success at the rail that never reached the books."""
    CLOSED_NOT_PAID = "closed_not_paid"
    """Released or closed without the money."""
    GATE = "gate"
    """A gate was passed while something that it asks for was missing."""
    PAID_NOT_CLOSED = "paid_not_closed"
    """Paid, past the time in which it should close, and nobody has been asked about it."""
    STUCK = "stuck"
    """Nothing is owed, and the state is one in which something is owed."""
    UNEXPLAINED = "unexplained"
    """Money that nothing explains: a line that waits unseen, or that only one side has."""
    STATEMENT = "statement"
    """A bank statement that does not add up, or does not agree with the books."""
    NO_INTENT = "no_intent"
    """An order that the books did not intend, or one with other content."""
    UNBALANCED = "unbalanced"
    """Postings do not sum to zero."""
    ITEMS_DIFFER = "items_differ"
    """An account is not the sum of its open items."""
    CHAIN = "chain"
    """The hash chain is broken, or what is kept beside the journal is not what it says."""
    MOVE = "move"
    """A state moved along no row of the tables."""
    CONTACT = "contact"
    """A message outside the contact rules."""
    ATTEMPTS = "attempts"
    """More attempts than allowed, or one after a hard refusal."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the subject, the fault in words, and the money in minor units."""

    kind: FindingKind
    subject: str
    text: str
    minor: int = 0
    currency: str = ""


@dataclass(slots=True)
class Findings:
    """Findings as they come: the first `KEPT` of each kind, and of all their number and money.

    `minors` sums the amounts of each kind without their signs.
    """

    kept: list[Finding] = field(default_factory=list)
    counts: Counter[FindingKind] = field(default_factory=Counter)
    minors: Counter[FindingKind] = field(default_factory=Counter)

    def add(self, findings: Iterable[Finding]) -> None:
        """Count findings, and keep them where their kind has not enough yet."""
        for finding in findings:
            if self.counts[finding.kind] < KEPT:
                self.kept.append(finding)
            self.more(finding.kind, 1, abs(finding.minor))

    def more(self, kind: FindingKind, count: int, minor: int = 0) -> None:
        """Count findings that nobody will list."""
        if count:
            self.counts[kind] += count
            self.minors[kind] += minor

    @property
    def found(self) -> int:
        """How many there are of all kinds, listed or not."""
        return self.counts.total()
