"""The truth logs: what was received and what money was moved, whatever was said to anyone.

The bank, each rail and the notice providers keep one of their own; all of them are one file here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from simulator.clock import iso
from simulator.world import World

BANK, RAIL, NOTICES = ("movements", "statements"), ("orders", "webhooks", "refusals"), ("notices",)
"""The tables of each log; webhooks and refusals explain, the others are fact."""
TABLES = ("orders", "movements", "notices", "statements", "webhooks", "refusals")

_SQL = {
    "orders": "SELECT o.*, COALESCE(c.n, 0) AS posts FROM orders o"
    " LEFT JOIN calls c ON c.key = 'POST ' || o.rail || '/' || o.order_no ORDER BY o.ref",
    "movements": "SELECT id, account, rail, order_no, kind, amount_minor, currency, booked_on,"
    " value_on, statement_id, bank_ref, mandate_ref, batch_ref, reason"
    " FROM movements ORDER BY booked_on, id",
    "notices": "SELECT * FROM notices ORDER BY message_id",
    "statements": "SELECT id, account, date, seq, opening_minor, closing_minor, entries, sha256,"
    " available_ms, copy_of FROM statements ORDER BY account, seq, id",
    "webhooks": "SELECT rail, webhook_id, type, order_no, flavour, attempts, state, due_ms"
    " FROM webhooks ORDER BY webhook_id, flavour, id",
    "refusals": "SELECT rail, order_no, at_ms, code FROM refusals ORDER BY at_ms, order_no",
}
_INSTANTS = {"available_ms": "available_at", "due_ms": "due_at", "at_ms": "at"}


def rows(world: World, table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one of TABLES."""
    executions = _executions(world) if table == "orders" else {}
    for row in world.db.all(_SQL[table]):
        match table:
            case "orders":
                yield _order(row, executions.get(row["ref"], []))
            case "notices":
                yield _notice(row)
            case _:
                yield {
                    _INSTANTS.get(name, name): iso(row[name]) if name in _INSTANTS else row[name]
                    for name in row.keys()  # noqa: SIM118 - a row is no dict
                }


def log(world: World, tables: Sequence[str], rail: str | None = None) -> dict[str, Any]:
    """Return these tables, of one rail where it is given."""
    return {
        table: [row for row in rows(world, table) if rail is None or row["rail"] == rail]
        for table in tables
    }


def _executions(world: World) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in world.db.all("SELECT * FROM executions ORDER BY executed_ms, bank_ref"):
        done = {name: row[name] for name in ("bank_ref", "amount_minor", "value_on")}
        done["executed_at"] = iso(row["executed_ms"])
        found.setdefault(row["order_ref"], []).append(done)
    return found


def _order(row: sqlite3.Row, executions: list[dict[str, Any]]) -> dict[str, Any]:
    plain = (
        "rail",
        "order_no",
        "merchant_id",
        "mandate_ref",
        "amount_minor",
        "currency",
        "value_on",
        "posts",
    )
    return {name: row[name] for name in plain} | {
        "received_at": iso(row["received_ms"]),
        "executions": executions,
        "final_status": None if row["status"] == "PENDING" else row["status"],
        "code": row["code"],
    }


def _notice(row: sqlite3.Row) -> dict[str, Any]:
    plain = ("message_id", "channel", "subject", "text", "lang", "provider_id", "outcome", "posts")
    shown = {name: row[name] for name in plain}
    return shown | {"to": row["recipient"], "received_at": iso(row["received_ms"])}


def messages(world: World, recipient: str) -> list[dict[str, Any]]:
    """Return notices in order of arrival, of one recipient unless it is empty; at most 10,000."""
    found = world.db.all(
        "SELECT * FROM notices WHERE ? = '' OR recipient = ?"
        " ORDER BY received_ms, message_id LIMIT 10000",
        recipient,
        recipient,
    )
    return [_notice(row) for row in found]
