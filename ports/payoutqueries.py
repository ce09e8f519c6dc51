"""What the sweep of remittances asks of the books: what is open for payees, and what they owe."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Remittable:
    """What is open and proven of one party, currency and bank account. Amounts in minor units.

    Attributes:
        oldest_on: the ledger's day since which the longest open of it is due.
    """

    party: str
    currency: str
    account: str
    items: int
    minor: int
    oldest_on: date


class PayoutQueries(Protocol):
    """Questions about all payees at once."""

    async def remittable(self, parties: tuple[str, ...]) -> tuple[Remittable, ...]:
        """What a payout could take of these parties, in order of party, currency and account."""
        ...

    async def requests_of(
        self, party: str, currency: str, account: str, cut_off_on: date
    ) -> tuple[str, ...]:
        """States of the payouts that were requested for a cut-off, by their numbers."""
        ...

    async def owing(self) -> tuple[tuple[str, str, str], ...]:
        """Party, currency and account wherever something is to be given back, in order."""
        ...

    async def loans_to_set_off(
        self, party: str, currency: str, account: str, limit: int
    ) -> tuple[str, ...]:
        """Loans with what a party has to give back, and with what it is due to pay that with.

        The loans that it owes come first, then those in which it is due something, at most `limit`.
        """
        ...
