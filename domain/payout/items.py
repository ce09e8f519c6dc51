"""The items of a payout: which share of which payment it pays, and how many there are in sum."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

SEPARATOR = "\x1f"
"""Between the parts of an item where they are hashed: no id holds a control character."""


class PayoutItem(NamedTuple):
    """A share that a payout pays: minor units of one component of one installment, of a payment."""

    loan_id: str
    payment: str
    number: int
    component: str
    minor: int


@dataclass(frozen=True, slots=True)
class ItemSum:
    """What the items of a payout come to.

    `digest` is SHA-256 over all of them in the order of their keys; `oldest_on` is the ledger's day
    since which the longest open of them is due to its payee.
    """

    count: int
    minor: int
    digest: str
    oldest_on: date | None = None


class Summing:
    """Sums up items that come in the order of their keys, one at a time."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._count = self._minor = 0
        self._oldest_on: date | None = None

    def take(self, item: PayoutItem, since: date | None = None) -> None:
        """Add an item; `since`: the day since which it is due."""
        self._hash.update((SEPARATOR.join(map(str, item)) + "\n").encode())
        self._count += 1
        self._minor += item.minor
        if since is not None:
            self._oldest_on = min(since, self._oldest_on or since)

    def result(self) -> ItemSum:
        """What all of them come to."""
        return ItemSum(self._count, self._minor, self._hash.hexdigest(), self._oldest_on)
