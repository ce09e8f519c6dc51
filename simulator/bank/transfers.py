"""Transfers on the merchant's accounts that no rail had a part in."""

from __future__ import annotations

from datetime import date
from typing import Any

from simulator.bank.accounts import Booking, book
from simulator.clock import day_of
from simulator.dice import between, chance, token
from simulator.world import World

LARGEST = 10**15


def stranger(world: World, account: str, day: date) -> None:
    """Book what somebody unknown pays in on a day, by a chance of account and day."""
    key = (world.seed, account, day.isoformat(), "stranger")
    if not chance(world.rates.stranger, *key):
        return
    amount = between(1, 500_000, *key, "amount")
    ref = "CR" + token(*key)
    text = f"transfer {token(*key, 'text', length=6)}"
    book(world, account, day, Booking("credit", amount, ref, None, None, None, None, text))


def faulty_field(body: dict[str, Any]) -> str | None:
    """Name the first field of a transfer that is missing or not valid, or return None."""
    amount = body.get("amount_minor")
    if not isinstance(body.get("account"), str):
        return "account"
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < abs(amount) < LARGEST:
        return "amount_minor"
    return None if isinstance(body.get("text", ""), str) else "text"


def transfer(world: World, body: dict[str, Any], now: int) -> str | None:
    """Book a transfer, in where the amount is above zero, else out; fields have been checked.

    Returns the bank's reference, None where there is no such account.
    """
    account, amount = body["account"], body["amount_minor"]
    if world.db.one("SELECT 1 FROM accounts WHERE account = ?", account) is None:
        return None
    number = world.db.bump(f"TRANSFER {account}")
    ref = ("CR" if amount > 0 else "DR") + token(world.seed, account, "transfer", number)
    kind = "credit" if amount > 0 else "transfer"
    text = body.get("text", "") or f"transfer {number}"
    book(world, account, day_of(now), Booking(kind, amount, ref, None, None, None, None, text))
    return ref
