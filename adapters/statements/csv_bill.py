"""Streaming reader of tables of bookings (CSV) by a map: bank exports, bills of wallets.

Totals and balances stand behind the rows, so a file is read twice: first whole, for the head and
for everything that is refused, then page by page.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from adapters.statements.counts import Counts
from adapters.statements.csv_head import Heading
from adapters.statements.csv_map import CsvMap
from adapters.statements.csv_rows import Read, Rows
from adapters.statements.csv_table import BEGINNING, Part, Row, decoder, has_header, parts
from adapters.statements.guarded import Limits
from adapters.statements.reading import PagedReader, Pages
from adapters.statements.textlines import Decode, TextLines
from domain.errors import InvalidInput
from domain.statement.statement import Statement
from ports.statements import PAGE_LINES, REFUSALS_MOST, StatementPage, StatementRefused

_NO_MAP = (
    "a table is read by a map: acquit statements read FILE --map MAP; workers take the maps of "
    "the folder that ACQUIT_STATEMENT_MAPS names (examples/statements/maps has some)"
)

_MAPS_SHOWN = 10


class CsvReader(PagedReader):
    """Implements `ports.statements.StatementReader`.

    Of several maps the first one whose columns the file has is taken.
    """

    def __init__(
        self, maps: Sequence[CsvMap], limits: Limits | None = None, page_lines: int = PAGE_LINES
    ) -> None:
        super().__init__(limits, page_lines)
        self._maps = tuple(maps)

    def reading(self, source: BinaryIO) -> "CsvReading":
        """See the base.

        Raises:
            StatementRefused: no map fits.
        """
        place = source.tell()
        start = source.read(BEGINNING)
        source.seek(place)
        rules = self._maps[0] if len(self._maps) == 1 else self._fitting(start)
        return CsvReading(source, rules, decoder(start, rules), self._limits, self._page_lines)

    def _fitting(self, start: bytes) -> CsvMap:
        for rules in self._maps:
            if has_header(start, rules):
                return rules
        first = start[:60].splitlines()[:1] or [b""]
        value = first[0].decode(errors="replace")
        names = ", ".join(rules.name for rules in self._maps[:_MAPS_SHOWN])
        tried = f"; of those known none fits: {names}" if names else ""
        raise StatementRefused("format", value, _NO_MAP + tried, 1)


class CsvReading:
    """One file while it is read, see `adapters.statements.reading.FileReading`."""

    def __init__(
        self, source: BinaryIO, rules: CsvMap, decode: Decode, limits: Limits, page_lines: int
    ) -> None:
        self._source, self._rules, self._decode = source, rules, decode
        self._limits, self._page_lines = limits, page_lines
        self._rows = Rows(rules)
        self.content = TextLines(source, limits, decode)

    @property
    def format(self) -> str:
        """The map that the file was read by."""
        return f"csv {self._rules.name}"

    def pages(self) -> Iterator[StatementPage]:
        """The file page by page, once it was looked through."""
        start = self._source.tell()
        head = self._head(TextLines(self._source, self._limits, self._decode))
        self._source.seek(start)
        with Counts() as counts:
            pages = Pages(self._limits, self._page_lines, counts, ("table", "rows"))
            pages.open(head)
            for part in parts(self.content, self._rules):
                if not isinstance(part, Row):
                    continue
                read = self._read(part, head.account)
                if read is None:
                    continue
                if pages.is_full:
                    yield pages.page(is_last=False)
                pages.add(read.line)
            yield pages.page(is_last=True)

    def _read(self, row: Row, account: str) -> Read | None:
        rule = self._rows.rule(row)
        if rule is None or rule.take == "total":
            return None
        return self._rows.read(row, rule, account)

    def _head(self, lines: TextLines) -> Statement:
        """The head, from the whole file.

        Raises:
            StatementRefused: all that was found, up to a limit.
        """
        heading = Heading(self._rules, self._rows)
        refused: list[StatementRefused] = []
        try:
            for part in self._bounded(parts(lines, self._rules)):
                try:
                    heading.add(part)
                except InvalidInput as error:
                    refused.append(StatementRefused.at(error, part.line))
                if len(refused) == REFUSALS_MOST:
                    break
            if not refused:
                return heading.head()
        except StatementRefused as error:
            refused.append(error)
        except InvalidInput as error:
            refused.append(StatementRefused.at(error, None))
        raise StatementRefused.of(refused)

    def _bounded(self, found: Iterator[Part]) -> Iterator[Part]:
        """The parts of the file, with as many rows as the limits allow."""
        rows, most = 0, self._limits.entries
        for part in found:
            rows += isinstance(part, Row)
            if rows > most:
                raise StatementRefused("rows", f"over {most}", f"at most {most} rows", part.line)
            yield part
