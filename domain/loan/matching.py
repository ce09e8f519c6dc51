"""Orders about the link between a booked bank line and the money of a loan.

A line that carries no reference of ours, or one that nobody knows, waits in suspense. A person who
knows whose money it is says so, and can take it back: every order here undoes another.
"""

from dataclasses import dataclass
from typing import Literal

from domain.loan.command import OrderCommand, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchOrder(OrderCommand):
    """Names a line by its id (`account/booking date/mark`) and a receipt by its reference."""

    line: str
    reference: str

    def scope(self) -> Scope:
        """Its loan and line, and whichever loan holds the reference."""
        return Scope(loans=(self.loan_id,), receipts=(self.reference,), lines=(self.line,))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchLine(MatchOrder):
    """So much of a waiting line is the money of this receipt, or of its return; minor units.

    A reference that nobody knows makes a receipt of it: the line is the first news of the payment.
    """

    kind: Literal["match_line"] = "match_line"
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMatch(MatchOrder):
    """A line does not prove this receipt after all: it waits again, the receipt is unproven."""

    kind: Literal["undo_match"] = "undo_match"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPayment(OrderCommand):
    """A payment that somebody recorded and no line proves was none: what it paid is owed again."""

    kind: Literal["withdraw_payment"] = "withdraw_payment"
    reference: str
