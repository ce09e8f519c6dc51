"""Direct debit orders as the merchant sees them: accept, inquire, cancel."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from datetime import date
from typing import Any

from simulator.bank.accounts import open_account
from simulator.clock import OPENS_AT, SECOND, at, day_of, in_service, iso, next_service
from simulator.codes import INSUFFICIENT, TEXTS, plain_answer
from simulator.dice import between
from simulator.rail.execution import execute, finish
from simulator.rail.plans import plan_order
from simulator.store import Row
from simulator.world import RailSettings, World

FIELDS = {
    "order_no": str,
    "merchant_id": str,
    "mandate_ref": str,
    "amount_minor": int,
    "currency": str,
    "value_on": str,
    "purpose": str,
}
NUMBER = re.compile(r"[A-Za-z0-9._:~-]{1,35}")
ANOTHER_TRY_MS = 180 * SECOND
"""Orders this close together were sent side by side: neither is a retry of the other."""


def order_answer(row: sqlite3.Row) -> dict[str, Any]:
    """Return the stored state of an order in the common shape."""
    return {
        "order_no": row["order_no"],
        "code": row["code"],
        "text": TEXTS[row["code"]],
        "status": row["status"],
        "amount_minor": row["amount_minor"],
        "executed_minor": row["executed_minor"],
        "bank_ref": row["bank_ref"],
        "executed_at": None if row["executed_ms"] is None else iso(row["executed_ms"]),
        "batch_ref": row["batch_ref"],
    }


def faulty_field(body: dict[str, Any]) -> str | None:
    """Name the first field that is missing or not valid, or return None."""
    for name, kind in FIELDS.items():
        if not isinstance(body.get(name), kind) or isinstance(body.get(name), bool):
            return name
    if not NUMBER.fullmatch(body["order_no"]):
        return "order_no"
    if not 0 < body["amount_minor"] < 10**15:
        return "amount_minor"
    if not re.fullmatch(r"[A-Z]{3}", body["currency"]):
        return "currency"
    try:
        date.fromisoformat(body["value_on"])
    except ValueError:
        return "value_on"
    return None


def reference(rail: RailSettings, order_no: str) -> str:
    """Return what an order is known by here: a number is used once by each merchant of a rail."""
    return f"{rail.name}/{rail.merchant_id}/{order_no}"


def find(world: World, rail: RailSettings, order_no: str) -> sqlite3.Row | None:
    """Return the order's row, or None."""
    return world.db.one("SELECT * FROM orders WHERE ref = ?", reference(rail, order_no))


def accept(world: World, rail: RailSettings, body: dict[str, Any], now: int) -> dict[str, Any]:
    """Take an order, or answer the stored state of one taken before; fields have been checked."""
    print_ = hashlib.sha256(json.dumps({k: body[k] for k in FIELDS}).encode()).hexdigest()
    known = find(world, rail, body["order_no"])
    if known is not None:
        same = known["fingerprint"] == print_
        return order_answer(known) if same else plain_answer(body["order_no"], "12")
    if not in_service(now):
        _refuse(world, rail, body["order_no"], "39", now)
        return plain_answer(body["order_no"], "39")
    return _take(world, rail, body, print_, now)


def _refuse(world: World, rail: RailSettings, order_no: str, code: str, now: int) -> None:
    row: Row = {"rail": rail.name, "order_no": order_no, "at_ms": now, "code": code}
    world.db.insert("refusals", row)


def _take(
    world: World, rail: RailSettings, body: dict[str, Any], fingerprint: str, now: int
) -> dict[str, Any]:
    account = open_account(world, rail.account, body["currency"], now)
    order_no, amount = body["order_no"], body["amount_minor"]
    nsf = _nsf_before(world, rail, body["mandate_ref"], now)
    plan = plan_order(world.rates, world.seed, order_no, amount, nsf)
    ref = reference(rail, order_no)
    world.db.insert(
        "orders",
        {name: body[name] for name in FIELDS}
        | {
            "ref": ref,
            "rail": rail.name,
            "account": account,
            "fingerprint": fingerprint,
            "received_ms": now,
            "hidden_until_ms": now + plan.hidden_ms if plan.hidden_ms else 0,
            "plan_code": plan.code,
            "plan_minor": plan.executed_minor,
            "again_ms": plan.again_ms,
            "code": plan.pending_code if plan.pending_ms else "05",
            "status": "PENDING",
        },
    )
    due = now
    if date.fromisoformat(body["value_on"]) > day_of(now):
        spread = SECOND * between(0, 3600, world.seed, order_no, "spread")
        due = at(date.fromisoformat(body["value_on"]), OPENS_AT + spread)
    due = next_service(due + plan.pending_ms)
    if due <= now:
        execute(world, ref, now)
    else:
        world.db.schedule(due, "execute", ref)
    row = find(world, rail, order_no)
    return plain_answer(order_no, "04", "PENDING") if row is None else order_answer(row)


def _nsf_before(world: World, rail: RailSettings, mandate_ref: str, now: int) -> int:
    """Count failures for lack of funds since the mandate's last other outcome, at most ten."""
    rows = world.db.all(
        "SELECT code FROM orders WHERE rail = ? AND mandate_ref = ? AND received_ms < ?"
        " AND status NOT IN ('PENDING', 'CANCELLED') ORDER BY received_ms DESC LIMIT 10",
        rail.name,
        mandate_ref,
        now - ANOTHER_TRY_MS,
    )
    streak = 0
    for row in rows:
        if row["code"] not in INSUFFICIENT:
            break
        streak += 1
    return streak


def inquire(world: World, rail: RailSettings, order_no: str, now: int) -> dict[str, Any]:
    """Answer the state of an order; 34 where it is unknown, or not visible to inquiry yet."""
    row = find(world, rail, order_no)
    if row is None or (world.rates.hidden and now < row["hidden_until_ms"]):
        return plain_answer(order_no, "34", "NOT_FOUND")
    return order_answer(row)


def cancel(world: World, rail: RailSettings, order_no: str, now: int) -> dict[str, Any]:
    """Withdraw an order that has not been executed: 00, else 30; 34 where it is unknown."""
    row = find(world, rail, order_no)
    if row is None:
        return plain_answer(order_no, "34", "NOT_FOUND")
    if row["status"] == "PENDING":
        finish(world, row["ref"], "00", "CANCELLED", now)
    elif row["status"] != "CANCELLED":
        return order_answer(row) | {"code": "30", "text": TEXTS["30"]}
    done = find(world, rail, order_no)
    return order_answer(row if done is None else done)
