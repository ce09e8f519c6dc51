"""Bank accounts as they are registered: whose each is, what for, which rails settle on it."""

from dataclasses import dataclass
from enum import StrEnum

from domain.ledger.chain import LEDGER

US = "us"
"""The owner of our own accounts; any other owner is a party of the products."""


class Purpose(StrEnum):
    """What a bank account is for."""

    COLLECTION = "collection"
    """Rails settle on it what they take from payers."""
    PAYEE = "payee"
    """A party's own account, on which its share arrives directly."""
    PAYOUT = "payout"
    """Money leaves from it to payees and payers."""
    OPERATING = "operating"
    """Fees and costs; no rail settles on it."""


@dataclass(frozen=True, slots=True)
class BankAccount:
    """A registered bank account.

    `owner` is a party of the products, or `US`. `rails` are the names of those that settle on it,
    `currency` is that of every line on it, in ISO 4217. `ledger` is the chain in which its lines
    are booked. `may_pay_from`: whether a payout may leave it. `virtual_prefix`: the digits
    that the bank puts before the virtual accounts of it; empty where it has none.
    """

    name: str
    owner: str
    purpose: Purpose
    currency: str
    rails: frozenset[str] = frozenset()
    may_pay_from: bool = False
    ledger: str = LEDGER
    virtual_prefix: str = ""
