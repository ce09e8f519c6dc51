"""Orders about the link between a booked bank line and the money of a loan.

A line that carries no reference of ours, or one that nobody knows, waits in suspense. A person who
knows whose money it is matches it, and can undo the match.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar, Literal

from domain.kernel.canonical import ADDED_LATER
from domain.kernel.command import Command, Scope
from domain.loan.aggregate import of_order
from domain.loan.command import OrderCommand


@dataclass(frozen=True, slots=True)
class Also:
    """Another loan of the same payer that a payment pays too.

    `amount_minor` is how much of the payment is for it; without one, what fell due first is paid
    first over all loans that have none.
    """

    loan_id: str
    amount_minor: int | None = None


class Basis(StrEnum):
    """On what ground a line is matched."""

    NAMED = "named"
    """A person names payment and amount."""
    FOUND = "found"
    """A pass of matching found it, and the product posts what it finds."""
    ACCEPTED = "accepted"
    """A person accepts what a tolerant pass proposed."""
    FORCED = "forced"
    """A person posts it by hand against what the passes say; somebody else approves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchOrder(OrderCommand):
    """Names a line by its id (`account/booking date/mark`) and a payment of the loan."""

    line: str
    reference: str

    def scope(self) -> Scope:
        """Its loan and line, and the payments of this name or order with all their loans."""
        refs = (self.reference,)
        return Scope(loans=(self.loan_id,), payments=refs, orders=refs, lines=(self.line,))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchLine(MatchOrder):
    """Match an amount of a waiting line with a payment, or with its return; minor units.

    `reference` is the payment's id, its order number or the payer's reference. One that no unproven
    payment has makes a payment of it: the line is its first news, of the order where it is an
    order's number, else of a transfer. On a debit line the amount came back, whether the rail has
    reported that or not. `fee_minor` is what the bank kept of it inside the line; an amount of 0
    books nothing but a fee. A payment that the line makes may pay other loans of the payer too:
    `also` names them. `basis` says on what ground; a forced match needs an approver.
    """

    story: ClassVar[str] = "match with a bank line ordered"

    kind: Literal["match_line"] = "match_line"
    amount_minor: int
    fee_minor: int = field(default=0, metadata=ADDED_LATER)
    also: tuple[Also, ...] = ()
    basis: Basis = field(default=Basis.NAMED, metadata=ADDED_LATER)

    def least(self, term: str, /) -> int:
        """Zero of the fee, and of the amount beside one: a rest of a line may be only a fee."""
        return 0 if term == "fee_minor" or self.fee_minor > 0 else 1

    def scope(self) -> Scope:
        """What else waits under the reference, and its other loans, as well."""
        loans = (self.loan_id, *(other.loan_id for other in self.also))
        named = super(MatchLine, self).scope()
        return replace(named, loans=loans, waiting=(self.reference, of_order(self.reference)))


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMatch(MatchOrder):
    """Undo a match: the line's money waits again and the payment is unproven."""

    story: ClassVar[str] = "end of a match ordered"

    kind: Literal["undo_match"] = "undo_match"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPayment(OrderCommand):
    """Take back a recorded payment that no line proves: what it paid is owed again."""

    story: ClassVar[str] = "withdrawal of a payment ordered"

    kind: Literal["withdraw_payment"] = "withdraw_payment"
    reference: str

    def scope(self) -> Scope:
        """Its loan, and the payments of this name with all their loans."""
        return Scope(loans=(self.loan_id,), payments=(self.reference,))


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestMatch(Command):
    """Have the case of a waiting line say what is suggested: what the passes of matching found."""

    kind: Literal["suggest_match"] = "suggest_match"
    line: str
    text: str

    def scope(self) -> Scope:
        """The line with its cases."""
        return Scope(lines=(self.line,))
