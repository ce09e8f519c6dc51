"""What goes wrong with one call: a pure function of (seed, key, call number)."""

from __future__ import annotations

from enum import Enum

from simulator.dice import PPM, between, chance, draw
from simulator.profiles import Profile


class Fault(Enum):
    """How one call fails; *before* and *after* say whether its work was done."""

    NONE = "none"
    CUT_BEFORE = "cut_before"
    """The connection is cut and nothing was done."""
    CUT_AFTER = "cut_after"
    """The work is done, the connection is cut without a byte of answer."""
    HALF = "half"
    """The work is done, half of the answer comes, then the connection closes."""
    GARBLED = "garbled"
    """The work is done, the answer is complete by its length but is not JSON."""
    ERROR_BEFORE = "error_before"
    """HTTP 500, 502 or 503, nothing was done."""
    ERROR_AFTER = "error_after"
    """HTTP 500, 502 or 503 although the work was done."""
    THROTTLED = "throttled"
    """HTTP 429 with Retry-After, nothing was done."""
    BUSY = "busy"
    """Code 02 or 06, nothing was done."""
    MASKED = "masked"
    """The work is done, the answer says 03, 04 or 99."""


BEFORE = frozenset({Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.THROTTLED, Fault.BUSY})
"""Faults under which the call had no effect."""


def _rates(profile: Profile) -> tuple[tuple[Fault, int], ...]:
    return (
        (Fault.CUT_BEFORE, profile.cut_before),
        (Fault.CUT_AFTER, profile.cut_after),
        (Fault.HALF, profile.half),
        (Fault.GARBLED, profile.garbled),
        (Fault.ERROR_BEFORE, profile.error_before),
        (Fault.ERROR_AFTER, profile.error_after),
        (Fault.THROTTLED, profile.throttled),
        (Fault.BUSY, profile.busy),
        (Fault.MASKED, profile.masked),
    )


def call_fault(profile: Profile, seed: int, key: str, call: int) -> Fault:
    """Return the fault of the n-th call (from 1) on a key such as "POST order-7".

    An outage takes the first few calls of a key in a row. After `profile.faulty_calls` calls
    nothing fails any more, so whoever keeps asking gets an answer.
    """
    if call > profile.faulty_calls:
        return Fault.NONE
    if chance(profile.outage, seed, key, "outage"):
        lasts = between(2, profile.outage_calls, seed, key, "outage lasts")
        if call <= lasts:
            return Fault.ERROR_BEFORE
    left = draw(seed, key, "call", call) % PPM
    for fault, rate in _rates(profile):
        if left < rate:
            return fault
        left -= rate
    return Fault.NONE
