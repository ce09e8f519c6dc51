"""Text from outside: what may stand in an id, a reference or a reason, and how to clean the rest.

A control character in a reference breaks every line-based export of it, and an escape sequence or a
change of writing direction forges what a terminal shows. Orders and files that carry one are
refused by name; evidence, which is never refused, is cleaned.
"""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TypeVar

from domain.errors import InvalidInput

# C0 and C1 control characters, line and paragraph separators, marks and overrides of the writing
# direction, lone surrogates (which no encoding can write), and the byte order mark.
_FORBIDDEN = "\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_CONTROL = re.compile(f"[{_FORBIDDEN}\ud800-\udfff]")
_GAPS = re.compile(f"[\\s{_FORBIDDEN}\ud800-\udfff]+")
T = TypeVar("T")
PLAIN_RULE = "text on one line, without control characters"


def is_plain(text: str) -> bool:
    """Whether the text holds no control character, line break or change of direction."""
    return _CONTROL.search(text) is None


def plain(text: str, field: str) -> str:
    """The text without white space around it.

    Raises:
        InvalidInput: a control character inside; the error shows it escaped.
    """
    trimmed = text.strip()
    if not is_plain(trimmed):
        raise InvalidInput(field, visible(trimmed), PLAIN_RULE)
    return trimmed


def cleaned(text: str) -> str:
    """The text on one line: every run of white space and control characters becomes one space."""
    return _GAPS.sub(" ", text).strip()


def shortened(text: str, most: int) -> str:
    """The text in at most `most` characters; one that was longer ends in an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def visible(text: str) -> str:
    r"""The text with every control character written as an escape, such as `\r` or `\u202e`."""
    return _CONTROL.sub(lambda found: escaped(found[0]), text)


def unplain(value: object, name: str) -> Iterator[str]:
    """Names of the texts inside a dataclass, tuple or mapping that hold a control character."""
    if isinstance(value, str):
        if not is_plain(value):
            yield name
    elif is_dataclass(value) and not isinstance(value, type):
        for item in fields(value):
            yield from unplain(
                getattr(value, item.name), f"{name}.{item.name}" if name else item.name
            )
    elif isinstance(value, tuple):
        for place, part in enumerate(value):
            yield from unplain(part, f"{name}[{place}]")


def cleaned_copy(value: T) -> T:
    """The same value with every text inside it cleaned; a value that is plain is given as it is."""
    if isinstance(value, str):
        return value if is_plain(value) else cleaned(value)  # type: ignore[return-value]
    if isinstance(value, tuple):
        parts = tuple(cleaned_copy(part) for part in value)
        return value if parts == value else parts  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        held = {item.name: getattr(value, item.name) for item in fields(value)}
        changed = {name: new for name, old in held.items() if (new := cleaned_copy(old)) is not old}
        return replace(value, **changed) if changed else value
    return value


def escaped(character: str) -> str:
    r"""One character as an escape: `\r`, `\x1b`, `\u202e`."""
    return character.encode("unicode_escape").decode("ascii")


def instant_text(at: datetime, zone: tzinfo = UTC) -> str:
    """An instant to the minute with the offset of its zone: `2026-03-10 09:30+08:00`."""
    return at.astimezone(zone).isoformat(" ", "minutes")
