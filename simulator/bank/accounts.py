"""The merchant's collection accounts and what is booked on them."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from simulator.clock import DAY_ENDS_AT, at, day_of
from simulator.dice import chance, token
from simulator.store import Row
from simulator.world import World


class Booking(NamedTuple):
    """One movement to be booked; the amount is positive for money into the merchant's account.

    `rail`, `order_no` and `mandate_ref` are what a collector says that it is for.
    """

    kind: str
    amount_minor: int
    bank_ref: str
    rail: str | None
    order_no: str | None
    mandate_ref: str | None
    reason: str | None
    text: str


def open_account(world: World, stem: str, currency: str, now_ms: int) -> str:
    """Return the account of a stem and currency; a new account gets its first day end."""
    account = f"{stem}-{currency}"
    if world.db.one("SELECT 1 FROM accounts WHERE account = ?", account) is None:
        first = world.days.on_or_after(day_of(now_ms))
        if at(first, DAY_ENDS_AT) <= now_ms:
            first = world.days.after(first, 1)
        row: Row = {"account": account, "currency": currency, "balance": 0, "seq": 0}
        world.db.insert("accounts", row | {"next_day": first.isoformat()})
        world.db.schedule(at(first, DAY_ENDS_AT), "day_end", account)
    return account


def batch_ref(world: World, account: str, rail: str | None, day: date) -> str | None:
    """Return the batch number of a day whose debits by one rail are one entry, else None."""
    key = (world.seed, account, rail or "", day.isoformat())
    if chance(world.profile.batch, *key, "batch"):
        return "BT" + token(*key, "batch number", length=14)
    return None


def book(world: World, account: str, wanted: date, booking: Booking) -> str | None:
    """Book a movement on `wanted` or the first day still open; return its batch number or None."""
    row = world.db.one("SELECT * FROM accounts WHERE account = ?", account)
    if row is None:
        msg = f"no account {account}"
        raise LookupError(msg)
    day = max(world.days.on_or_after(wanted), date.fromisoformat(row["next_day"]))
    batch = batch_ref(world, account, booking.rail, day) if booking.kind == "debit" else None
    world.db.insert(
        "movements",
        booking._asdict()
        | {
            "id": "MV" + token(world.seed, booking.bank_ref, booking.kind),
            "account": account,
            "currency": row["currency"],
            "batch_ref": batch,
            "booked_on": day.isoformat(),
            "value_on": day.isoformat(),
            "statement_id": None,
        },
    )
    return batch
