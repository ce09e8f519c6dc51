"""The command that takes a loan on the books."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from domain.debit.mandate import Mandate
from domain.kernel.command import Scope
from domain.loan.command import LoanCommand
from domain.loan.mandates import unknown_mandate_key
from domain.loan.opening import Opening
from domain.loan.product import Product
from domain.pricing.schedule import ScheduleLine


class Past(StrEnum):
    """What became of installments that fell due before the day of boarding."""

    REFUSE = "refuse"
    """Nobody said: a loan that has some is not boarded."""
    IGNORE = "ignore"
    """They were settled elsewhere and are never collected here."""
    OWED = "owed"
    """They are owed: debited at once, with the penalty since their due dates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardLoan(LoanCommand):
    """Take a loan on the books with its schedule and pinned product."""

    kind: Literal["board_loan"] = "board_loan"
    tenant: str
    borrower: str
    currency: str
    principal_minor: int
    disbursed_on: date
    product: Product
    mandate: Mandate
    schedule: tuple[ScheduleLine, ...]
    past: Past = Past.REFUSE
    opening: Opening | None = None
    """What it brings from another system; None for a loan that begins here."""

    def scope(self) -> Scope:
        """Its loan, and its mandate, which other loans may share, or whose end may be known."""
        ref = self.mandate.ref
        ended = unknown_mandate_key(self.mandate.rail, ref)
        debits = self.opening.attempts if self.opening is not None else ()
        return Scope(
            loans=(self.loan_id,),
            mandate_roots=(ref,),
            accounts=(self.mandate.account_token,),
            payers=(self.borrower,),
            cases=(ended,),
            orders=tuple(attempt.order_no for attempt in debits),
        )

    def content(self) -> Mapping[str, object]:
        """What is boarded. Of each line its number, due date and amounts.

        The days of a line and the balance after it follow from the terms, and a sender that gives
        rows instead of terms does not know how the days were counted.
        """
        lines = tuple(
            (line.number, line.due_on, line.principal, line.interest, line.fee)
            for line in self.schedule
        )
        return {**super(BoardLoan, self).content(), "schedule": lines}
