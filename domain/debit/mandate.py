"""The authority to debit a payer's account."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Mandate:
    """What the payer agreed to: payee, account, cap in minor units per debit, term.

    `account_token` stands for the account in a vault outside; the number itself never enters here.
    """

    ref: str
    rail: str
    merchant_id: str
    account_token: str
    valid_from: date
    valid_to: date | None = None
    cap_minor: int | None = None
    attempts_max: int | None = None
    ended_on: date | None = None

    def allows(self, day: date) -> bool:
        """Whether a debit value-dated `day` is within the mandate's term."""
        if day < self.valid_from or (self.valid_to is not None and day > self.valid_to):
            return False
        return self.ended_on is None or day < self.ended_on
