"""The command for what could not be taken from a bank: a file, or a line of a statement."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from domain.kernel.command import Command


class StatementBreak(StrEnum):
    """What could not be taken; each member is the kind of its case."""

    FILE_REFUSED = "statement_refused"
    """A file that cannot be read as a statement."""
    FILE_NOT_FETCHED = "statement_not_fetched"
    """A file that a bank offers and that cannot be fetched, such as one that is too large."""
    RESTATED = "statement_restated"
    """A statement that comes again with other balances or lines than it had, or perhaps again."""
    LINE_FAILED = "line_failed"
    """A line of a statement that the books could not take; the rest of the statement is booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatementBreak(Command):
    """A file or line that was not taken: a case, so that a person looks.

    `subject` names the file or line and is the key of the case; `text` says what is wrong with it.
    What fails once more is news: a case that somebody has ended meanwhile is opened again.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["record_statement_break"] = "record_statement_break"
    what: StatementBreak
    subject: str
    text: str
