"""Streaming reader of SWIFT MT940 (statement) and MT942 (interim report).

The closing balance stands behind the entries, so a file is read twice: first whole, for the heads
and for everything that is refused, then page by page.
"""

from collections.abc import Iterator
from typing import BinaryIO

from adapters.statements.counts import Counts
from adapters.statements.guarded import Limits
from adapters.statements.reading import PagedReader, Pages
from adapters.statements.swift_entry import statement_line
from adapters.statements.swift_fields import Field, messages
from adapters.statements.swift_head import ONCE, is_report, statement_head
from adapters.statements.textlines import TextLines
from domain.errors import InvalidInput
from domain.statement.statement import DocumentKind, Statement
from ports.statements import REFUSALS_MOST, StatementPage, StatementRefused

_ENTRY, _INFO = "61", "86"
_BALANCES_BEFORE = ("60F", "60M")
_KEPT_MOST = 200
"""Most fields of one message besides its entries."""


class SwiftReader(PagedReader):
    """Implements `ports.statements.StatementReader`."""

    def reading(self, source: BinaryIO) -> "SwiftReading":
        """See the base."""
        return SwiftReading(source, self._limits, self._page_lines)


class SwiftReading:
    """One file while it is read, see `adapters.statements.reading.FileReading`."""

    def __init__(self, source: BinaryIO, limits: Limits, page_lines: int) -> None:
        self._source, self._limits, self._page_lines = source, limits, page_lines
        self.content = TextLines(self._source, limits)
        self._heads: list[Statement] = []

    @property
    def format(self) -> str:
        """The message that the file begins with."""
        reports = self._heads and self._heads[0].kind is DocumentKind.REPORT
        return "MT942" if reports else "MT940"

    def pages(self) -> Iterator[StatementPage]:
        """The file page by page, once it was looked through."""
        start = self._source.tell()
        self._heads = _Survey(self._limits).heads(TextLines(self._source, self._limits))
        self._source.seek(start)
        with Counts() as counts:
            pages = Pages(self._limits, self._page_lines, counts, (":20:", ":61:"))
            for head, fields in zip(self._heads, messages(self.content, self._limits), strict=True):
                pages.open(head)
                for entry, info in _entries(fields):
                    if pages.is_full:
                        yield pages.page(is_last=False)
                    pages.add(statement_line(entry.lines, info, head))
                yield pages.page(is_last=True)


def _entries(fields: Iterator[Field]) -> Iterator[tuple[Field, tuple[str, ...]]]:
    """Each `:61:` with the lines of the `:86:` behind it."""
    entry: Field | None = None
    for field in fields:
        if entry is not None:
            yield entry, field.lines if field.tag == _INFO else ()
        entry = field if field.tag == _ENTRY else None
    if entry is not None:
        yield entry, ()


class _Survey:
    """Looks through a whole file: its heads, and every field that breaks a rule."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._refused: list[StatementRefused] = []
        self._entries = 0

    def heads(self, lines: TextLines) -> list[Statement]:
        """The head of each statement, in order.

        Raises:
            StatementRefused: all that was found, up to a limit.
        """
        heads: list[Statement] = []
        try:
            for fields in messages(lines, self._limits):
                self._room_for(heads)
                head = self._message(fields, heads[-1] if heads else None)
                if head is not None:
                    heads.append(head)
        except StatementRefused as error:
            self._refused.append(error)
        if not heads and not self._refused:
            raise StatementRefused(":20:", "none", "at least one statement")
        if self._refused:
            raise StatementRefused.of(self._refused)
        return heads

    def _room_for(self, heads: list[Statement]) -> None:
        """Refuse one more statement than the limit."""
        most = self._limits.statements
        if len(heads) == most:
            rule = f"at most {most} statements in a file"
            raise StatementRefused(":20:", f"over {most}", rule)

    def _message(self, fields: Iterator[Field], before: Statement | None) -> Statement | None:
        """The head of one message; None where its head is refused, which is kept."""
        held: dict[str, list[Field]] = {}
        info: tuple[str, ...] = ()
        entries = _Entries(self)
        for field in fields:
            if field.tag == _ENTRY:
                self._counted(field)
                if not is_report(held) or "34F" in held:
                    entries.add(field, held, before)
                else:
                    self._refuse(field, "", "an opening balance before the entries")
            elif field.tag == _INFO:
                info = () if entries.finish() else field.lines
            else:
                self._keep(held, field)
                entries.finish()
        entries.finish()
        try:
            return statement_head(held, info, before)
        except StatementRefused as error:
            self.refused(error)
            return None

    def _keep(self, held: dict[str, list[Field]], field: Field) -> None:
        if field.tag in ONCE and field.tag in held:
            self._refuse(field, field.text, f"one {field.name} in a statement")
        if sum(map(len, held.values())) == _KEPT_MOST:
            self._refuse(field, field.text, f"at most {_KEPT_MOST} fields beside the entries")
            raise StatementRefused(field.name, field.text, "a shorter message", field.line)
        held.setdefault(field.tag, []).append(field)

    def _counted(self, field: Field) -> None:
        self._entries += 1
        if self._entries > self._limits.entries:
            most = self._limits.entries
            rule = f"at most {most} entries in a file"
            raise StatementRefused(field.name, f"over {most}", rule, field.line)

    def _refuse(self, field: Field, value: object, rule: str) -> None:
        self.refused(StatementRefused(field.name, value, rule, field.line))

    def refused(self, error: StatementRefused) -> None:
        """Keep a refusal.

        Raises:
            StatementRefused: it is one too many.
        """
        if len(self._refused) >= REFUSALS_MOST - 1:
            raise error
        self._refused.append(error)


class _Entries:
    """The entries of one message while it is looked through; their texts cannot be refused."""

    def __init__(self, survey: _Survey) -> None:
        self._survey = survey
        self._entry: Field | None = None
        self._head: Statement | None = None

    def add(self, field: Field, held: dict[str, list[Field]], before: Statement | None) -> None:
        """One more `:61:`."""
        self.finish()
        self._entry = field
        if self._head is None:
            self._head = _provisional(held, before)

    def finish(self) -> bool:
        """Read the entry at hand; whether there is one."""
        entry, self._entry = self._entry, None
        if entry is None:
            return False
        if self._head is not None:
            try:
                statement_line(entry.lines, (), self._head)
            except InvalidInput as error:
                self._survey.refused(StatementRefused.at(error, entry.line))
        return True


def _provisional(held: dict[str, list[Field]], before: Statement | None) -> Statement | None:
    """A head to read entries by before the closing balance is known; None where it is refused."""
    opening = next((held[tag][0] for tag in _BALANCES_BEFORE if tag in held), None)
    fields = dict(held)
    if opening is not None:
        fields["62F"] = [Field("62F", opening.lines, opening.line)]
    try:
        return statement_head(fields, (), before)
    except StatementRefused:
        return None  # it is refused at the end of the message
