"""Verifies Standard Webhooks: signed by the holder of a shared secret, and fresh.

Signed text is `id.timestamp.body`; HMAC-SHA256; header `Webhook-Signature` holds one or more
`v1,<base64>` apart by spaces. Source: the Standard Webhooks specification, version 1.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.errors import InvalidInput
from ports.rail import Forged

TOLERANCE_S = 300
SIGNATURES_MOST = 10
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_STAMP = re.compile(r"[0-9]{1,12}")


def proven_id(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> str:
    """The id of a webhook whose signature by one of `secrets` holds and whose age is within limits.

    Raises:
        Forged: unsigned, wrongly signed, malformed, or more than `TOLERANCE_S` away from `now`.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    event_id = lower.get("webhook-id", "")
    stamp = lower.get("webhook-timestamp", "")
    given = lower.get("webhook-signature", "")
    if not event_id or not stamp or not given:
        raise Forged("no_signature")
    if not _ID.fullmatch(event_id) or not _STAMP.fullmatch(stamp):
        raise Forged("malformed")
    if not _signed(f"{event_id}.{stamp}.".encode() + body, given, secrets):
        raise Forged("bad_signature")
    # Age last: only the holder of a secret learns anything about our clock.
    check_age(stamp, now)
    return event_id


def check_age(stamp: str, now: datetime) -> None:
    """Refuse a proven notice that is too old or from the future, whatever scheme signed it.

    The client libraries of some schemes (WeChat Pay's `Wechatpay-Timestamp` among them) verify the
    signature and accept a notice of any age, so every adapter calls this after its verifier.

    Args:
        stamp: seconds since 1970 in digits, as the header says them.
        now: the instant to compare with, UTC.

    Raises:
        Forged: not such a number, or more than `TOLERANCE_S` away from `now`.
    """
    if not _STAMP.fullmatch(stamp):
        raise Forged("malformed")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_S:
        raise Forged("stale")


def _signed(text: bytes, given: str, secrets: Sequence[str]) -> bool:
    """Whether one of the signatures fits one of the secrets; looks at all of them every time."""
    expected = [hmac.new(key_of(secret), text, hashlib.sha256).digest() for secret in secrets]
    found = False
    for part in given.split(" ")[:SIGNATURES_MOST]:
        version, _, encoded = part.partition(",")
        if version != "v1":
            continue
        try:
            claimed = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        for digest in expected:
            found |= hmac.compare_digest(digest, claimed)
    return found


def key_of(secret: str) -> bytes:
    """The key of a secret: base64 after `whsec_`, otherwise its own bytes.

    Raises:
        InvalidInput: it is empty or no base64; anybody could sign with an empty key. It is not
            shown.
    """
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            raise InvalidInput("webhook_secret", "(not shown)", "base64 after whsec_") from None
    if not key:
        raise InvalidInput("webhook_secret", "(not shown)", "a key that is not empty")
    return key
