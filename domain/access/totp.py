"""Time-based one-time codes of six digits, the second factor of a person (RFC 6238, SHA-1)."""

import base64
import hashlib
import hmac
from urllib.parse import quote

STEP_S = 30
"""Seconds for which one code holds."""
DRIFT = 1
"""Steps by which the clock of a person's device may differ, to either side."""
_DIGITS = 6


def code_at(secret: bytes, step: int) -> str:
    """The code of one step of 30 seconds since 1970."""
    mac = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def step_of(secret: bytes, code: str, unix_s: float, last_step: int) -> int | None:
    """The step that a code proves; None where it is wrong, or no later than the last one used.

    A code is used once: whoever has seen it cannot use it again.
    """
    now = int(unix_s // STEP_S)
    for step in range(now - DRIFT, now + DRIFT + 1):
        if step > last_step and hmac.compare_digest(code_at(secret, step), code):
            return step
    return None


def enrolment(secret: bytes, person: str) -> str:
    """The address by which an authenticator program learns the secret; shown once."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/Acquit:{quote(person)}?secret={text}&issuer=Acquit"
