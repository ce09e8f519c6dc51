"""Several versions of one statement: which of them counts, by what comes before and after it."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.statement.statement import Fault

VERSIONS_MOST = 20
"""Versions of one statement that are remembered; each is a case, remembered or not."""


@dataclass(frozen=True, slots=True)
class Version:
    """What one file says of a statement. Amounts in minor units.

    Attributes:
        own: what does not add up in it.
        doubtful: it brought lines of which nobody knows whether they are others.
    """

    sha256: str
    opening_minor: int | None
    closing_minor: int | None
    lines: int
    sum_minor: int
    later_minor: int = 0
    own: tuple[Fault, ...] = ()
    doubtful: bool = False

    @property
    def figures(self) -> tuple[int | None, ...]:
        """By what it differs from another version."""
        return (self.opening_minor, self.closing_minor, self.lines, self.sum_minor)


def counting(
    versions: Sequence[Version], now: Version, before: int | None, after: int | None
) -> tuple[Version, bool]:
    """The version that counts, and whether that is certain; the order of coming says nothing.

    Certain is the only one that adds up, opens at the balance with which the statement before
    closes and closes at the balance with which the next one opens. Before the next one is known, a
    version that adds up counts instead of one that does not; else what counts stays.

    Args:
        versions: all of them, one for each set of figures.
        now: the one that counts until now.
        before: closing balance of the statement before; None where none is known.
        after: opening balance of the next one; None where none is known.
    """
    opening = [
        one for one in versions if not one.own and (before is None or one.opening_minor == before)
    ]
    if after is not None:
        fitting = [one for one in opening if one.closing_minor == after]
        if len({one.figures for one in fitting}) == 1:
            return fitting[0], True
    if now.own and len({one.figures for one in opening}) == 1:
        return opening[0], False
    return now, False
