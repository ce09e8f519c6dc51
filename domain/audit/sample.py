"""Draws a sample of loans that anybody can draw again from its seed and the head of the ledger.

Nobody who draws can choose: the ranks of loans come from SHA-256 over seed, head and loan, and the
head is not known before the books were written. A loan of weight w has w ranks, of which the best
counts, so it is w times as likely to stand before another one.
"""

import hashlib
import heapq
from dataclasses import dataclass

from domain.errors import InvalidInput

SIZE_MOST = 1_000
SEED_MOST = 200
_CAP = 3


@dataclass(frozen=True, slots=True)
class Risk:
    """What of a loan makes a fault more likely, or dearer; counts of its whole life."""

    cases: int = 0
    open_cases: int = 0
    returns: int = 0
    failed_debits: int = 0

    @property
    def weight(self) -> int:
        """1 to 16: up to 3 for cases and failed debits each, 6 for open cases, 3 for returns."""
        weight = 1 + min(self.cases, _CAP) + min(self.failed_debits, _CAP)
        return weight + 2 * _CAP * (self.open_cases > 0) + _CAP * (self.returns > 0)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A loan of the sample, and the weight with which it was drawn."""

    loan_id: str
    weight: int


class Draw:
    """Takes every loan of the books once and keeps those of the sample; memory is that of it.

    Raises:
        InvalidInput: the size or the seed breaks a rule.
    """

    def __init__(self, size: int, seed: str, head: str) -> None:
        if not 1 <= size <= SIZE_MOST:
            raise InvalidInput("size", size, f"1 to {SIZE_MOST}")
        if not 1 <= len(seed) <= SEED_MOST:
            raise InvalidInput("seed", seed, f"1 to {SEED_MOST} characters")
        self._size, self._start = size, f"{seed}\n{head}\n"
        self._kept: list[tuple[bytes, str, int]] = []
        self.population = 0

    def take(self, loan_id: str, weight: int = 1) -> None:
        """Let a loan take part; loans may come in any order."""
        self.population += 1
        ranks = (self._rank(loan_id, place) for place in range(weight))
        entry = (max(ranks), loan_id, weight)
        if len(self._kept) < self._size:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)

    def drawn(self) -> tuple[Drawn, ...]:
        """The sample, best rank first."""
        return tuple(Drawn(name, weight) for _, name, weight in sorted(self._kept, reverse=True))

    def _rank(self, loan_id: str, place: int) -> bytes:
        return hashlib.sha256(f"{self._start}{loan_id}\n{place}".encode()).digest()
