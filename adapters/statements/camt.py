"""Streaming reader of ISO 20022 camt.052, camt.053 and camt.054, version 2 and later.

Only the standard library: expat under `iterparse`. What is not booked is shown and never given as a
booked line; what does not add up is for the control totals; what is broken or ambiguous is refused.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from adapters.statements.camt_entry import statement_line
from adapters.statements.camt_head import statement_head
from adapters.statements.camt_items import Transaction, transaction
from adapters.statements.camt_stream import CamtStream
from adapters.statements.counts import Counts
from adapters.statements.fields import FieldRefused
from adapters.statements.guarded import GuardedSource, Limits
from adapters.statements.locate import Place, line_of
from adapters.statements.reading import PagedReader, Pages
from domain.errors import InvalidInput
from domain.statement.statement import Statement
from ports.statements import REFUSALS_MOST, StatementPage, StatementRefused


class CamtReader(PagedReader):
    """Implements `ports.statements.StatementReader`."""

    def held(self, source: BinaryIO) -> AbstractContextManager[BinaryIO]:
        """The source itself, not a copy: it is read once, and again only to find all refusals."""
        return nullcontext(source)

    def reading(self, source: BinaryIO) -> "CamtReading":
        """See the base."""
        return CamtReading(source, self._limits, self._page_lines)


class CamtReading:
    """One file while it is read, see `adapters.statements.reading.FileReading`."""

    def __init__(self, source: BinaryIO, limits: Limits, page_lines: int) -> None:
        self._source, self._limits, self._page_lines = source, limits, page_lines
        self.content = GuardedSource(source, limits)
        self._stream = CamtStream(self.content, limits)

    @property
    def format(self) -> str:
        """The message with its version."""
        return self._stream.message.name

    def pages(self) -> Iterator[StatementPage]:
        """The file page by page."""
        source = self._source
        start = source.tell() if source.seekable() else None
        walk = _Walk(self._stream, self._limits, self._page_lines)
        last: StatementRefused | None = None
        try:
            with Counts() as counts:
                yield from walk.pages(counts)
        except StatementRefused as refusal:
            last = refusal
        except ParseError as error:
            line = error.position[0]
            last = StatementRefused("XML", error, "well-formed XML", line)
        except InvalidInput as error:
            place = Place(self._stream.ordinal)
            if isinstance(error, FieldRefused):
                place = self._stream.place_of(error.element)
            last = _at(error, source, start, place)
        found = [_at(error, source, start, place) for error, place in walk.refused]
        if last is not None:
            found.append(last)
        if found:
            raise StatementRefused.of(found) from None


def _at(error: InvalidInput, source: BinaryIO, start: int | None, place: Place) -> StatementRefused:
    """The refusal with its line, where the file can be read again."""
    line = None if start is None else line_of(source, start, place)
    return StatementRefused.at(error, line)


class _Walk:
    """Reads the elements that the stream hands out.

    Attributes:
        refused: fields of entries that broke a rule, and where. The rest of the file is read on, so
            that all of them are reported at once; no page is given any more.
    """

    def __init__(self, stream: CamtStream, limits: Limits, page_lines: int) -> None:
        self._stream, self._limits, self._page_lines = stream, limits, page_lines
        self._balances: list[Element] = []
        self._transactions: list[Transaction] = []
        self.refused: list[tuple[InvalidInput, Place]] = []

    def pages(self, counts: Counts) -> Iterator[StatementPage]:
        """Every page, until something is refused.

        Raises:
            InvalidInput: what makes reading on impossible.
        """
        pages: Pages | None = None
        for kind, element, parents in self._stream:
            if pages is None:
                names = (self._stream.message.path, "Ntry")
                pages = Pages(self._limits, self._page_lines, counts, names)
            match kind:
                case "transaction":
                    self._transaction(element, parents[-2], parents[-1])
                case "balance":
                    if pages.head is not None:
                        path = f"{self._stream.message.document}/Bal"
                        raise InvalidInput(
                            path, "after an entry", "balances stand before the entries"
                        )
                    self._balances.append(element)
                case "entry":
                    if pages.is_full:
                        yield from self._given(pages.page(is_last=False))
                    pages.counted()
                    self._entry(element, self._head(pages, parents[-1]), pages)
                case "statement":
                    self._head(pages, element)
                    yield from self._given(pages.page(is_last=True))
                    self._balances.clear()
            if len(self.refused) >= REFUSALS_MOST:
                return
        if pages is None or pages.position == 0:
            raise InvalidInput(self._stream.message.path, "none", "at least one statement")

    def _given(self, page: StatementPage) -> Sequence[StatementPage]:
        return () if self.refused else (page,)

    def _head(self, pages: Pages, document: Element) -> Statement:
        if pages.head is None:
            message = self._stream.message
            head = statement_head(self._stream.fields, document, self._balances, message)
            pages.open(head)
            return head
        return pages.head

    def _transaction(self, details: Element, entry: Element, group: Element) -> None:
        if len(self._transactions) == self._limits.items:
            most = self._limits.items
            raise InvalidInput("Ntry/NtryDtls", f"over {most}", f"at most {most} transactions")
        try:
            amount = self._stream.fields.amount(entry, "Amt")
            first = next(child for child in entry if child is group or child.tag.endswith("}Amt"))
            if amount is None or first is group:
                raise InvalidInput("Ntry/Amt", "", "an amount before the details")
            credit = self._stream.fields.sign(entry) == 1
            self._transactions.append(
                transaction(self._stream.fields, details, amount[1], credit=credit)
            )
        except FieldRefused as error:
            self._refuse(error)

    def _entry(self, entry: Element, head: Statement, pages: Pages) -> None:
        try:
            pages.add(statement_line(self._stream.fields, entry, head, self._transactions))
        except FieldRefused as error:
            self._refuse(error)
        self._transactions.clear()

    def _refuse(self, error: FieldRefused) -> None:
        """Keep what a field got wrong; one element is not told of twice."""
        place = self._stream.place_of(error.element)
        if all(known != place for _, known in self.refused):
            self.refused.append((error, place))
