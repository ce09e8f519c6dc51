"""What an audit can find."""

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """Kinds of findings, each with the invariant of the house that is broken."""

    DOUBLE_DEBIT = "double_debit"
    """I1: sent while an earlier order lacked a verdict, or a surplus without a case."""
    LOST_PAYMENT = "lost_payment"
    """I3: a success at the rail that never reached the books."""
    CLOSED_NOT_PAID = "closed_not_paid"
    """I5: closed without the money."""
    PAID_NOT_CLOSED = "paid_not_closed"
    """Paid, past the time in which it should close, and nobody has been asked about it."""
    STUCK = "stuck"
    """I16: it owes nothing and waits as if it did."""
    UNEXPLAINED = "unexplained"
    """I7: the bank moved money that the books do not have, or the other way round."""
    NO_INTENT = "no_intent"
    """I2: the bank has an order that the books did not intend, or another content of it."""
    UNBALANCED = "unbalanced"
    """I4: postings do not sum to zero."""
    ITEMS_DIFFER = "items_differ"
    """I6: an account is not the sum of its open items."""
    CHAIN = "chain"
    """I8: the hash chain is broken."""
    CONTACT = "contact"
    """I12: a message outside the contact rules."""
    ATTEMPTS = "attempts"
    """I13: more attempts than allowed, or one after a hard refusal."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: about what, in words, and how much money it is about."""

    kind: FindingKind
    subject: str
    text: str
    minor: int = 0
    currency: str = ""
