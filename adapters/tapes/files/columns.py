"""The canonical columns of a tape, and those that state what became of a debt."""

from domain.loan.debthistory import DebtSums

REQUIRED = ("loan_id", "principal", "annual_rate", "periods", "disbursed_on", "product")
OPTIONAL = (
    "tenant",
    "borrower",
    "currency",
    "first_due_on",
    "installment",
    "mandate_ref",
    "account_token",
    "merchant_id",
    "mandate_cap",
    "mandate_valid_to",
    "past",
)
COMPONENTS = ("principal", "interest", "fee", "penalty")
"""What amounts of loans in progress are given for."""
PAID = tuple(f"paid_{name}" for name in COMPONENTS)
WAIVED = tuple(f"waived_{name}" for name in COMPONENTS)
WRITTEN_OFF = tuple(f"written_off_{name}" for name in COMPONENTS)
OPENING_SUMS = (*PAID, *WAIVED, *WRITTEN_OFF, "balance", "penalty_accrued", "advance", "unplaced")
"""Columns of amounts of loans in progress, in the order in which they are read and shown."""
HOLD = ("hold", "hold_reason", "hold_since")
OPENING_HEAD = ("as_of", "holder", "evidence", "advance", "advance_ref", *HOLD, "barred_by")
"""What an opening says of itself besides its sums, in the order in which it is written."""
OPENING = (
    "as_of",
    "holder",
    "evidence",
    "paid_through",
    *PAID,
    *WAIVED,
    "balance",
    "penalty_accrued",
    "written_off_on",
    *WRITTEN_OFF,
    "next_due_on",
    "next_due_amount",
    "advance",
    "advance_ref",
    "unplaced",
    *HOLD,
    "barred_by",
    "mandate_valid_from",
    "mandate_ended_on",
)
"""Columns of loans in progress; none of them is given without `as_of`."""
LOANS = "loans"
"""How many rows a control row is about; no loan has it."""
CANONICAL = (*REQUIRED, *OPTIONAL, *OPENING, LOANS)


def sums_by_column(
    sums: DebtSums, advance_minor: int = 0, unplaced_minor: int = 0
) -> dict[str, int]:
    """What became of a debt, in minor units by the columns that state it; costs are left out."""
    found = (
        *(sums.paid.values()[:-1] + sums.waived.values()[:-1] + sums.written_off.values()[:-1]),
        sums.owed.principal,
        sums.owed.penalty,
        advance_minor,
        unplaced_minor,
    )
    return dict(zip(OPENING_SUMS, found, strict=True))
