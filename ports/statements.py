"""What a reader of statement files gives: pages of booked lines, or one clear refusal."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from domain.errors import InvalidInput
from domain.statement.statement import Fault, Statement, StatementLine
from domain.statement.totals import NOTHING, Tally
from domain.text import shortened

PAGE_LINES = 500
"""Most lines of one page: what one activity reads, matches and hands to the books."""


class StatementRefused(InvalidInput):
    """A file that cannot be read as a statement: broken, hostile, of another kind, or ambiguous.

    Args:
        field: the element, as the bank names it (`Ntry/Amt`).
        value: the offending text, shortened; never more than 80 characters.
        rule: what a valid value looks like.
        line: line of the file, counted from 1, where it can be reported.

    Attributes:
        others: what else was found in the same file, in its order, at most `REFUSALS_MOST` in all.
    """

    def __init__(self, field: str, value: object, rule: str, line: int | None = None) -> None:
        super().__init__(field, shortened(str(value), _VALUE_SHOWN), rule)
        self.line = line
        self.others: tuple[StatementRefused, ...] = ()

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        first = f"{where}{self.field}: {self.value!r} is refused: {self.rule}"
        return "\n".join((first, *map(str, self.others)))

    def hidden(self) -> "StatementRefused":
        """The same without what may name a person or an account: for cases, logs and histories.

        Shown are what we say ourselves of a file, and values of the form of a date, a number or a
        short code.
        """
        is_shown = self.field in _OF_FILES or _HARMLESS.fullmatch(self.value_text) is not None
        value = self.value if is_shown else f"({len(self.value_text)} characters, not shown)"
        found = StatementRefused(self.field, value, self.rule, self.line)
        found.others = tuple(other.hidden() for other in self.others)
        return found

    @property
    def value_text(self) -> str:
        """The value as text."""
        return str(self.value)

    @classmethod
    def at(cls, error: InvalidInput, line: int | None) -> "StatementRefused":
        """The refusal of what breaks a rule on one line of the file."""
        return cls(error.field, error.value, error.rule, line)

    @classmethod
    def of(cls, found: Sequence["StatementRefused"]) -> "StatementRefused":
        """One refusal for all that was found; there is at least one."""
        first = found[0]
        first.others = tuple(found[1:])
        return first


REFUSALS_MOST = 20
"""Most refusals of one file that are collected before its reading stops."""
_VALUE_SHOWN = 80
_OF_FILES = frozenset(
    {"kind", "account", "file", "line", "row", "rows", "columns", "encoding", "header", "currency"}
)
"""Fields of refusals whose value we say ourselves, or that names an account of ours."""
_HARMLESS = re.compile(r"(?=(?:\D*\d){0,9}\D*\Z)[-+\d.,:/ ']{0,25}|[A-Za-z0-9_]{1,5}|none|both")
"""At most nine digits: an amount, a day, a number; or a code of five characters."""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Up to `PAGE_LINES` entries of one statement of a file, booked ones and others.

    Attributes:
        head: the statement without lines.
        position: the statement's place in the file, from 0.
        number: the page's place in its statement, from 0. A statement without lines has one page.
        left_out: entries so far in this statement that are not booked (pending, information).
        left_out_tally: their number and sums by direction.
        pending: the entries of this page that are not booked, to be shown; they have no id.
    """

    head: Statement
    position: int
    number: int
    lines: tuple[StatementLine, ...]
    is_last: bool
    left_out: int
    left_out_tally: Tally = NOTHING
    pending: tuple[StatementLine, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementSummary:
    """What one reading of a statement counted, and what does not add up in it.

    `later_minor` is the part of the sum that is booked after the day of the closing balance;
    `tally` and `left_out_tally` count booked and other entries by direction.
    """

    head: Statement
    lines: int
    sum_minor: int
    left_out: int
    faults: tuple[Fault, ...]
    later_minor: int = 0
    tally: Tally = NOTHING
    left_out_tally: Tally = NOTHING


@dataclass(frozen=True, slots=True)
class FileSurvey:
    """A whole file looked through once, before any of its lines is booked.

    Attributes:
        sha256: of the bytes as received, in lower-case hex: the name the file is kept under.
        format: what the file was read as: `camt.053.001.08`, `MT940`, `MT942`, `BAI2`, or `csv`
            and the name of its map.
    """

    sha256: str
    size_bytes: int
    statements: tuple[StatementSummary, ...]
    format: str = ""


class StatementReader(Protocol):
    """Reads one file format. Every method reads `source` from where it stands to its end."""

    def pages(self, source: BinaryIO) -> Iterator[StatementPage]:
        """Yield the file page by page in bounded memory.

        Raises:
            StatementRefused: at the first thing that breaks a rule, which may be after some pages:
                survey the file first, book afterwards.
        """
        ...

    def read(self, source: BinaryIO) -> Iterator[Statement]:
        """Yield whole statements, lines and all: for files known to be small."""
        ...

    def survey(self, source: BinaryIO) -> FileSurvey:
        """Look through the whole file: its hash, and per statement the counts and faults."""
        ...
