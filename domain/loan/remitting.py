"""What a loan learns of payouts: which of its shares have reached their payees."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.loan.command import LoanCommand
from domain.payout.items import PayoutItem


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
