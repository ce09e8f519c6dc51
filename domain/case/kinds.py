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
    PAYOUT_FAILED = "payout_failed"
    REMITTANCE_RETURNED = "remittance_returned"
    # Money that nothing owed can take.
    SURPLUS = "surplus"
    LATE_SUCCESS = "late_success"
    DOUBLE_EXECUTION = "double_execution"
    REFUND_OVERDUE = "refund_overdue"
    REFUND_UNREACHABLE = "refund_unreachable"
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
    STATEMENT_UNBALANCED = "statement_unbalanced"
    STATEMENT_MISSING = "statement_missing"
    STATEMENT_REFUSED = "statement_refused"
    STATEMENT_NOT_FETCHED = "statement_not_fetched"
    STATEMENT_RESTATED = "statement_restated"
    LINE_FAILED = "line_failed"
    UNREGISTERED_ACCOUNT = "unregistered_account"
    UNKNOWN_MANDATE = "unknown_mandate"
    MANDATE = "mandate"
    MANDATE_BARRED = "mandate_barred"
    READ_DIFFERENTLY = "read_differently"
    REPORT_OF_ANOTHER_CHANNEL = "report_of_another_channel"
    RAIL_OUTAGE = "rail_outage"
    THRESHOLD = "threshold"
    DEAD_LETTER = "dead_letter"
    CLOSURE_OVERDUE = "closure_overdue"
    CLOSURE_REJECTED = "closure_rejected"


OF_WAITING_LINES = (CaseKind.UNMATCHED_LINE, CaseKind.OTHER_CURRENCY)
"""Kinds of the cases of a bank line that waits."""


class Blocks(StrEnum):
    """Which gates a case keeps shut while it is open."""

    BOTH = "both"
    """Neither released nor closed: the installment that it is about, or every one of its loan."""
    CLOSING = "closing"
    """May be released; may not be closed."""
    LOAN = "loan"
    """No installment, but the loan as a whole may not be closed."""
    NOTHING = "nothing"


class Cause(StrEnum):
    """Who brought a case about, for the count of causes."""

    SYSTEM = "system"
    """Our own programs or data."""
    COUNTERPARTY = "counterparty"
    """A bank, a gateway, a carrier or a payee."""
    HUMAN = "human"
    """A person's mistake, the payer's included."""
    WILFUL = "wilful"
    """Somebody's intent."""


@dataclass(frozen=True, slots=True)
class CaseRule:
    """What a kind of case blocks, who works on it, how it came about as a rule, how it ends.

    Attributes:
        ends: the evidence that ends it, in words, where only evidence can: a person may not, since
            what it stands for would be there still. Empty where a person may end it.
        driven: it has a driver of its own from its opening on, and not only once it is assigned.
    """

    blocks: Blocks
    owner: str
    cause: Cause
    ends: str = ""
    driven: bool = False

    @property
    def blocks_release(self) -> bool:
        """Whether an installment cannot be released while the case is open."""
        return self.blocks is Blocks.BOTH

    @property
    def blocks_closing(self) -> bool:
        """Whether an installment cannot be closed while the case is open."""
        return self.blocks in {Blocks.BOTH, Blocks.CLOSING}


