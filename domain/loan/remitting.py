"""What loans learn of payouts, and what is set off before them."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.kernel.command import Command, Scope
from domain.loan.command import LoanCommand
from domain.payout.items import PayoutItem

LOANS_MOST = 100
"""Loans of one set-off: it is written in one transaction under the locks of all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRemitted(LoanCommand):
    """A payout of some shares of a loan is proven, or (`returned`) has come back.

    `party` and `place` are the payee and the account of the payout, `items` those of the loan.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["record_remitted"] = "record_remitted"
    payout: str
    party: str
    place: str
    items: tuple[PayoutItem, ...]
    returned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOff(Command):
    """Set off what a party is due of some loans against what it has to give back of them.

    Both lie on one account in one currency. The loans are those in which the sweep has found
    either; how much is set off is decided under their locks.
    """

    kind: Literal["set_off"] = "set_off"
    party: str
    currency: str
    account: str
    loans: tuple[str, ...]

    def scope(self) -> Scope:
        """The loans."""
        return Scope(loans=self.loans)
