"""What every reader of statement files shares: pages of bounded size, limits, and the survey."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import BinaryIO, Protocol

from adapters.statements.counts import Counts
from adapters.statements.guarded import Limits
from adapters.statements.paging import with_whole
from adapters.statements.textlines import rewindable
from domain.errors import InvalidInput, InvariantBroken
from domain.statement.identity import LineIds
from domain.statement.statement import (
    DocumentKind,
    EntryStatus,
    Fault,
    FaultRule,
    Statement,
    StatementLine,
)
from domain.statement.totals import NOTHING, Totals
from ports.statements import PAGE_LINES, FileSurvey, StatementPage, StatementSummary

_OF_BALANCES = frozenset(
    {FaultRule.OPENING_MISSING, FaultRule.CLOSING_MISSING, FaultRule.BALANCE_DIFFERS}
)
"""What a report or a notification need not keep: it has no balances, or those of a moment."""


class Content(Protocol):
    """The bytes of a file while they are read; both figures are of all bytes at its end."""

    size_bytes: int

    @property
    def sha256(self) -> str:
        """Of everything read so far."""
        ...


class FileReading(Protocol):
    """One file while it is read. Content and format are known once `pages` has ended."""

    @property
    def content(self) -> Content:
        """Its bytes."""
        ...

    @property
    def format(self) -> str:
        """What the file was read as."""
        ...

    def pages(self) -> Iterator[StatementPage]:
        """The file page by page."""
        ...


class PagedReader(ABC):
    """Implements `ports.statements.StatementReader` over the reading of one file."""

    def __init__(self, limits: Limits | None = None, page_lines: int = PAGE_LINES) -> None:
        self._limits = limits or Limits()
        self._page_lines = page_lines

    @abstractmethod
    def reading(self, source: BinaryIO) -> FileReading:
        """Begin to read a file, which can be read twice from where it stands.

        Raises:
            StatementRefused: what can be told from its beginning.
        """

    def held(self, source: BinaryIO) -> AbstractContextManager[BinaryIO]:
        """The source in a form that can be read twice."""
        return rewindable(source, self._limits)

    def pages(self, source: BinaryIO) -> Iterator[StatementPage]:
        """See the port. Memory is bounded by one page and one entry."""
        with self.held(source) as held:
            yield from self.reading(held).pages()

    def read(self, source: BinaryIO) -> Iterator[Statement]:
        """See the port."""
        lines: list[StatementLine] = []
        pending: list[StatementLine] = []
        for page in self.pages(source):
            lines.extend(page.lines)
            pending.extend(page.pending)
            if page.is_last:
                yield replace(page.head, lines=tuple(lines), pending=tuple(pending))
                lines.clear()
                pending.clear()

    def survey(self, source: BinaryIO) -> FileSurvey:
        """See the port."""
        summaries: list[StatementSummary] = []
        totals = Totals()
        with self.held(source) as held:
            reading = self.reading(held)
            for page in reading.pages():
                totals = totals.plus(page.head, page.lines)
                if page.is_last:
                    summaries.append(_summary(page, totals))
                    totals = Totals()
        whole = with_whole(summaries)
        content = reading.content
        return FileSurvey(content.sha256, content.size_bytes, whole, reading.format)


def _summary(page: StatementPage, totals: Totals) -> StatementSummary:
    """What was counted in a statement whose last page of lines this is."""
    return StatementSummary(
        page.head,
        totals.lines,
        totals.sum_minor,
        page.left_out,
        _faults(page, totals),
        later_minor=totals.later_minor,
        tally=totals.booked,
        left_out_tally=page.left_out_tally,
    )


def _faults(page: StatementPage, totals: Totals) -> tuple[Fault, ...]:
    found = totals.closed(page.head, page.left_out_tally)
    if page.head.kind is DocumentKind.STATEMENT:
        return found
    return tuple(fault for fault in found if fault.rule not in _OF_BALANCES)


class Pages:
    """Gathers the entries of one statement after the other into pages, and names the booked ones.

    Args:
        names: what a statement and an entry are called in the format, for refusals.

    Raises:
        InvalidInput: from `open` and `add`: more statements or entries than the limits allow.
    """

    def __init__(
        self, limits: Limits, page_lines: int, counts: Counts, names: tuple[str, str]
    ) -> None:
        self._limits, self._page_lines = limits, page_lines
        self._counts, self._ids = counts, LineIds(counts.count)
        self._statement_name, self._entry_name = names
        self._before: Statement | None = None
        self._entries = 0
        self._begin()
        self.position = 0
        self.head: Statement | None = None

    def _begin(self) -> None:
        self._lines: list[StatementLine] = []
        self._pending: list[StatementLine] = []
        self._left_out, self._tally = 0, NOTHING
        self._number = 0

    def open(self, head: Statement) -> None:
        """Begin a statement. Equal lines are counted anew, unless it is the next page of the last.

        The limit of statements is looked at here, before an entry is read.
        """
        if self.position == self._limits.statements:
            most = self._limits.statements
            rule = f"at most {most} statements in a file"
            raise InvalidInput(self._statement_name, f"over {most}", rule)
        if not _is_next_page(self._before, head):
            self._counts.clear()
        self.head = head

    def counted(self) -> None:
        """Count one more entry of the file, before it is read."""
        self._entries += 1
        if self._entries > self._limits.entries:
            most = self._limits.entries
            raise InvalidInput(
                self._entry_name, f"over {most}", f"at most {most} entries in a file"
            )

    @property
    def is_full(self) -> bool:
        """Whether a page is to be taken before the next entry is added."""
        return len(self._lines) + len(self._pending) == self._page_lines

    def add(self, line: StatementLine) -> None:
        """One entry: a booked one is given its id, any other is only counted and shown."""
        if line.status is EntryStatus.BOOKED:
            self._lines.append(replace(line, id=self._ids.next(line)))
            return
        self._pending.append(line)
        self._left_out += 1
        if self.head is not None and line.currency == self.head.currency:
            self._tally = self._tally.plus(line.amount_minor)

    def page(self, *, is_last: bool) -> StatementPage:
        """What was gathered since the last page; the last one ends the statement."""
        if self.head is None:
            raise InvariantBroken("no statement is open")
        page = StatementPage(
            self.head,
            self.position,
            self._number,
            tuple(self._lines),
            is_last,
            self._left_out,
            self._tally,
            tuple(self._pending),
        )
        self._number += 1
        self._lines, self._pending = [], []
        if is_last:
            self._before, self.head = self.head, None
            self.position += 1
            self._begin()
        return page


def _is_next_page(before: Statement | None, head: Statement) -> bool:
    """Whether the statement goes on from the one before it in the file: its lines are one count."""
    return before is not None and (before.account, before.whole_id, before.page + 1) == (
        head.account,
        head.whole_id,
        head.page,
    )