_K, _C = CaseKind, Cause
_OPERATIONS, _RECONCILIATION, _SETTLEMENT = "operations", "reconciliation", "settlement"
_ROWS: tuple[tuple[CaseKind, Blocks, str, Cause, str], ...] = (
    (_K.CONTRADICTION, Blocks.BOTH, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.LINE_CONTRADICTION, Blocks.BOTH, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.MORE_THAN_ORDERED, Blocks.BOTH, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.LINE_DIFFERS, Blocks.BOTH, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.COMPLAINT, Blocks.BOTH, "complaints", _C.HUMAN, ""),
    (_K.MANDATE_DISPUTE, Blocks.BOTH, "complaints", _C.HUMAN, ""),
    (_K.OTHER_ACCOUNT, Blocks.CLOSING, _RECONCILIATION, _C.COUNTERPARTY, ""),
    (_K.UNMATCHED_LINE, Blocks.CLOSING, _RECONCILIATION, _C.HUMAN, "the line is explained"),
    (_K.OTHER_CURRENCY, Blocks.CLOSING, _RECONCILIATION, _C.COUNTERPARTY, "the line is explained"),
    (_K.SPLIT_MISMATCH, Blocks.CLOSING, _RECONCILIATION, _C.SYSTEM, ""),
    (_K.RETURN_OF_MORE, Blocks.CLOSING, _SETTLEMENT, _C.COUNTERPARTY, ""),
    (_K.RECEIVABLE, Blocks.CLOSING, _SETTLEMENT, _C.COUNTERPARTY, ""),
    (_K.SHORTAGE, Blocks.CLOSING, _SETTLEMENT, _C.SYSTEM, ""),
    (_K.PAYOUT_IN_DOUBT, Blocks.CLOSING, _SETTLEMENT, _C.COUNTERPARTY, ""),
    (_K.SURPLUS, Blocks.LOAN, _OPERATIONS, _C.HUMAN, "the money is applied or given back"),
    (_K.LATE_SUCCESS, Blocks.LOAN, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.DOUBLE_EXECUTION, Blocks.LOAN, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.REFUND_OVERDUE, Blocks.LOAN, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.REFUND_UNREACHABLE, Blocks.LOAN, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.NEEDS_OPERATOR, Blocks.NOTHING, _OPERATIONS, _C.SYSTEM, ""),
    (_K.DEFECTIVE_SUCCESS, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.UNKNOWN_CODE, Blocks.NOTHING, _OPERATIONS, _C.SYSTEM, ""),
    (_K.UNKNOWN_ORDER, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.UNPARSED_EVENT, Blocks.NOTHING, _OPERATIONS, _C.SYSTEM, ""),
    (_K.NO_REMINDER_DELIVERED, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.RETURNED_AFTER_CLOSING, Blocks.NOTHING, _OPERATIONS, _C.HUMAN, ""),
    (_K.RAIL_OUTAGE, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.MANDATE, Blocks.NOTHING, _OPERATIONS, _C.HUMAN, "the installment is delinquent no more"),
    (_K.MANDATE_BARRED, Blocks.NOTHING, _OPERATIONS, _C.HUMAN, "the mandate is cleared or left"),
    (_K.DEAD_LETTER, Blocks.NOTHING, _OPERATIONS, _C.SYSTEM, "the message is delivered or dropped"),
    (_K.READ_DIFFERENTLY, Blocks.NOTHING, _OPERATIONS, _C.SYSTEM, ""),
    (_K.REPORT_OF_ANOTHER_CHANNEL, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.THRESHOLD, Blocks.NOTHING, _OPERATIONS, _C.SYSTEM, "the figure is below its limit again"),
    (_K.CLOSURE_OVERDUE, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, "the leg is done or waived"),
    (_K.CLOSURE_REJECTED, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, "it is asked for again"),
    (_K.UNSETTLED, Blocks.NOTHING, _RECONCILIATION, _C.COUNTERPARTY, "it is proven or returned"),
    (_K.STATEMENT_GAP, Blocks.NOTHING, _RECONCILIATION, _C.COUNTERPARTY, ""),
    (_K.STATEMENT_UNBALANCED, Blocks.NOTHING, _RECONCILIATION, _C.COUNTERPARTY, ""),
    (_K.STATEMENT_MISSING, Blocks.NOTHING, _RECONCILIATION, _C.COUNTERPARTY, ""),
    (_K.STATEMENT_REFUSED, Blocks.NOTHING, _RECONCILIATION, _C.COUNTERPARTY, ""),
    (_K.STATEMENT_NOT_FETCHED, Blocks.NOTHING, _RECONCILIATION, _C.COUNTERPARTY, ""),
    (_K.STATEMENT_RESTATED, Blocks.NOTHING, _RECONCILIATION, _C.COUNTERPARTY, ""),
    (_K.LINE_FAILED, Blocks.NOTHING, _RECONCILIATION, _C.SYSTEM, ""),
    (_K.UNKNOWN_MANDATE, Blocks.NOTHING, _OPERATIONS, _C.COUNTERPARTY, ""),
    (_K.UNREGISTERED_ACCOUNT, Blocks.NOTHING, _RECONCILIATION, _C.HUMAN, ""),
    (_K.PAYOUT_FAILED, Blocks.NOTHING, _SETTLEMENT, _C.COUNTERPARTY, ""),
    (_K.REMITTANCE_RETURNED, Blocks.NOTHING, _SETTLEMENT, _C.COUNTERPARTY, ""),
    (_K.REMITTANCE_SHORTFALL, Blocks.NOTHING, _SETTLEMENT, _C.SYSTEM, ""),
)  # fmt: skip
_DRIVEN = frozenset({_K.COMPLAINT, _K.MANDATE_DISPUTE, _K.PAYOUT_IN_DOUBT, _K.RETURN_OF_MORE})
"""Kinds with a driver from the opening on: their deadlines are set by a law or a bank."""
CASE_RULES: Mapping[CaseKind, CaseRule] = MappingProxyType(
    {
        kind: CaseRule(blocks, owner, cause, ends, kind in _DRIVEN)
        for kind, blocks, owner, cause, ends in _ROWS
    }
)
"""One row for each kind; a test compares the two."""
