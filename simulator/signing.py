"""Signatures on requests from the merchant.

X-Signature = hex HMAC-SHA256 under api_secret of five lines joined by LF:
method, path?query, timestamp, nonce, sha256hex(body).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

from starlette.requests import Request

from simulator.world import RailSettings, World

SKEW_S = 300
NONCES_KEPT = 50_000


def signature(secret: str, method: str, target: str, stamp: str, nonce: str, body: bytes) -> str:
    """Return the hex signature of a request; `target` is path and query as sent."""
    text = "\n".join((method, target, stamp, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


class Authenticator:
    """Lets signed requests in, each nonce once while its time stamp is good."""

    def __init__(self, world: World) -> None:
        """Remember nothing yet; nonces are forgotten by a restart, time stamps still bind."""
        self._world = world
        self._nonces: dict[str, None] = {}

    def merchant(self, request: Request, body: bytes, rail: RailSettings) -> str | None:
        """Return the merchant of a rail who signed the request, or None: it must be refused."""
        return self._proven(request, body, [rail])

    def customer(self, request: Request, body: bytes) -> str | None:
        """Return the bank's customer who signed the request, as any of its rails knows them."""
        return self._proven(request, body, self._world.rails.values())

    def _proven(self, request: Request, body: bytes, rails: Iterable[RailSettings]) -> str | None:
        head = request.headers
        stamp, nonce = head.get("x-timestamp", ""), head.get("x-nonce", "")
        merchant = head.get("x-merchant-id", "")
        if not nonce or not merchant:
            return None
        if not re.fullmatch("[0-9]{1,11}", stamp):
            return None
        if abs(int(stamp) - self._world.clock.now() // 1000) > SKEW_S:
            return None
        given = head.get("x-signature", "").encode()
        line = (request.method, target_of(request), stamp, nonce, body)
        secrets = [rail.api_secret for rail in rails if rail.merchant_id == merchant]
        if not any(
            hmac.compare_digest(signature(secret, *line).encode(), given)
            for secret in secrets
            if secret
        ):
            return None
        return merchant if self._first_time(f"{stamp} {nonce}") else None

    def _first_time(self, nonce: str) -> bool:
        if nonce in self._nonces:
            return False
        self._nonces[nonce] = None
        if len(self._nonces) > NONCES_KEPT:
            del self._nonces[next(iter(self._nonces))]
        return True

    def bearer(self, request: Request) -> bool:
        """Say whether the request carries the secret of the SMS carrier as a bearer token."""
        secret = self._world.setting("sms_secret")
        given = request.headers.get("authorization", "")
        return bool(secret) and hmac.compare_digest(given.encode(), f"Bearer {secret}".encode())


def target_of(request: Request) -> str:
    """Return path and query exactly as they came over the wire."""
    path: str = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path
