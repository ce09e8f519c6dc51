"""Makes one statement per account and banking day, and the faults in handing it out."""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import date
from typing import Any

from simulator.bank.camt import to_csv, to_xml
from simulator.bank.entries import Statement, entries_of
from simulator.bank.transfers import stranger
from simulator.clock import DAY, DAY_ENDS_AT, HOUR, at, iso
from simulator.dice import between, chance, draw
from simulator.world import World

PAGE = 1000
"""Most rows of one listing."""


def end_day(world: World, account: str, now: int) -> None:
    """Write the account's statement of its next day and plan the following day end."""
    row = world.db.one("SELECT * FROM accounts WHERE account = ?", account)
    if row is None:
        return
    day = date.fromisoformat(row["next_day"])
    stranger(world, account, day)
    movements = world.db.all(
        "SELECT * FROM movements WHERE account = ? AND booked_on <= ? AND statement_id IS NULL"
        " ORDER BY id",
        account,
        day.isoformat(),
    )
    seq = row["seq"] + 1
    name = f"{account}-{day:%Y%m%d}-{seq:06d}"
    closing = row["balance"] + sum(move["amount_minor"] for move in movements)
    statement = Statement(
        name,
        account,
        row["currency"],
        day.isoformat(),
        seq,
        row["balance"],
        closing,
        entries_of(world, movements),
        iso(now),
    )
    _publish(world, statement, now)
    world.db.run(
        "UPDATE movements SET statement_id = ?"
        " WHERE account = ? AND booked_on <= ? AND statement_id IS NULL",
        name,
        account,
        day.isoformat(),
    )
    following = world.days.after(day, 1)
    world.db.run(
        "UPDATE accounts SET balance = ?, seq = ?, next_day = ? WHERE account = ?",
        closing,
        seq,
        following.isoformat(),
        account,
    )
    world.db.schedule(at(following, DAY_ENDS_AT), "day_end", account)


def _publish(world: World, statement: Statement, now: int) -> None:
    key = (world.seed, statement.account, statement.date)
    available = now
    if chance(world.rates.statement_late, *key, "late"):
        available += DAY * between(1, 5, *key, "days late") + 9 * HOUR
    _keep(world, statement, statement.id, to_xml(statement), available)
    if chance(world.rates.statement_repeated, *key, "repeated"):
        marked = chance(500_000, *key, "marked as duplicate")
        again = available + HOUR * between(1, 60, *key, "repeated after")
        _keep(world, statement, statement.id + "-R", to_xml(statement, duplicate=marked), again)


def _keep(world: World, statement: Statement, listed_id: str, xml: str, available: int) -> None:
    world.db.insert(
        "statements",
        {
            "id": listed_id,
            "account": statement.account,
            "date": statement.date,
            "seq": statement.seq,
            "opening_minor": statement.opening_minor,
            "closing_minor": statement.closing_minor,
            "entries": len(statement.entries),
            "available_ms": available,
            "copy_of": None if listed_id == statement.id else statement.id,
            "sha256": hashlib.sha256(xml.encode()).hexdigest(),
            "xml": xml,
            "csv": to_csv(statement),
        },
    )
    world.db.schedule(available, "published", listed_id)


def listing(world: World, query: tuple[str, str, str], call: int, now: int) -> dict[str, Any]:
    """List what is available of (account, from, to), sometimes in no useful order."""
    account, first, last = query
    rows = world.db.all(
        "SELECT id, account, date, seq, sha256, available_ms FROM statements"
        " WHERE (? = '' OR account = ?) AND date >= ? AND date <= ? AND available_ms <= ?"
        " ORDER BY account, available_ms, seq, id LIMIT ?",
        account,
        account,
        first or "0000",
        last or "9999",
        now,
        PAGE,
    )
    if chance(world.rates.statement_shuffled, world.seed, *query, "shuffled", call):
        rows.sort(key=lambda row: draw(world.seed, row["id"], call))
    return {"statements": [_shown(row) for row in rows]}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    shown = {name: row[name] for name in ("id", "account", "date", "seq", "sha256")}
    return shown | {"available_at": iso(row["available_ms"])}


def content(world: World, listed_id: str, form: str, now: int) -> str | None:
    """Return the XML or CSV of an available statement, else None."""
    row = world.db.one(
        "SELECT xml, csv FROM statements WHERE id = ? AND available_ms <= ?", listed_id, now
    )
    return None if row is None else str(row["csv" if form == "csv" else "xml"])
