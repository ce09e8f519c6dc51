"""Mandates at a rail: sign up, look up, end. An ended mandate stays ended."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import Any

from simulator.world import World

COLUMNS = ("account_token", "cap_minor", "currency", "valid_from", "valid_to")


def faulty_field(body: dict[str, Any]) -> str | None:
    """Name the first field that is missing or not valid, or return None."""
    for name in ("account_token", "currency", "valid_from"):
        if not isinstance(body.get(name), str) or not body[name]:
            return name
    cap = body.get("cap_minor")
    if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or cap <= 0):
        return "cap_minor"
    for name in ("valid_from", "valid_to"):
        if body.get(name) is not None:
            try:
                date.fromisoformat(body[name])
            except (TypeError, ValueError):
                return name
    return None


def look_up(world: World, rail: str, mandate_ref: str) -> dict[str, Any] | None:
    """Return a mandate with its status, or None."""
    row = find(world, rail, mandate_ref)
    if row is None:
        return None
    return {name: row[name] for name in ("mandate_ref", "status", *COLUMNS)}


def sign_up(world: World, rail: str, mandate_ref: str, body: dict[str, Any]) -> dict[str, Any]:
    """Create or amend a mandate; an ended one stays ended. Fields have been checked."""
    known = find(world, rail, mandate_ref)
    if known is None or known["status"] == "ACTIVE":
        world.db.run("DELETE FROM mandates WHERE rail = ? AND mandate_ref = ?", rail, mandate_ref)
        row = {name: body.get(name) for name in COLUMNS}
        world.db.insert(
            "mandates", row | {"rail": rail, "mandate_ref": mandate_ref, "status": "ACTIVE"}
        )
    return look_up(world, rail, mandate_ref) or {}


def end(world: World, rail: str, mandate_ref: str) -> dict[str, Any] | None:
    """End a mandate; return it, or None where it is unknown."""
    world.db.run(
        "UPDATE mandates SET status = 'ENDED' WHERE rail = ? AND mandate_ref = ?", rail, mandate_ref
    )
    return look_up(world, rail, mandate_ref)


def find(world: World, rail: str, mandate_ref: str) -> sqlite3.Row | None:
    """Return a mandate's row, or None."""
    sql = "SELECT * FROM mandates WHERE rail = ? AND mandate_ref = ?"
    return world.db.one(sql, rail, mandate_ref)
