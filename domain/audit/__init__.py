"""An audit from outside: the bank's own log of what it did against what the books say.

Nothing here calls `decide`. Sums are taken anew from the postings of the journal and compared with
the aggregates on one side and with the bank's truth on the other.
"""

from domain.audit.facts import (
    BooksFacts,
    ChainFact,
    TruthExecution,
    TruthFacts,
    TruthMovement,
    TruthNotice,
    TruthOrder,
    TruthStatement,
)
from domain.audit.report import AuditReport, Finding, FindingKind, audit

__all__ = [
    "AuditReport",
    "BooksFacts",
    "ChainFact",
    "Finding",
    "FindingKind",
    "TruthExecution",
    "TruthFacts",
    "TruthMovement",
    "TruthNotice",
    "TruthOrder",
    "TruthStatement",
    "audit",
]
