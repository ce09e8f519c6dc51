"""Splits BAI2 files into logical records: a record with the continuations (88) behind it."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.statements.guarded import Limits
from adapters.statements.textlines import TextLines
from ports.statements import StatementRefused

_KNOWN = frozenset({"01", "02", "03", "16", "49", "88", "98", "99"})
DETAIL = "16"
_CONTINUATION = "88"
_FIELDS_MOST = 2_000
_FUNDS = {"S": 3, "V": 2}
"""How many fields stand behind a funds type; D says by itself how many."""


@dataclass(frozen=True, slots=True)
class Record:
    """One logical record.

    Attributes:
        fields: without the record's code; of a detail record without its text.
        line: where it begins. lines: how many physical records it takes, each counted by the
            control records.
    """

    code: str
    fields: tuple[str, ...]
    text: str
    line: int
    lines: int

    def field(self, place: int) -> str:
        """The field at a place from 0, empty where the record is shorter."""
        return self.fields[place].strip() if place < len(self.fields) else ""

    def refused(self, name: str, value: object, rule: str) -> StatementRefused:
        """The refusal of one of its fields, such as `03 currency`."""
        return StatementRefused(f"{self.code} {name}", value, rule, self.line)


def records(lines: TextLines, limits: Limits) -> Iterator[Record]:
    """The logical records of a file; blank lines are left out.

    Raises:
        StatementRefused: an unknown record, a continuation of nothing, an endless record.
    """
    first: tuple[int, str, list[str]] | None = None
    size = 0
    for number, text in lines:
        line = text.strip()
        if not line:
            continue
        code, rest = line[:2], line[3:]
        if code not in _KNOWN or line[2:3] not in {",", "/", ""}:
            raise StatementRefused("record", line, "01, 02, 03, 16, 49, 88, 98 or 99", number)
        if code == _CONTINUATION:
            if first is None:
                raise StatementRefused("record", "88", "a record that it goes on from", number)
            first[2].append(rest)
            size += len(rest)
            if len(first[2]) > limits.field_lines or size > limits.line_bytes:
                most = f"{limits.field_lines} lines and {limits.line_bytes} bytes"
                rule = f"at most {most} in a record"
                raise StatementRefused(first[1], "too long", rule, number)
            continue
        if first is not None:
            yield _joined(*first)
        first, size = (number, code, [rest]), 0
    if first is not None:
        yield _joined(*first)


def _joined(line: int, code: str, parts: list[str]) -> Record:
    """One record of its physical ones.

    A part that ends with a stroke ends with a whole field, and the next part goes on with another
    one. The text of a detail record is its last field, may hold commas and strokes, and goes on in
    every part behind it; some banks end it with a stroke too, which is no part of it.
    """
    if code != DETAIL:
        fields = [field for part in parts for field in part.removesuffix("/").split(",")]
        return _bounded(Record(code, tuple(fields), "", line, len(parts)))
    joined, text = parts[0], _text_at(parts[0])
    for part in parts[1:]:
        whole = joined.removesuffix("/")
        joined = f"{whole},{part}" if text is None else f"{whole} {part}"
        text = _text_at(joined)
    if text is None:
        fields = joined.removesuffix("/").split(",")
        return _bounded(Record(code, tuple(fields), "", line, len(parts)))
    said = ",".join(joined.split(",")[text:])
    return _bounded(
        Record(
            code,
            tuple(joined.split(",", text)[:text]),
            # A text does not begin with a stroke: then it is left out.
            "" if said.startswith("/") else said.removesuffix("/"),
            line,
            len(parts),
        )
    )


def _text_at(detail: str) -> int | None:
    """At which field the text of a detail record begins; None where the record ends before it."""
    fields = detail.split(",", _FIELDS_MOST)
    if len(fields) < _TEXT_AFTER:
        return None
    text = _TEXT_AFTER + funds_fields(fields, _FUNDS_AT)
    return text if len(fields) > text else None


_FUNDS_AT = 2
_TEXT_AFTER = 5
"""Type, amount, funds type, and behind its own fields the references of bank and customer."""


def funds_fields(fields: list[str] | tuple[str, ...], place: int) -> int:
    """How many fields belong to the funds type at `place`, besides itself."""
    kind = fields[place].strip() if place < len(fields) else ""
    if kind == "D":
        count = fields[place + 1].strip() if place + 1 < len(fields) else ""
        return 1 + 2 * int(count) if count.isascii() and count.isdigit() and len(count) < 4 else 1
    return _FUNDS.get(kind, 0)


def _bounded(record: Record) -> Record:
    if len(record.fields) > _FIELDS_MOST:
        raise record.refused("fields", f"over {_FIELDS_MOST}", f"at most {_FIELDS_MOST}")
    return record
