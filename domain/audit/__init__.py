"""What must always hold: of the books by themselves, and between them and a bank's own log.

Nothing here calls `decide`. `questions` states what the books are asked about many items at once;
`moves`, `orders`, `unclosed` and `bankdays` judge what needs more than sums. `comparison` adds what
only the bank's own record of what it did can tell.
"""

from domain.audit.comparison import compare
from domain.audit.facts import (
    BooksFacts,
    TruthExecution,
    TruthFacts,
    TruthMovement,
    TruthNotice,
    TruthOrder,
    TruthStatement,
)
from domain.audit.findings import Finding, FindingKind, Findings
from domain.audit.report import AuditReport, ChainFact, Compared

__all__ = [
    "AuditReport",
    "BooksFacts",
    "ChainFact",
    "Compared",
    "Finding",
    "FindingKind",
    "Findings",
    "TruthExecution",
    "TruthFacts",
    "TruthMovement",
    "TruthNotice",
    "TruthOrder",
    "TruthStatement",
    "compare",
]
