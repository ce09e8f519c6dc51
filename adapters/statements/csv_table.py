"""Splits a table into its rows, a second table of totals below it, and the lines around them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from adapters.statements.csv_map import CsvMap
from adapters.statements.csv_marks import MarkedRows
from adapters.statements.csv_values import cell_text
from adapters.statements.textlines import Decode, TextLines
from ports.statements import StatementRefused

BEGINNING = 64 << 10
"""How many bytes decide on the encoding and on the map."""
_BEFORE_MOST = 100
"""Most lines before the header of the table."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table by column; `is_short` where it has fewer cells than the header."""

    line: int
    cells: Mapping[str, str]
    is_short: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """A row of the table of totals below the bookings."""

    line: int
    header: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outside:
    """A line that is no row: a comment, or one before the header."""

    line: int
    text: str


Part: TypeAlias = Row | Totals | Outside


def decoder(start: bytes, rules: CsvMap) -> Decode:
    """How the lines of a file that begins so are decoded.

    Raises:
        StatementRefused: the beginning is text in none of the map's encodings.
    """
    if start.startswith(_BOM):
        return _strict("utf-8")
    for encoding in rules.file.encodings:
        try:
            start[:BEGINNING].decode(encoding)
        except UnicodeDecodeError as error:
            if len(start) < BEGINNING or error.start < BEGINNING - 4:
                continue  # not just a character that is cut off
        return _strict(encoding)
    rule = f"text in {' or '.join(rules.file.encodings)}, as the map says"
    raise StatementRefused("encoding", "unknown", rule, 1)


def _strict(encoding: str) -> Decode:
    def decode(line: bytes) -> str:
        return line.decode(encoding)

    return decode


def parts(lines: TextLines, rules: CsvMap) -> Iterator[Part]:
    """The parts of a table, in order.

    Raises:
        StatementRefused: no header, a byte that is not of the encoding, no well-formed CSV.
    """
    split = _Split(rules)
    for line, cells in _rows(lines, rules):
        part = split.part(line, cells)
        if part is not None:
            yield part
    split.ended()


class _Bounded:
    """The lines of a table for a CSV reader, which joins those of a quoted field.

    Raises:
        StatementRefused: from the iterator: a record of too many lines or bytes, such as one whose
            quote is never closed.
    """

    def __init__(self, lines: TextLines, rules: CsvMap) -> None:
        self._lines, self._limits = lines, lines.limits
        self._marked = MarkedRows(rules.file, self._limits.field_lines)
        self._of_record = self._size = 0

    def __iter__(self) -> Iterator[str]:
        for number, text in self._marked(iter(self._lines)):
            self._of_record, self._size = self._of_record + 1, self._size + len(text)
            if self._of_record > self._limits.field_lines or self._size > self._limits.line_bytes:
                lines, size = self._limits.field_lines, self._limits.line_bytes
                value = f"{self._of_record} lines, {self._size} characters"
                rule = f"at most {lines} lines and {size} characters: is a quote not closed?"
                raise StatementRefused("row", value, rule, number)
            yield f"{text}\n"

    def ended(self) -> None:
        """A record is whole."""
        self._of_record = self._size = 0


def _rows(lines: TextLines, rules: CsvMap) -> Iterator[tuple[int, list[str]]]:
    quote, bounded = rules.file.quote, _Bounded(lines, rules)
    reader = csv.reader(
        bounded,
        delimiter=rules.file.delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        for cells in reader:
            bounded.ended()
            yield reader.line_num, cells
    except UnicodeDecodeError as error:
        value = f"byte {error.object[error.start]:#04x}"
        rule = f"text in {error.encoding}"
        raise StatementRefused("encoding", value, rule, reader.line_num + 1) from None
    except csv.Error as error:
        line = max(reader.line_num, 1)
        raise StatementRefused("CSV", error, "well-formed CSV", line) from None


class _Split:
    def __init__(self, rules: CsvMap) -> None:
        self._rules = rules
        self._wanted = rules.header_names()
        self._below = {total.header for total in rules.totals if total.header is not None}
        self._header: list[str] = []
        self._totals: list[str] = []
        self._before = 0
        self._closest: frozenset[str] = self._wanted

    def part(self, line: int, raw: Sequence[str]) -> Part | None:
        """What a row of the file is; None for a header and for a blank row."""
        take_off, comment = self._rules.file.take_off, self._rules.file.comment
        cells = [cell_text(cell, take_off) for cell in raw]
        if not any(cells):
            return None
        if comment and raw[0].lstrip().startswith(comment):
            return Outside(line, self._rules.file.delimiter.join(raw))
        if not self._header:
            return self._outside(line, raw, cells)
        if cells[0] in self._below:
            self._totals = cells
            return None
        if self._totals:
            return Totals(line, self._totals[0], dict(zip(self._totals, cells, strict=False)))
        if any(cells[len(self._header) :]):
            rule = f"{len(self._header)}, as in the header"
            raise StatementRefused("columns", len(cells), rule, line)
        padded = [*cells, *[""] * (len(self._header) - len(cells))]
        named = dict(zip(self._header, padded, strict=False))
        return Row(line, named, is_short=len(cells) < len(self._header))

    def _outside(self, line: int, raw: Sequence[str], cells: list[str]) -> Outside | None:
        missing = self._wanted - set(cells)
        if missing:
            if len(missing) < len(self._closest):
                self._closest = frozenset(missing)
            self._before += 1
            if self._before > _BEFORE_MOST:
                self.ended()
            return Outside(line, self._rules.file.delimiter.join(raw))
        twice = sorted(name for name in self._wanted if cells.count(name) > 1)
        if twice:
            raise StatementRefused("header", twice[0], "each column once", line)
        while cells and not cells[-1]:
            cells.pop()
        self._header = cells
        return None

    def ended(self) -> None:
        """The end of the file, or of the lines in which a header is looked for."""
        if not self._header:
            rule = f"a header with the columns of the map {self._rules.name}"
            missing = ", ".join(sorted(self._closest))
            raise StatementRefused("header", f"without {missing}", rule)


def has_header(start: bytes, rules: CsvMap) -> bool:
    """Whether a file that begins so holds the header of this map."""
    try:
        text = decoder(start, rules)(start.removeprefix(_BOM)[:BEGINNING].rpartition(b"\n")[0])
    except (StatementRefused, UnicodeDecodeError):
        return False
    wanted, take_off = rules.header_names(), rules.file.take_off
    for line in text.splitlines()[: _BEFORE_MOST * 2]:
        try:
            (cells,) = csv.reader([line], delimiter=rules.file.delimiter)
        except (csv.Error, ValueError):
            continue
        if wanted <= {cell_text(cell, take_off) for cell in cells}:
            return True
    return False
