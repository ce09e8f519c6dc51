"""Notice providers: SMS over HTTP and mail over SMTP, with delivery reports by webhook.

The providers have no webhook of their own: their reports go out by that of the first rail by name.
"""

from __future__ import annotations

import hashlib
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from simulator.clock import SECOND, iso
from simulator.dice import between, chance, pick, token
from simulator.edge import answer, read_object, refuse
from simulator.faults import Fault, call_fault
from simulator.rail.webhooks import emit
from simulator.signing import Authenticator
from simulator.timeline import catch_up
from simulator.world import World

REASONS = (("unknown recipient", 3), ("recipient unreachable", 3), ("blocked by recipient", 1))


def keep(world: World, notice: dict[str, Any], now: int) -> str | None:
    """Keep a notice and plan its delivery report; return its id, None for a reused number."""
    message_id = notice["message_id"]
    known = world.db.one("SELECT * FROM notices WHERE message_id = ?", message_id)
    if known is not None:
        world.db.run("UPDATE notices SET posts = posts + 1 WHERE message_id = ?", message_id)
        same = known["text"] == notice["text"] and known["recipient"] == notice["recipient"]
        return str(known["provider_id"]) if same else None
    seed, rates = world.seed, world.rates
    outcome = "delivered"
    if chance(rates.notice_failed, seed, message_id, "notice failed"):
        outcome = "failed"
    elif chance(rates.notice_silent, seed, message_id, "no report"):
        outcome = "no report"
    provider_id = "NP" + token(seed, message_id, "provider")
    row = {"provider_id": provider_id, "received_ms": now, "outcome": outcome, "posts": 1}
    world.db.insert("notices", notice | row)
    if outcome != "no report":
        moment = now + SECOND * between(1, 90, seed, message_id, "report after")
        failed = outcome == "failed"
        body = {
            "type": "notice.delivery_report",
            "message_id": message_id,
            "channel": notice["channel"],
            "status": outcome,
            "reason": pick(REASONS, seed, message_id, "why") if failed else None,
            "at": iso(moment),
        }
        emit(world, min(world.rails, default=""), message_id, None, body, moment)
    return provider_id


class SmsProvider:
    """The SMS provider's HTTP door."""

    def __init__(self, world: World, authenticator: Authenticator) -> None:
        """Keep the world and the authenticator."""
        self._world = world
        self._authenticator = authenticator

    async def post_sms(self, request: Request) -> Response:
        """Take a message: 202, the same answer for a repeat, 409 for other content."""
        raw = await request.body()
        if not self._authenticator.bearer(request):
            return refuse("11", 401)
        body = read_object(raw) or {}
        for name in ("message_id", "to", "text", "lang"):
            if not isinstance(body.get(name), str) or not body[name]:
                return refuse("13", 400, name)
        notice = {name: body[name] for name in ("message_id", "text", "lang")}
        notice |= {"channel": "sms", "recipient": body["to"], "subject": None}

        def work(now: int, _: int) -> Response:
            provider_id = keep(self._world, notice, now)
            if provider_id is None:
                return refuse("12", 409)
            return JSONResponse({"provider_id": provider_id}, 202)

        return answer(self._world, f"SMS {body['message_id']}", work)


class MailHandler:
    """Takes mail as an aiosmtpd handler; X-Message-Id names it, else a digest of its content."""

    def __init__(self, world: World) -> None:
        """Keep the world."""
        self._world = world

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail and answer it; every fault before the work is a passing 451."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(raw, policy=default)
        digest = hashlib.sha256(raw).hexdigest()[:24]
        message_id = str(mail["X-Message-Id"] or f"mail-{digest}").strip()
        part = mail.get_body(("plain", "html"))
        notice = {
            "message_id": message_id,
            "channel": "email",
            "recipient": ",".join(envelope.rcpt_tos),
            "subject": str(mail["Subject"] or ""),
            "text": "" if part is None else str(part.get_content()),
            "lang": str(mail["Content-Language"] or "") or None,
        }
        with self._world.db.tx():
            now = catch_up(self._world)
            call = self._world.db.bump(f"MAIL {message_id}")
            fault = call_fault(self._world.rates, self._world.seed, f"MAIL {message_id}", call)
            if fault in {Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.THROTTLED, Fault.BUSY}:
                return "451 4.3.0 try again later"
            provider_id = keep(self._world, notice, now)
        self._world.wake.set()
        if provider_id is None:
            return "554 5.6.0 this message id was used with other content"
        if fault in {Fault.CUT_AFTER, Fault.ERROR_AFTER}:
            return "451 4.3.0 state unclear, try again"
        return f"250 2.0.0 kept as {provider_id}"
