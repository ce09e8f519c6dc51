"""What the books hold about one loan, in the parts of an evidence bundle."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple, Protocol

from domain.ledger.checkpoint import TreeHead

JOURNAL = "journal.jsonl"
PARTS = (
    JOURNAL,
    "decisions.jsonl",
    "loan.json",
    "product.json",
    "attempts.jsonl",
    "notices.jsonl",
    "payments.jsonl",
    "lines.jsonl",
    "payouts.jsonl",
    "cases.jsonl",
    "certificate.json",
)
"""The parts in their order. `.json` has one row, or none where the books hold nothing of it."""
ROWS_MOST = 100_000
"""Most rows of a part: a loan of which there is more is not exported, and the refusal says so."""


class PartRow(NamedTuple):
    """One row of a part: plain values, as JSON has them."""

    part: str
    row: Mapping[str, Any]


class LaterItems(Exception):
    """The journal has items about the loan that the checkpoint does not cover."""


class Evidence(Protocol):
    """Reads what a bundle holds. Each call sees one state of the books."""

    def of_loan(self, loan_id: str, head: TreeHead) -> AsyncGenerator[PartRow]:
        """The rows of every part in the order of `PARTS`, streamed; memory does not grow.

        Rows of the journal carry their proof under the checkpoint. The same books and checkpoint
        give the same rows.

        Raises:
            InvalidInput: there is no such loan, or there are more rows than `ROWS_MOST`.
            InvariantBroken: the journal is not what the checkpoint covers.
            LaterItems: something about the loan was written after the checkpoint.
        """
        ...
