"""The error tree. Outcomes and refusals are values; only faults are raised.

AcquitError
├── InvariantBroken        our own books or code contradict themselves; nothing is written
├── IllegalTransition      a state was asked to move in a way its table does not hold
├── Conflict               one id, two contents: the second is never applied
├── Unavailable            what must run does not answer; says what, where and how to start it
└── InvalidInput           a value from outside breaks a rule; names field, value and rule
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from fractions import Fraction

__all__ = [
    "AcquitError",
    "Conflict",
    "IllegalTransition",
    "InvalidInput",
    "InvariantBroken",
    "Unavailable",
]


class AcquitError(Exception):
    """Root of every error that Acquit raises on purpose."""


class InvariantBroken(AcquitError):
    """Something that must always hold does not; nothing may be written after it."""


class IllegalTransition(AcquitError):
    """A table of moves was asked for a pair that it does not hold."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"no move from {state} on {event}")
        self.state = state
        self.event = event


class Conflict(AcquitError):
    """The same id arrived with another content."""


class InvalidInput(AcquitError):
    """Input from outside that breaks a rule.

    Args:
        field: where the value stood, as the sender names it.
        value: the value as text (never a secret, never personal data).
        rule: what a valid value looks like.
    """

    def __init__(self, field: str, value: object, rule: str) -> None:
        super().__init__(f"{field}: {_shown(value)} is refused: {rule}")
        self.field = field
        self.value = value
        self.rule = rule


def _shown(value: object) -> str:
    """A value as the sender wrote it: text in quotes, dates and numbers plain."""
    if isinstance(value, Enum):
        return f"'{value.value}'"
    if value is None:
        return "nothing"
    return str(value) if isinstance(value, (date, Decimal, Fraction)) else repr(value)


class Unavailable(AcquitError):
    """Something that must run does not answer; says what, where, and how to start it."""
