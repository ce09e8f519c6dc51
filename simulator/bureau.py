"""A credit bureau, and others who are told about loans: reports by reference, taken once.

A report is received at once and recorded, or rejected, later. What becomes of one follows from seed
and reference: it is recorded, rejected for a reason that passes or for one that stays, or lost
after it was acknowledged. A loan whose id begins with one of some words has its fate by that.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.clock import SECOND, iso
from simulator.dice import between, chance, token
from simulator.edge import answer, read_object, refuse
from simulator.signing import Authenticator
from simulator.world import World

KINDS = frozenset({"opened", "state", "settled", "corrected", "disputed", "released", "recalled"})
FIELDS: dict[str, type] = {
    "reference": str,
    "kind": str,
    "loan_id": str,
    "borrower": str,
    "currency": str,
    "principal_minor": int,
    "owed_minor": int,
    "disbursed_on": str,
    "as_of": str,
}
REFERENCE = re.compile(r"[A-Z0-9]{1,40}")
BUSY, NO_ACCOUNT = "B01", "B07"
"""Rejections: the account is being worked on, and there is no such account."""
LOSES, REJECTS, DELAYS = "bureau-loses", "bureau-rejects", "bureau-delays"
"""Beginnings of ids of loans whose reports are lost once, rejected, or recorded after a day."""


def faulty_field(body: dict[str, Any]) -> str | None:
    """Name the first field of a report that is missing or not valid, or return None."""
    for name, kind in FIELDS.items():
        if not isinstance(body.get(name), kind) or isinstance(body.get(name), bool):
            return name
    if not REFERENCE.fullmatch(body["reference"]):
        return "reference"
    return None if body["kind"] in KINDS else "kind"


def take(world: World, body: dict[str, Any], call: int, now: int) -> dict[str, Any]:
    """Take a report, or answer what became of one taken before; fields have been checked."""
    reference, loan = body["reference"], body["loan_id"]
    content = json.dumps({name: body[name] for name in FIELDS}, sort_keys=True)
    print_ = hashlib.sha256(content.encode()).hexdigest()
    known = find(world, reference)
    if known is not None:
        if known["fingerprint"] != print_:
            return {"reference": reference, "status": "REJECTED", "code": "B12", "receipt": None}
        return shown(known)
    received = {"reference": reference, "status": "RECEIVED", "code": "", "receipt": None}
    lost = chance(world.rates.bureau_lost, world.seed, reference, "report lost")
    if call == 1 and (lost or loan.startswith(LOSES)):
        return received
    row = {name: body[name] for name in FIELDS} | {
        "fingerprint": print_,
        "received_ms": now,
        "status": "RECEIVED",
        "code": "",
        "receipt": "BR" + token(world.seed, reference, "receipt"),
    }
    world.db.insert("reports", row)
    span = 24 * 3600 if loan.startswith(DELAYS) else between(5, 60, world.seed, reference, "record")
    world.db.schedule(now + SECOND * span, "report", reference)
    return received


def record(world: World, reference: str, _due: int) -> None:
    """Bring a report to its end: recorded, or rejected."""
    row = find(world, reference)
    if row is None:
        return
    code = ""
    if row["loan_id"].startswith(REJECTS):
        code = NO_ACCOUNT
    elif chance(world.rates.bureau_rejected, world.seed, reference, "report rejected"):
        code = BUSY
    world.db.run(
        "UPDATE reports SET status = ?, code = ? WHERE reference = ?",
        "REJECTED" if code else "RECORDED",
        code,
        reference,
    )


def find(world: World, reference: str) -> sqlite3.Row | None:
    """Return the row of a report, or None."""
    return world.db.one("SELECT * FROM reports WHERE reference = ?", reference)


def shown(row: sqlite3.Row) -> dict[str, Any]:
    """Return what a report's sender may know of it."""
    recorded = row["status"] == "RECORDED"
    return {
        "reference": row["reference"],
        "status": row["status"],
        "code": row["code"],
        "receipt": row["receipt"] if recorded else None,
        "received_at": iso(row["received_ms"]),
    }


class BureauApi:
    """Handlers of /bureau/v1; each checks the signature before anything else."""

    def __init__(self, world: World, authenticator: Authenticator) -> None:
        """Keep the world and the authenticator."""
        self._world = world
        self._authenticator = authenticator

    def routes(self) -> list[Route]:
        """Return the routes of the bureau."""
        return [
            Route("/bureau/v1/reports", self.post, methods=["POST"]),
            Route("/bureau/v1/reports/{reference}", self.get, methods=["GET"]),
        ]

    async def post(self, request: Request) -> Response:
        """Take a report; idempotent on its reference."""
        raw = await request.body()
        if self._authenticator.customer(request, raw) is None:
            return refuse("11", 401)
        body = read_object(raw)
        wrong = "body" if body is None else faulty_field(body)
        if body is None or wrong is not None:
            return refuse("13", 400, wrong or "")

        def work(now: int, call: int) -> Response:
            return JSONResponse(take(self._world, body, call, now))

        return answer(self._world, f"REPORT {body['reference']}", work)

    async def get(self, request: Request) -> Response:
        """Answer what became of a report; 404 where the bureau has none of this reference."""
        if self._authenticator.customer(request, b"") is None:
            return refuse("11", 401)
        reference = request.path_params["reference"]

        def work(_now: int, _: int) -> Response:
            row = find(self._world, reference)
            return refuse("34", 404) if row is None else JSONResponse(shown(row))

        return answer(self._world, f"GET report/{reference}", work)
