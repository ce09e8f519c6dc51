"""Rows of a CSV tape, streamed, under canonical names; sizes are limited first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from adapters.inputfile import csv_rows, open_text
from adapters.refusals import SourceRefused, refused
from adapters.tapes.files.mapping import DEFAULT_TEMPLATES, REQUIRED, TapeMap, fill
from domain.errors import InvalidInput
from domain.text import shortened

MOST_BYTES = 512 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_COLUMNS = 300
LONGEST_FIELD = 1_000
_VALUE_SHOWN = 80
CONTROL = "TOTAL:"
"""What the loan id of a control row begins with; the currency follows."""


@dataclass(frozen=True, slots=True)
class TapeFault:
    """What is wrong with one row: line of the file, field, value and rule.

    `loan_id` is the loan that the row seems to be about; empty where that cannot be read.
    `file` is the file that has the line.
    """

    line: int
    field: str
    value: str
    rule: str
    loan_id: str = ""
    file: Literal["tape", "history"] = "tape"

    @property
    def place(self) -> tuple[bool, int]:
        """Where it stands: lines of the tape come before those of the history."""
        return self.file == "history", self.line

    def __str__(self) -> str:
        where = "history line" if self.file == "history" else "line"
        return f"{where} {self.line}: {self.field}: {self.value!r} is refused: {self.rule}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `values` by canonical name, trimmed; `raw` by the tape's own column names."""

    line: int
    values: Mapping[str, str]
    raw: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A row that states sums over the loans of one currency; values of columns only."""

    line: int
    currency: str
    values: Mapping[str, str]


class HistoryFault(InvalidInput):
    """A broken rule at a line of a history."""

    def __init__(self, line: int, error: InvalidInput) -> None:
        super().__init__(error.field, error.value, error.rule)
        self.line = line


def fault_of(line: int, error: InvalidInput, loan_id: str = "") -> TapeFault:
    """A broken rule at a line of the tape, or at the line of the history that the error names."""
    text = shortened("" if error.value is None else str(error.value), _VALUE_SHOWN)
    if isinstance(error, HistoryFault):
        return TapeFault(error.line, error.field, text, error.rule, loan_id, "history")
    return TapeFault(line, error.field, text, error.rule, loan_id)


def read_rows(path: Path, tape_map: TapeMap) -> Iterator[Row | ControlRow | TapeFault]:
    """Yield rows, control rows and faulty rows in the order of the file.

    Raises:
        SourceRefused: the file as a whole cannot be read: size, encoding, header.
    """
    with open_text(path, MOST_BYTES) as source:
        rows = csv_rows(source, path)
        header = _header(path, next(rows, (1, []))[1], tape_map)
        count = 0
        for line, cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_ROWS:
                raise refused(path, "rows", count, f"at most {MOST_ROWS}")
            yield row_of(line, cells, header, tape_map)


def row_of(
    line: int, cells: list[str], header: list[str], tape_map: TapeMap
) -> Row | ControlRow | TapeFault:
    """What the cells of one line are."""
    if len(cells) != len(header):
        rule = f"{len(header)}, as in the header"
        cut = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        return TapeFault(line, "columns", str(len(cells)), rule, _loan_id(cut, tape_map))
    raw = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    for name, cell in raw.items():
        if len(cell) > LONGEST_FIELD:
            rule = f"at most {LONGEST_FIELD} characters"
            return TapeFault(line, name, cell[:20] + "…", rule, _loan_id(raw, tape_map))
    if (name := _loan_id(raw, tape_map)).startswith(CONTROL):
        columns = tape_map.columns.items()
        stated = {field: raw[column] for field, column in columns if raw.get(column)}
        return ControlRow(line, name.removeprefix(CONTROL), stated)
    values: dict[str, str] = {**tape_map.constants}
    for name, column in tape_map.columns.items():
        if raw.get(column):
            values[name] = raw[column]
    templates: dict[str, str] = {**DEFAULT_TEMPLATES, **tape_map.templates}
    for name, template in templates.items():
        try:
            values.setdefault(name, fill(template, values))
        except KeyError as lacking:
            lacks, loan_id = str(lacking.args[0]), values.get("loan_id", "")
            return TapeFault(line, lacks, "", "must be given", loan_id)
    return Row(line, values, raw)


def _loan_id(raw: Mapping[str, str], tape_map: TapeMap) -> str:
    """The loan of a row that cannot be read whole, as far as its column can be."""
    column = tape_map.columns.get("loan_id", "")
    return raw.get(column, "")[:LONGEST_FIELD]


def _header(path: Path, cells: list[str], tape_map: TapeMap) -> list[str]:
    header = [cell.strip() for cell in cells]
    if not header or len(header) > MOST_COLUMNS:
        raise refused(path, "line 1: columns", len(header), f"a header of 1 to {MOST_COLUMNS}")
    faults = [
        InvalidInput("line 1: column", name, "each column once")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    used = set(tape_map.columns.values())
    used |= {rule.column for rule in tape_map.product_rules if rule.column is not None}
    for name, column in tape_map.columns.items():
        may_lack = tape_map.strict_columns and name not in REQUIRED
        if column not in header and not may_lack:
            faults.append(InvalidInput("line 1: column", column, f"must be there, for {name}"))
    if tape_map.strict_columns:
        faults.extend(
            InvalidInput("line 1: column", name, "a canonical column; see docs/tapes.md")
            for name in header
            if name not in used
        )
    if faults:
        raise SourceRefused(str(path), faults)
    return header
