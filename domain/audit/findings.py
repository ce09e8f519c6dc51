"""What an audit can find."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """Kinds of findings: what the audit found to be wrong."""

    DOUBLE_DEBIT = "double_debit"
    """Sent while an earlier order had no final outcome, or a surplus without a case."""
    LOST_PAYMENT = "lost_payment"
    """A success at the rail that never reached the books."""
    CLOSED_NOT_PAID = "closed_not_paid"
    """Closed without the money."""
    PAID_NOT_CLOSED = "paid_not_closed"
    """Paid, past the time in which it should close, and nobody has been asked about it."""
    STUCK = "stuck"
    """Nothing is owed, and the state is one in which something is owed."""
    UNEXPLAINED = "unexplained"
    """The bank moved money that the books do not have, or the other way round."""
    NO_INTENT = "no_intent"
    """The bank has an order that the books did not intend, or one with other content."""
    UNBALANCED = "unbalanced"
    """Postings do not sum to zero."""
    ITEMS_DIFFER = "items_differ"
    """An account is not the sum of its open items."""
    CHAIN = "chain"
    """The hash chain is broken."""
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
