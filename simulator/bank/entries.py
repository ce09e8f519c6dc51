"""Statement entries: groups the movements of one day, and writes amounts as text."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from simulator.dice import chance
from simulator.world import World

EXPONENTS = {
    "JPY": 0,
    "KRW": 0,
    "VND": 0,
    "CLP": 0,
    "KWD": 3,
    "BHD": 3,
    "OMR": 3,
    "TND": 3,
    "JOD": 3,
}
"""Digits after the point (ISO 4217) where they are not two."""


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction: amount signed and without the fee, fee zero or above, minor units."""

    kind: str
    amount_minor: int
    fee_minor: int
    bank_ref: str | None
    end_to_end_id: str
    mandate_ref: str | None
    reason: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked entry; its amount is the sum of its lines less their fees."""

    ref: str
    batch_ref: str | None
    lines: tuple[Line, ...]

    @property
    def amount_minor(self) -> int:
        """Return the signed amount that the balance moves by."""
        return sum(line.amount_minor - line.fee_minor for line in self.lines)


@dataclass(frozen=True, slots=True)
class Statement:
    """What one day's statement says; opening plus entries is closing, always."""

    id: str
    account: str
    currency: str
    date: str
    seq: int
    opening_minor: int
    closing_minor: int
    entries: tuple[Entry, ...]
    created_at: str


def decimal(minor: int, currency: str) -> str:
    """Write an amount of at least zero with the currency's digits."""
    digits = EXPONENTS.get(currency, 2)
    if digits == 0:
        return str(minor)
    return f"{minor // 10**digits}.{minor % 10**digits:0{digits}d}"


def entries_of(world: World, movements: Sequence[sqlite3.Row]) -> tuple[Entry, ...]:
    """Group movements: a batch is one entry, a return and its fee are one entry."""
    groups: dict[str, list[sqlite3.Row]] = {}
    for row in movements:
        taken_back = row["kind"] in {"return", "fee"}
        key = f"return {row['bank_ref']}" if taken_back else row["batch_ref"] or row["bank_ref"]
        groups.setdefault(key, []).append(row)
    return tuple(_entry(world, rows) for rows in groups.values())


def _entry(world: World, rows: list[sqlite3.Row]) -> Entry:
    batch = rows[0]["batch_ref"]
    if batch is not None:
        return Entry(batch, batch, tuple(_line(world, row, 0) for row in rows))
    fee = sum(-row["amount_minor"] for row in rows if row["kind"] == "fee")
    main = next(row for row in rows if row["kind"] != "fee")
    ref = main["id"] if main["kind"] == "return" else main["bank_ref"]
    return Entry(ref, None, (_line(world, main, fee),))


def _line(world: World, row: sqlite3.Row, fee: int) -> Line:
    bare = row["kind"] == "return" and chance(
        world.profile.bare_return, world.seed, row["bank_ref"], "bare"
    )
    known = row["order_no"] is not None and not bare
    return Line(
        row["kind"],
        row["amount_minor"],
        fee,
        row["bank_ref"] if known else None,
        row["order_no"] if known else "NOTPROVIDED",
        row["mandate_ref"],
        row["reason"],
        row["text"],
    )
