"""Rows of a CSV tape, streamed, under canonical names; sizes are limited first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from adapters.tapes.files.columns import REQUIRED
from adapters.tapes.files.csvtable import LONGEST_FIELD, header_faults, shape_fault, table
from adapters.tapes.files.fields import hidden
from adapters.tapes.files.mapping import DEFAULT_TEMPLATES, TapeMap, fill
from domain.errors import InvalidInput
from domain.text import shortened
from ports.boarding import HIDDEN, is_private

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
        super().__init__(error.field, hidden(error).value, error.rule)
        self.line = line


def fault_of(line: int, error: InvalidInput, loan_id: str = "") -> TapeFault:
    """A broken rule at a line of the tape, or at the line of the history that the error names.

    A value that may name a person or an account is not repeated.
    """
    error = hidden(error)
    text = shortened("" if error.value is None else str(error.value), _VALUE_SHOWN)
    if isinstance(error, HistoryFault):
        return TapeFault(error.line, error.field, text, error.rule, loan_id, "history")
    return TapeFault(line, error.field, text, error.rule, loan_id)


def read_rows(path: Path, tape_map: TapeMap) -> Iterator[Row | ControlRow | TapeFault]:
    """Yield rows, control rows and faulty rows in the order of the file.

    Raises:
        SourceRefused: the file as a whole cannot be read: size, encoding, header.
    """
    rows = table(path, lambda header: _header_faults(header, tape_map))
    _, header = next(rows)
    for line, cells in rows:
        yield row_of(line, cells, header, tape_map)


def row_of(
    line: int, cells: list[str], header: list[str], tape_map: TapeMap
) -> Row | ControlRow | TapeFault:
    """What the cells of one line are."""
    raw = dict(zip(header, cells, strict=False))
    if error := shape_fault(cells, header):
        # By our name of the column; of one that the map does not name nobody knows what it holds.
        ours = [name for name, column in tape_map.columns.items() if column == error.field]
        if any(map(is_private, ours)) or not (ours or error.field == "columns"):
            error = InvalidInput(error.field, HIDDEN, error.rule)
        return fault_of(line, error, _loan_id(raw, tape_map))
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


def _header_faults(header: list[str], tape_map: TapeMap) -> Iterator[InvalidInput]:
    columns, is_ours = tape_map.columns, tape_map.strict_columns
    wanted = {
        column: f"must be there, for {name}"
        for name, column in columns.items()
        if not is_ours or name in REQUIRED
    }
    ruled = (rule.column for rule in tape_map.product_rules if rule.column is not None)
    known = {*columns.values(), *ruled} if is_ours else None
    return header_faults(header, wanted, known, "a canonical column; see docs/tapes.md")
