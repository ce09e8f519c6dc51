"""Reading the words of command-line options: dates, choices, and DATE=VALUE pairs."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

E = TypeVar("E", bound=StrEnum)
MOST_PAIRS = 500


def day_of(field: str, text: str) -> date:
    """Read `YYYY-MM-DD`; any other way of writing a date is refused by field and value."""
    try:
        if len(text) == len("YYYY-MM-DD"):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidInput(field, text, "a date, YYYY-MM-DD")


def choice(field: str, text: str, kind: type[E]) -> E:
    """Read one member of an enumeration by its value."""
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput(field, text, f"one of {', '.join(kind)}") from None


def dated(field: str, pairs: Sequence[str] | None) -> Iterator[tuple[date, str]]:
    """Read `DATE=VALUE` pairs, sorted by date."""
    if len(pairs or ()) > MOST_PAIRS:
        raise InvalidInput(field, len(pairs or ()), f"at most {MOST_PAIRS}")
    found = []
    for pair in pairs or ():
        day, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(field, pair, "DATE=VALUE")
        found.append((day_of(field, day), value))
    return iter(sorted(found))
