"""Splits MT940 and MT942 files into messages and fields, with or without the blocks of SWIFT."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.statements.guarded import Limits
from adapters.statements.textlines import TextLines
from ports.statements import StatementRefused

_TAG = re.compile(r":([0-9A-Z]{2,3}):(.*)", re.DOTALL)
_END = re.compile(r"-(?:X{0,3}|\}.*)\s*", re.DOTALL)
_ENVELOPE_MOST = 20
"""Most lines between two messages: banks write their code, a type or a counter there."""
_FIRST = "20"
_ACCOUNT = ("25", "25P")
"""What a message of some banks begins with, which leave out :20:."""
_NAMES = frozenset({"940", "942"})
"""Some banks write the number of the message in a field of its own before it."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its tag such as `61` or `28C`, its lines, and where it begins."""

    tag: str
    lines: tuple[str, ...]
    line: int

    @property
    def name(self) -> str:
        """As people write it: `:61:`."""
        return f":{self.tag}:"

    @property
    def text(self) -> str:
        """The first line."""
        return self.lines[0].strip()


def messages(lines: TextLines, limits: Limits) -> Iterator[Iterator[Field]]:
    """Each message as an iterator of its fields, which is used up before the next one is taken.

    A message begins with `:20:`, or with `:25:` where a bank leaves that out, and ends with a line
    that begins with `-`, with the next `:20:` or `:940:`, or with the file.

    Raises:
        StatementRefused: text outside of a message that is no envelope; an endless field.
    """
    split = _Split(lines, limits)
    while split.begins():
        yield split.fields()


class _Split:
    def __init__(self, lines: TextLines, limits: Limits) -> None:
        self._lines, self._limits = iter(lines), limits
        self._next: Field | None = None
        self._ended = False

    def begins(self) -> bool:
        """Go on to the next message; False at the end of the file."""
        outside = 0
        while self._next is None:
            found = next(self._lines, None)
            if found is None:
                return False
            number, text = found
            self._next = _field(number, text)
            if self._next is not None and self._next.tag in _NAMES:
                self._next = None
            if self._next is not None and self._next.tag not in (_FIRST, *_ACCOUNT):
                raise StatementRefused(
                    ":20:", self._next.name, "a message begins with :20:", number
                )
            outside += bool(text.strip())
            if self._next is None and outside > _ENVELOPE_MOST:
                raise StatementRefused(":20:", text, "a message that begins with :20:", number)
        return True

    def fields(self) -> Iterator[Field]:
        """The fields of the message at hand."""
        first = self._next
        while first is not None:
            field, after = self._whole(first)
            yield field
            self._next = after
            first = None if after is None or after.tag == _FIRST else after

    def _whole(self, first: Field) -> tuple[Field, Field | None]:
        """A field with the lines that go on from it, and the field after it in the message."""
        texts, size = [first.lines[0]], 0
        for number, text in self._lines:
            if _END.fullmatch(text):
                break
            field = _field(number, text)
            if field is not None and field.tag in _NAMES:
                break
            if field is not None:
                return Field(first.tag, tuple(texts), first.line), field
            size += len(text)
            if len(texts) == self._limits.field_lines or size > self._limits.line_bytes:
                most, size_most = self._limits.field_lines, self._limits.line_bytes
                rule = f"at most {most} lines and {size_most} bytes in a field"
                raise StatementRefused(first.name, "too long", rule, number)
            if text.strip():
                texts.append(text)
        return Field(first.tag, tuple(texts), first.line), None


def _field(number: int, text: str) -> Field | None:
    found = _TAG.match(text.rpartition("{4:")[2] if text.startswith("{") else text)
    return None if found is None else Field(found[1], (found[2],), number)
