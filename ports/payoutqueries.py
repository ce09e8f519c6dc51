"""What the sweep of remittances asks of the books: what is open for payees, and what they owe."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from domain.payout.payout import Payout


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


@dataclass(frozen=True, slots=True)
class Refundable:
    """A payment of which money waits that its payer may get back.

    Attributes:
        value_on: the day on which it counts.
        requests: how many refunds of it have been requested.
    """

    payment: str
    value_on: date
    requests: int


class PayoutQueries(Protocol):
    """Questions about all payees at once, and about money that may go back to payers."""

    async def refundable(self, after: str, limit: int) -> tuple[Refundable, ...]:
        """Proven payments of which money waits and no refund is under way, after one of them."""
        ...

    async def refunds(self, payment: str, after: str, limit: int) -> tuple[Payout, ...]:
        """Refunds in the order of their keys, after one of them; of one payment, or (empty) all."""
        ...

    async def remittable(self, parties: tuple[str, ...]) -> tuple[Remittable, ...]:
        """What a payout could take of these parties, in order of party, currency and account."""
        ...

    async def unremitted(self) -> tuple[Remittable, ...]:
        """What is open and proven of every party, and with nothing of it, whose case is open."""
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
