"""The command for what could not be taken from a bank: a file, or a line of a statement."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from domain.case.item import Alike
from domain.kernel.command import Command, Scope


class StatementBreak(StrEnum):
    """What could not be taken; each member is the kind of its case."""

    FILE_REFUSED = "statement_refused"
    """A file that cannot be read as a statement."""
    FILE_NOT_FETCHED = "statement_not_fetched"
    """A file that a bank offers and that cannot be fetched, such as one that is too large."""
    RESTATED = "statement_restated"
    """A statement that comes again with other balances or lines than it had, or perhaps again."""
    GAP = "statement_gap"
    """A statement that does not go on from the one before: numbers, pages or balances."""
    UNBALANCED = "statement_unbalanced"
    """A statement whose own balances, totals or items do not add up, or that states none."""
    MISSING = "statement_missing"
    """A day of which no statement has come by the hour that was agreed with the bank."""
    LINE_FAILED = "line_failed"
    """A line of a statement that the books could not take; the rest of the statement is booked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatementBreak(Command):
    """A file or line that was not taken: a case, so that a person looks.

    `subject` names the file or line and is the key of the case; `text` says what is wrong with it.
    `cause` is the cause code: the rule of a control that fails, or the name of a fault. Of a line
    `file` is the hash of its file, and the rest its amount: lines of one file that failed for the
    same cause may be items of one case.
    What fails once more is news: a case that somebody has ended meanwhile is opened again.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["record_statement_break"] = "record_statement_break"
    what: StatementBreak
    subject: str
    text: str
    file: str = ""
    cause: str = ""
    amount_minor: int = 0
    currency: str = ""

    @property
    def line(self) -> str | None:
        """The line that was not taken; None where a file was not."""
        return self.subject if self.what is StatementBreak.LINE_FAILED else None

    @property
    def key(self) -> str:
        """The key of the case."""
        return f"{self.what.value}/{self.subject}"

    @property
    def alike(self) -> Alike:
        """What it has in common with lines of its file that failed for the same cause."""
        return Alike(self.what.value, f"{self.cause}/{self.currency}", self.file)

    def scope(self) -> Scope:
        """The case, and for a line those of its file that failed alike."""
        if self.line is None or not self.file:
            return Scope(cases=(self.key,))
        alike = self.alike
        return Scope(lines=(self.line,), groups=(alike.group,), cases=(self.key, alike.case))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndStatementBreak(Command):
    """What ends the case about a file or statement: what it lacked has come, or it is explained.

    `subject` is that of the case, `text` says what has come.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["end_statement_break"] = "end_statement_break"
    what: StatementBreak
    subject: str
    text: str

    @property
    def key(self) -> str:
        """The key of the case."""
        return f"{self.what.value}/{self.subject}"

    def scope(self) -> Scope:
        """The case."""
        return Scope(cases=(self.key,))
