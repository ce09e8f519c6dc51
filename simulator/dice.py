"""Seeded draws: every chance in the simulator is a pure function of the seed and a key.

Nothing here remembers anything, so the order in which calls arrive cannot change a result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

PPM = 1_000_000
"""Rates are whole parts per million: no floating point decides what happens to money."""


def draw(seed: int, *key: str | int) -> int:
    """Return a number of 64 bits that depends on the seed and the key alone."""
    text = "\x1f".join([str(seed), *(str(part) for part in key)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def chance(ppm: int, seed: int, *key: str | int) -> bool:
    """Return True in `ppm` of a million keys."""
    return draw(seed, *key) % PPM < ppm


def between(low: int, high: int, seed: int, *key: str | int) -> int:
    """Return a whole number from low to high, both included."""
    return low + draw(seed, *key) % (high - low + 1)


def pick(weighted: Sequence[tuple[T, int]], seed: int, *key: str | int) -> T:
    """Return one item, chosen in proportion to its weight (whole numbers, sum above zero)."""
    left = draw(seed, *key) % sum(weight for _, weight in weighted)
    for item, weight in weighted:
        if left < weight:
            return item
        left -= weight
    msg = "weights add up to more than their parts"
    raise AssertionError(msg)


def token(seed: int, *key: str | int, length: int = 16) -> str:
    """Return `length` upper-case hexadecimal characters, the same for the same key."""
    text = "\x1f".join(["token", str(seed), *(str(part) for part in key)])
    return hashlib.sha256(text.encode()).hexdigest()[:length].upper()
