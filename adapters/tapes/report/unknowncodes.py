"""Codes of debits of a former system that no table of their rail holds, and those nearest to them.

A debit that failed for a reason nobody knows is not tried again by a machine.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from domain.debit.attempt import AttemptState
from domain.debit.codes import CodeRow
from domain.debit.outcome import OutcomeClass
from domain.loan.boarding import BoardLoan

NearestCodes = Callable[[str, str, bool], tuple[CodeRow, ...]]
"""The codes of a rail that are nearest to one; whether it is the reason of a return."""
CODES_KEPT = 100


@dataclass(frozen=True, slots=True)
class UnknownCode:
    """One such code: of how many debits, and the nearest codes of its rail."""

    rail: str
    code: str
    returned: bool
    debits: int
    nearest: tuple[CodeRow, ...]


class UnknownCodes:
    """Counts the codes of attempts whose class is not known."""

    def __init__(self, nearest: NearestCodes) -> None:
        self._nearest = nearest
        self._debits: Counter[tuple[str, str, bool]] = Counter()

    def add(self, command: BoardLoan) -> None:
        """Count those of one loan."""
        for attempt in command.opening.attempts if command.opening is not None else ():
            if attempt.outcome_class is OutcomeClass.UNKNOWN_CODE:
                returned = attempt.state is AttemptState.RETURNED
                self._debits[command.product.rail, attempt.code, returned] += 1

    def found(self) -> tuple[UnknownCode, ...]:
        """The first of them, in order of rails and codes."""
        return tuple(
            UnknownCode(*key, self._debits[key], self._nearest(*key))
            for key in sorted(self._debits)[:CODES_KEPT]
        )
