"""Queues webhooks for the merchant, with the faults of their delivery.

Signed as Standard Webhooks: base64 HMAC-SHA256 over "id.timestamp.body".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from simulator.clock import MINUTE, SECOND
from simulator.dice import between, chance, token
from simulator.world import World

NOISE = ("duplicate", "forged", "stale", "unknown")
"""Flavours that exist only because something is wrong; `real` and `lost` are the others."""


def sign(secret: str, webhook_id: str, timestamp: int, body: str) -> str:
    """Return the signature header; a secret that begins with whsec_ is base64 after it."""
    key = secret.encode()
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{webhook_id}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def emit(
    world: World, rail: str, about: str, order_no: str | None, body: dict[str, Any], at_ms: int
) -> None:
    """Queue a message about one thing (`about` names it once and for all), with its faults.

    It goes to the merchant of `rail`, under the secret that the two share.
    """
    seed, rates, kind = world.seed, world.rates, str(body["type"])
    webhook_id = "wh_" + token(seed, kind, about, length=24)
    due = at_ms + SECOND
    if chance(rates.hook_delayed, seed, webhook_id, "delayed"):
        due += SECOND * between(5, rates.hook_delay_max_s, seed, webhook_id, "delayed by")
    lost = chance(rates.hook_lost, seed, webhook_id, "lost")
    _queue(world, rail, webhook_id, order_no, "lost" if lost else "real", body, due)
    for copy in range(_copies(world, webhook_id)):
        later = due + SECOND * between(0, 3600, seed, webhook_id, "copy", copy)
        _queue(world, rail, webhook_id, order_no, "duplicate", body, later)
    if chance(rates.hook_forged, seed, webhook_id, "forged"):
        early = max(at_ms, due - MINUTE)
        _queue(world, rail, webhook_id + "F", order_no, "forged", _twisted(body), early)
    if chance(rates.hook_stale, seed, webhook_id, "stale"):
        _queue(world, rail, webhook_id, order_no, "stale", body, due + 2 * MINUTE)
    if kind == "order.finished" and chance(rates.hook_unknown, seed, webhook_id, "unknown"):
        stranger = "U" + token(seed, webhook_id, "stranger")
        other = {"type": kind, "order": {**body["order"], "order_no": stranger}}
        _queue(world, rail, webhook_id + "U", stranger, "unknown", other, due)


def _copies(world: World, webhook_id: str) -> int:
    if chance(world.rates.hook_storm, world.seed, webhook_id, "storm"):
        return between(5, 12, world.seed, webhook_id, "storm size")
    return int(chance(world.rates.hook_duplicate, world.seed, webhook_id, "duplicate"))


def _twisted(body: dict[str, Any]) -> dict[str, Any]:
    """Return the body with false content, as a forger would send it."""
    match body["type"]:
        case "order.finished":
            order = body["order"]
            paid = {"code": "00", "status": "SUCCESS", "executed_minor": order["amount_minor"]}
            return {**body, "order": {**order, **paid, "bank_ref": "BKFORGED00000000"}}
        case "order.returned":
            return {**body, "amount_minor": body["amount_minor"] + 1}
        case _:
            return {**body, "status": "delivered"}


def _queue(
    world: World,
    rail: str,
    webhook_id: str,
    order_no: str | None,
    flavour: str,
    body: dict[str, Any],
    due: int,
) -> None:
    row = {
        "rail": rail,
        "webhook_id": webhook_id,
        "type": str(body["type"]),
        "order_no": order_no,
        "flavour": flavour,
        "body": json.dumps(body, separators=(",", ":"), ensure_ascii=False),
        "due_ms": due,
        "state": "lost" if flavour == "lost" else "queued",
    }
    world.db.insert("webhooks", row)
    world.wake.set()
