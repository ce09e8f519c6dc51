"""The rows of a tape or of its history file; sizes and the header are checked first."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from adapters.csvcells import text_of
from adapters.inputfile import csv_rows, open_text
from adapters.refusals import SourceRefused, refused
from domain.errors import InvalidInput
from domain.text import shortened
from ports.boarding import HIDDEN

MOST_BYTES = 512 * 1024 * 1024
MOST_ROWS = 1_000_000
MOST_COLUMNS = 300
LONGEST_FIELD = 1_000
_SHOWN = 80
_FAULTS_MOST = 80
_COLUMN = "line 1: column"


def table(
    path: Path, check: Callable[[list[str]], Iterable[InvalidInput]]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the header and then the rows that are not empty, with the numbers of their lines.

    Args:
        check: the faults of a header.

    Raises:
        SourceRefused: the file as a whole cannot be read: size, encoding, header.
    """
    with open_text(path, MOST_BYTES) as source:
        rows = csv_rows(source, path)
        header = [cell.strip() for cell in next(rows, (1, []))[1]]
        if not header or len(header) > MOST_COLUMNS:
            rule = f"a header of 1 to {MOST_COLUMNS}"
            raise refused(path, "line 1: columns", len(header), rule)
        twice = sorted({name for name in header if header.count(name) > 1})
        faults = [_column(name, "each column once") for name in twice]
        if faults := [*faults, *check(header)]:
            raise SourceRefused(str(path), faults[:_FAULTS_MOST])
        yield 1, header
        count = 0
        for line, row in rows:
            cells = [text_of(cell.strip()) for cell in row]
            if not any(cells):
                continue
            count += 1
            if count > MOST_ROWS:
                raise refused(path, "rows", count, f"at most {MOST_ROWS}")
            yield line, cells


def header_faults(
    header: list[str], wanted: dict[str, str], known: Iterable[str] | None, rule: str
) -> Iterator[InvalidInput]:
    """What is wrong with the names of columns.

    Where no name is one that is looked for, the first line is likely no header but a row, and
    nothing of it is repeated.

    Args:
        wanted: columns that must be there, and what is said of one that lacks.
        known: all columns that may be there; None where any may.
        rule: what is said of another one.
    """
    names = set(known or wanted)
    if not names & set(header):
        yield InvalidInput("line 1: columns", HIDDEN, f"a header with {', '.join(wanted)}")
        return
    for name, why in wanted.items():
        if name not in header:
            yield _column(name, why)
    for name in header if known is not None else ():
        if name not in names:
            yield _column(name, rule)


def shape_fault(cells: list[str], header: list[str]) -> InvalidInput | None:
    """What is wrong with the number and the lengths of the cells of a row; None: nothing."""
    if len(cells) != len(header):
        return InvalidInput("columns", len(cells), f"{len(header)}, as in the header")
    for name, cell in zip(header, cells, strict=True):
        if len(cell) > LONGEST_FIELD:
            rule = f"at most {LONGEST_FIELD} characters"
            return InvalidInput(name, shortened(cell, _SHOWN // 4), rule)
    return None


def _column(name: str, rule: str) -> InvalidInput:
    return InvalidInput(_COLUMN, shortened(name, _SHOWN), rule)
