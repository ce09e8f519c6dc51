"""Kinds of cases: for each, whether it keeps a gate shut while it is open, and who works on it.

The table is the only place that says so. Whoever opens a case names its kind and nothing else, and
a kind without a row cannot be opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class CaseKind(StrEnum):
    """What a case is about."""

    # Two sources say different things, or somebody disputes what was done.
    CONTRADICTION = "contradiction"
    LINE_CONTRADICTION = "line_contradiction"
    MORE_THAN_ORDERED = "more_than_ordered"
    LINE_DIFFERS = "line_differs"
    COMPLAINT = "complaint"
    MANDATE_DISPUTE = "mandate_dispute"
    # The borrower's side is done; a payee's is not.
    OTHER_ACCOUNT = "other_account"
    UNMATCHED_LINE = "unmatched_line"
    RETURN_OF_MORE = "return_of_more"
    RECEIVABLE = "receivable"
    SHORTAGE = "shortage"
    SPLIT_MISMATCH = "split_mismatch"
    OTHER_CURRENCY = "other_currency"
    PAYOUT_IN_DOUBT = "payout_in_doubt"
    # Money that nothing owed can take.
    SURPLUS = "surplus"
    LATE_SUCCESS = "late_success"
    DOUBLE_EXECUTION = "double_execution"
    REFUND_OVERDUE = "refund_overdue"
    # Tasks and reports; what they are about keeps its gate shut by itself, where it does.
    NEEDS_OPERATOR = "needs_operator"
    UNSETTLED = "unsettled"
    DEFECTIVE_SUCCESS = "defective_success"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_ORDER = "unknown_order"
    UNPARSED_EVENT = "unparsed_event"
    NO_REMINDER_DELIVERED = "no_reminder_delivered"
    RETURNED_AFTER_CLOSING = "returned_after_closing"
    REMITTANCE_SHORTFALL = "remittance_shortfall"
    STATEMENT_GAP = "statement_gap"
    STATEMENT_REFUSED = "statement_refused"
    STATEMENT_NOT_FETCHED = "statement_not_fetched"
    STATEMENT_RESTATED = "statement_restated"
    LINE_FAILED = "line_failed"
    MANDATE = "mandate"
    READ_DIFFERENTLY = "read_differently"
    REPORT_OF_ANOTHER_CHANNEL = "report_of_another_channel"
    RAIL_OUTAGE = "rail_outage"


class Blocks(StrEnum):
    """Which gates a case keeps shut while it is open."""

    BOTH = "both"
    """Neither released nor closed: the installment that it is about, or every one of its loan."""
    CLOSING = "closing"
    """May be released; may not be closed."""
    LOAN = "loan"
    """No installment, but the loan as a whole may not be closed."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class CaseRule:
    """What a kind of case blocks, and the team that owns it."""

    blocks: Blocks
    owner: str

    @property
    def blocks_release(self) -> bool:
        """Whether an installment cannot be released while the case is open."""
        return self.blocks is Blocks.BOTH

    @property
    def blocks_closing(self) -> bool:
        """Whether an installment cannot be closed while the case is open."""
        return self.blocks in {Blocks.BOTH, Blocks.CLOSING}


def _rules() -> dict[CaseKind, CaseRule]:
    k, operations = CaseKind, "operations"
    rows: list[tuple[Blocks, str, tuple[CaseKind, ...]]] = [
        (
            Blocks.BOTH,
            operations,
            (k.CONTRADICTION, k.LINE_CONTRADICTION, k.MORE_THAN_ORDERED, k.LINE_DIFFERS),
        ),
        (Blocks.BOTH, "complaints", (k.COMPLAINT, k.MANDATE_DISPUTE)),
        (
            Blocks.CLOSING,
            "reconciliation",
            (k.OTHER_ACCOUNT, k.UNMATCHED_LINE, k.OTHER_CURRENCY, k.SPLIT_MISMATCH),
        ),
        (
            Blocks.CLOSING,
            "settlement",
            (k.RETURN_OF_MORE, k.RECEIVABLE, k.SHORTAGE, k.PAYOUT_IN_DOUBT),
        ),
        (
            Blocks.LOAN,
            operations,
            (k.SURPLUS, k.LATE_SUCCESS, k.DOUBLE_EXECUTION, k.REFUND_OVERDUE),
        ),
        (
            Blocks.NOTHING,
            operations,
            (
                k.NEEDS_OPERATOR,
                k.DEFECTIVE_SUCCESS,
                k.UNKNOWN_CODE,
                k.UNKNOWN_ORDER,
                k.UNPARSED_EVENT,
                k.NO_REMINDER_DELIVERED,
                k.RETURNED_AFTER_CLOSING,
                k.RAIL_OUTAGE,
                k.MANDATE,
                k.READ_DIFFERENTLY,
                k.REPORT_OF_ANOTHER_CHANNEL,
            ),
        ),
        (
            Blocks.NOTHING,
            "reconciliation",
            (
                k.UNSETTLED,
                k.STATEMENT_GAP,
                k.STATEMENT_REFUSED,
                k.STATEMENT_NOT_FETCHED,
                k.STATEMENT_RESTATED,
                k.LINE_FAILED,
            ),
        ),
        (Blocks.NOTHING, "settlement", (k.REMITTANCE_SHORTFALL,)),
    ]
    return {kind: CaseRule(blocks, owner) for blocks, owner, kinds in rows for kind in kinds}


CASE_RULES: Mapping[CaseKind, CaseRule] = MappingProxyType(_rules())
"""One row for each kind; a test compares the two."""
