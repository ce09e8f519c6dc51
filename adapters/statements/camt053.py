"""Streaming reader of ISO 20022 camt.053 (bank to customer statement), version 2 and later.

Only the standard library: expat under `iterparse`. What is not booked is left out and counted;
what does not add up is for the control totals; what is broken or ambiguous is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from adapters.statements.camt_entry import is_booked, signed_amount, statement_line
from adapters.statements.camt_head import statement_head
from adapters.statements.camt_items import Transaction, transaction
from adapters.statements.camt_stream import CamtStream
from adapters.statements.counts import Counts
from adapters.statements.fields import FieldRefused
from adapters.statements.guarded import GuardedSource, Limits
from adapters.statements.locate import Place, line_of
from adapters.statements.paging import with_whole
from domain.errors import InvalidInput
from domain.statement.identity import LineIds
from domain.statement.statement import Statement, StatementLine
from domain.statement.totals import NOTHING, Tally, Totals
from ports.statements import (
    PAGE_LINES,
    FileSurvey,
    StatementPage,
    StatementRefused,
    StatementSummary,
)


class Camt053Reader:
    """Implements `ports.statements.StatementReader`."""

    def __init__(self, limits: Limits | None = None, page_lines: int = PAGE_LINES) -> None:
        self._limits = limits or Limits()
        self._page_lines = page_lines

    def pages(self, source: BinaryIO) -> Iterator[StatementPage]:
        """See the port. Memory is bounded by one page and one entry."""
        yield from self._pages(source, GuardedSource(source, self._limits))

    def read(self, source: BinaryIO) -> Iterator[Statement]:
        """See the port."""
        lines: list[StatementLine] = []
        for page in self.pages(source):
            lines.extend(page.lines)
            if page.is_last:
                yield replace(page.head, lines=tuple(lines))
                lines.clear()

    def survey(self, source: BinaryIO) -> FileSurvey:
        """See the port."""
        guarded = GuardedSource(source, self._limits)
        summaries: list[StatementSummary] = []
        totals = Totals()
        for page in self._pages(source, guarded):
            totals = totals.plus(page.head, page.lines)
            if page.is_last:
                summaries.append(_summary(page, totals))
                totals = Totals()
        return FileSurvey(guarded.sha256, guarded.size_bytes, with_whole(summaries))

    def _pages(self, source: BinaryIO, guarded: GuardedSource) -> Iterator[StatementPage]:
        start = source.tell() if source.seekable() else None
        stream = CamtStream(guarded, self._limits)
        try:
            with Counts() as counts:
                yield from _Walk(stream, self._limits, self._page_lines, counts).pages()
        except StatementRefused:
            raise
        except ParseError as error:
            line = error.position[0]
            raise StatementRefused("XML", error, "well-formed XML", line) from None
        except InvalidInput as error:
            place = Place(stream.ordinal)
            if isinstance(error, FieldRefused):
                place = stream.place_of(error.element)
            found = None if start is None else line_of(source, start, place)
            raise StatementRefused(error.field, error.value, error.rule, found) from None


def _summary(page: StatementPage, totals: Totals) -> StatementSummary:
    """What was counted in a statement whose last page of lines this is."""
    return StatementSummary(
        page.head,
        totals.lines,
        totals.sum_minor,
        page.left_out,
        totals.closed(page.head, page.left_out_tally),
        later_minor=totals.later_minor,
        tally=totals.booked,
        left_out_tally=page.left_out_tally,
    )


@dataclass(slots=True)
class _Open:
    """The statement that is being read; its head is known from its first entry on."""

    head: Statement | None
    lines: list[StatementLine]
    balances: list[Element]
    transactions: list[Transaction]
    left_out: int = 0
    left_out_tally: Tally = NOTHING
    page: int = 0


class _Walk:
    def __init__(self, stream: CamtStream, limits: Limits, page_lines: int, counts: Counts) -> None:
        self._stream = stream
        self._limits = limits
        self._page_lines = page_lines
        self._entries = 0
        self._position = 0
        self._open = _Open(None, [], [], [])
        self._counts, self._ids = counts, LineIds(counts.count)
        self._before: Statement | None = None

    def pages(self) -> Iterator[StatementPage]:
        for kind, element, parents in self._stream:
            match kind:
                case "transaction":
                    self._transaction(element, parents[-2], parents[-1])
                case "balance":
                    self._balance(element)
                case "entry":
                    if len(self._open.lines) == self._page_lines:
                        yield self._page(self._head(parents[-1]), is_last=False)
                    self._entry(element, parents[-1])
                case "statement":
                    if self._position == self._limits.statements:
                        most = self._limits.statements
                        rule = f"at most {most} statements in a file"
                        raise InvalidInput("BkToCstmrStmt/Stmt", f"over {most}", rule)
                    yield self._page(self._head(element), is_last=True)
                    self._before, self._open = self._open.head, _Open(None, [], [], [])
                    self._position += 1
        if self._position == 0:
            raise InvalidInput("BkToCstmrStmt/Stmt", "none", "at least one statement")

    def _head(self, stmt: Element) -> Statement:
        if self._open.head is None:
            head = statement_head(self._stream.fields, stmt, self._open.balances)
            if not _is_next_page(self._before, head):
                self._counts.clear()
            self._open.head = head
        return self._open.head

    def _balance(self, balance: Element) -> None:
        if self._open.head is not None:
            raise InvalidInput("Stmt/Bal", "after an entry", "balances stand before the entries")
        self._open.balances.append(balance)

    def _transaction(self, details: Element, entry: Element, group: Element) -> None:
        if len(self._open.transactions) == self._limits.items:
            most = self._limits.items
            raise InvalidInput("Ntry/NtryDtls", f"over {most}", f"at most {most} transactions")
        amount = self._stream.fields.amount(entry, "Amt")
        first = next(child for child in entry if child is group or child.tag.endswith("}Amt"))
        if amount is None or first is group:
            raise InvalidInput("Ntry/Amt", "", "an amount before the details")
        self._open.transactions.append(transaction(self._stream.fields, details, amount[1]))

    def _entry(self, entry: Element, stmt: Element) -> None:
        self._entries += 1
        if self._entries > self._limits.entries:
            most = self._limits.entries
            raise InvalidInput("Ntry", f"over {most}", f"at most {most} entries in a file")
        now, fields = self._open, self._stream.fields
        head = self._head(stmt)
        if is_booked(fields, entry):
            now.lines.append(statement_line(fields, entry, head, now.transactions, self._ids))
        else:
            now.left_out += 1
            minor, currency = signed_amount(fields, entry)
            if currency == head.currency:
                now.left_out_tally = now.left_out_tally.plus(minor)
        now.transactions.clear()

    def _page(self, head: Statement, *, is_last: bool) -> StatementPage:
        now = self._open
        page = StatementPage(
            head,
            self._position,
            now.page,
            tuple(now.lines),
            is_last,
            now.left_out,
            now.left_out_tally,
        )
        now.page += 1
        now.lines = []
        return page


def _is_next_page(before: Statement | None, head: Statement) -> bool:
    """Whether the statement goes on from the one before it in the file: its lines are one count."""
    return before is not None and (before.account, before.whole_id, before.page + 1) == (
        head.account,
        head.whole_id,
        head.page,
    )
