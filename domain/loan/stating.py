"""The order by which a person states what became of a debit whose rail cannot say."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from domain.debit.outcome import OutcomeClass
from domain.kernel.command import Scope
from domain.loan.command import OrderCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOutcome(OrderCommand):
    """State the final outcome of a debit order in doubt, by evidence that two people have seen.

    `outcome_class` says it in our classes: SUCCESS with the `amount_minor` that was taken,
    NOT_FOUND for an order that was never executed, or why it was refused. `proof` names the
    evidence. `taken_on`: the value date of what was taken; that of the order unless given.
    """

    story: ClassVar[str] = "outcome stated"

    kind: Literal["state_outcome"] = "state_outcome"
    order_no: str
    outcome_class: OutcomeClass
    proof: str
    amount_minor: int = 0
    taken_on: date | None = None

    def least(self, _term: str, /) -> int:
        """Zero: nothing may have been taken."""
        return 0

    def scope(self) -> Scope:
        """Its loan, and the order with what is known of its money."""
        return Scope(loans=(self.loan_id,), orders=(self.order_no,))
