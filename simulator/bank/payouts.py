"""Transfers that the bank's customer orders: idempotent by order number, executed now or later.

What becomes of one follows from seed and order number: declined, executed at once or later, and
now and then sent back by the payee's bank some days after. The answers have the shape of a rail's.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from typing import Any

from simulator.bank.accounts import Booking, book, open_account
from simulator.clock import HOUR, SECOND, at, day_of, iso
from simulator.codes import TEXTS, plain_answer
from simulator.dice import between, chance, token
from simulator.world import World

FIELDS = {
    "order_no": str,
    "account": str,
    "beneficiary": str,
    "amount_minor": int,
    "currency": str,
}
NUMBER = re.compile(r"[A-Za-z0-9._:~-]{1,35}")
DECLINED, DONE, WAITING = "62", "00", "05"
UNKNOWN_ACCOUNT = "nobody"
"""A beneficiary that begins so has no account: the transfer is declined."""
CLOSED_ACCOUNT = "closed"
"""A beneficiary that begins so takes no money: the transfer comes back after a banking day."""


def faulty_field(body: dict[str, Any]) -> str | None:
    """Name the first field of a transfer that is missing or not valid, or return None."""
    for name, kind in FIELDS.items():
        if not isinstance(body.get(name), kind) or isinstance(body.get(name), bool):
            return name
    if not NUMBER.fullmatch(body["order_no"]):
        return "order_no"
    if not 0 < body["amount_minor"] < 10**15:
        return "amount_minor"
    return None if re.fullmatch(r"[A-Z]{3}", body["currency"]) else "currency"


def find(world: World, order_no: str) -> sqlite3.Row | None:
    """Return the row of a transfer, or None."""
    return world.db.one("SELECT * FROM payouts WHERE order_no = ?", order_no)


def payout_answer(row: sqlite3.Row) -> dict[str, Any]:
    """Return the stored state of a transfer in the common shape."""
    done = row["status"] == "SUCCESS"
    return {
        "order_no": row["order_no"],
        "code": row["code"],
        "text": TEXTS[row["code"]],
        "status": row["status"],
        "amount_minor": row["amount_minor"],
        "executed_minor": row["amount_minor"] if done else 0,
        "currency": row["currency"],
        "bank_ref": row["bank_ref"] if done else None,
        "executed_at": iso(row["executed_ms"]) if done else None,
        "batch_ref": None,
    }


def accept(world: World, body: dict[str, Any], now: int) -> dict[str, Any]:
    """Take a transfer, or answer the stored state of one taken before; fields have been checked."""
    order_no = body["order_no"]
    print_ = hashlib.sha256(json.dumps({k: body[k] for k in FIELDS}).encode()).hexdigest()
    known = find(world, order_no)
    if known is not None:
        same = known["fingerprint"] == print_
        return payout_answer(known) if same else plain_answer(order_no, "12")
    account = body["account"]
    suffix = f"-{body['currency']}"
    if not account.endswith(suffix):
        return plain_answer(order_no, "13")
    open_account(world, account.removesuffix(suffix), body["currency"], now)
    late = chance(world.rates.pending, world.seed, order_no, "payout pending")
    row = {name: body[name] for name in FIELDS} | {
        "fingerprint": print_,
        "received_ms": now,
        "code": WAITING,
        "status": "PENDING",
        "bank_ref": "PO" + token(world.seed, order_no, "payout"),
        "executed_ms": None,
    }
    world.db.insert("payouts", row)
    if late:
        most = world.profile.pending_max_s
        span = SECOND * between(120, most, world.seed, order_no, "payout pending for")
        world.db.schedule(now + span, "payout", order_no)
    else:
        execute(world, order_no, now)
    stored = find(world, order_no)
    return plain_answer(order_no, "04", "PENDING") if stored is None else payout_answer(stored)


def inquire(world: World, order_no: str) -> dict[str, Any]:
    """Answer the state of a transfer; 34 where it is unknown."""
    row = find(world, order_no)
    return plain_answer(order_no, "34", "NOT_FOUND") if row is None else payout_answer(row)


def execute(world: World, order_no: str, now: int) -> None:
    """Bring a transfer to its end: booked as a debit line that carries its order number."""
    row = find(world, order_no)
    if row is None or row["status"] != "PENDING":
        return
    refused = row["beneficiary"].startswith(UNKNOWN_ACCOUNT)
    if refused or chance(world.rates.decline, world.seed, order_no, "payout declined"):
        _end(world, order_no, DECLINED, "DECLINED", now)
        return
    _book(world, row, "payout", -row["amount_minor"], row["bank_ref"], now)
    _end(world, order_no, DONE, "SUCCESS", now)
    closed = row["beneficiary"].startswith(CLOSED_ACCOUNT)
    if closed or chance(world.rates.returned, world.seed, order_no, "payout returned"):
        day = world.days.after(day_of(now), 1 if closed else 2)
        world.db.schedule(at(day, 10 * HOUR), "bounce", order_no)


def bounce(world: World, order_no: str, now: int) -> None:
    """The payee's bank sends a transfer back: a credit line that carries its order number."""
    row = find(world, order_no)
    if row is not None:
        ref = f"{row['bank_ref']}R"
        _book(world, row, "payout_return", row["amount_minor"], ref, now, "AC04")


def _end(world: World, order_no: str, code: str, status: str, now: int) -> None:
    world.db.run(
        "UPDATE payouts SET code = ?, status = ?, executed_ms = ? WHERE order_no = ?",
        code,
        status,
        now,
        order_no,
    )


def _book(
    world: World,
    row: sqlite3.Row,
    kind: str,
    minor: int,
    ref: str,
    now: int,
    reason: str | None = None,
) -> None:
    text = "transfer to a payee" if minor < 0 else "transfer sent back"
    booking = Booking(kind, minor, ref, None, row["order_no"], None, reason, text)
    book(world, row["account"], day_of(now), booking)
