"""Streaming reader of BAI2, the cash management report of the United States (BAI, version 2).

Control totals and counts of every level are compared: a file that breaks one is cut off or damaged.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from adapters.statements.bai2_account import account_head, detail_line, number_of
from adapters.statements.bai2_records import DETAIL, Record, records
from adapters.statements.counts import Counts
from adapters.statements.guarded import Limits
from adapters.statements.reading import PagedReader, Pages
from adapters.statements.textlines import TextLines
from adapters.statements.textvalues import day_of
from domain.errors import InvalidInput
from domain.statement.statement import Statement
from ports.statements import REFUSALS_MOST, StatementPage, StatementRefused

_FILE, _GROUP, _ACCOUNT = "01", "02", "03"
_ACCOUNT_END, _GROUP_END, _FILE_END = "49", "98", "99"
_VERSION = "2"
_VERSION_AT = 7
_DEFAULT_CURRENCY = "USD"
_AFTER = {
    "": {_FILE},
    _FILE: {_GROUP},
    _GROUP: {_ACCOUNT},
    _ACCOUNT: {DETAIL, _ACCOUNT_END},
    DETAIL: {DETAIL, _ACCOUNT_END},
    _ACCOUNT_END: {_ACCOUNT, _GROUP_END},
    _GROUP_END: {_GROUP, _FILE_END},
    _FILE_END: {_FILE},
}
_USABLE = frozenset({"1", "3"})


class Bai2Reader(PagedReader):
    """Implements `ports.statements.StatementReader`."""

    def reading(self, source: BinaryIO) -> "Bai2Reading":
        """See the base."""
        return Bai2Reading(source, self._limits, self._page_lines)


@dataclass(slots=True)
class _Level:
    """What one level of the file has held so far: sum of amounts, parts, physical records."""

    sum: int = 0
    parts: int = 0
    lines: int = 0


@dataclass(slots=True)
class Group:
    """The group that is read.

    `modifier` says whether the report is final: 2 and 4 are, 1 and 3 are not.
    """

    originator: str
    as_of: date
    currency: str
    modifier: str


@dataclass(slots=True)
class _State:
    """Where the reading stands: the last record's code, and the open levels."""

    last: str = ""
    group: Group | None = None
    levels: dict[str, _Level] = field(default_factory=dict)
    refused: list[StatementRefused] = field(default_factory=list)


class Bai2Reading:
    """One file while it is read, see `adapters.statements.reading.FileReading`."""

    format = "BAI2"

    def __init__(self, source: BinaryIO, limits: Limits, page_lines: int) -> None:
        self._limits, self._page_lines = limits, page_lines
        self.content = TextLines(source, limits)
        self._state = _State()

    def pages(self) -> Iterator[StatementPage]:
        """The file page by page, until something is refused."""
        state = self._state
        try:
            with Counts() as counts:
                pages = Pages(self._limits, self._page_lines, counts, ("03", "16"))
                for record in records(self.content, self._limits):
                    for page in self._record(record, pages):
                        if not state.refused:
                            yield page
        except StatementRefused as error:
            state.refused.append(error)
        else:
            if state.last != _FILE_END:
                rule = "the record that ends the file"
                state.refused.append(StatementRefused("99", "none", rule))
        if state.refused:
            raise StatementRefused.of(state.refused) from None

    def _record(self, record: Record, pages: Pages) -> Iterator[StatementPage]:
        state = self._state
        if record.code not in _AFTER[state.last]:
            expected = " or ".join(sorted(_AFTER[state.last]))
            raise StatementRefused("record", record.code, f"{expected} here", record.line)
        state.last = record.code
        if record.code in {_FILE, _GROUP, _ACCOUNT}:
            state.levels[record.code] = _Level()
        for level in state.levels.values():
            level.lines += record.lines
        match record.code:
            case "01":
                if record.field(_VERSION_AT) != _VERSION:
                    raise record.refused("version", record.field(_VERSION_AT), "version 2 (BAI2)")
            case "02":
                state.group = _group(record)
            case "03":
                self._open(record, pages)
            case "16":
                if pages.is_full:
                    yield pages.page(is_last=False)
                self._detail(record, pages)
            case "49":
                yield pages.page(is_last=True)
                self._close(record, _ACCOUNT, _GROUP)
            case "98":
                self._close(record, _GROUP, _FILE)
            case _:
                self._close(record, _FILE, None)

    def _open(self, record: Record, pages: Pages) -> None:
        """A statement begins; its balances and totals are part of its control total."""
        if self._state.group is None:
            raise record.refused("group", "", "a group before it")
        head, total = account_head(record, self._state.group)
        self._state.levels[_ACCOUNT].sum += total
        try:
            pages.open(head)
        except InvalidInput as error:
            raise StatementRefused.at(error, record.line) from None

    def _detail(self, record: Record, pages: Pages) -> None:
        head: Statement | None = pages.head
        if head is None:
            raise record.refused("record", record.code, "an account before it")
        try:
            pages.counted()
        except InvalidInput as error:
            raise StatementRefused.at(error, record.line) from None
        try:
            total, line = detail_line(record, head)
        except StatementRefused as error:
            self._refuse(error)
            return
        self._state.levels[_ACCOUNT].sum += total
        if line is not None:
            pages.add(line)

    def _close(self, record: Record, closed: str, above: str | None) -> None:
        """Compare a control record with what the level held: sum, parts (98, 99), records."""
        level = self._state.levels.pop(closed)
        stated = [("control total", number_of(record, 0, "control total"), level.sum)]
        if record.code != _ACCOUNT_END:
            name = "number of accounts" if record.code == _GROUP_END else "number of groups"
            stated.append((name, number_of(record, 1, name), level.parts))
        at = len(stated)
        stated.append(
            ("number of records", number_of(record, at, "number of records"), level.lines)
        )
        for name, said, counted in stated:
            if said != counted and not self._state.refused:
                self._refuse(record.refused(name, said, f"{counted}, as counted"))
        if above is not None:
            upper = self._state.levels[above]
            upper.parts += 1
            upper.sum += level.sum

    def _refuse(self, error: StatementRefused) -> None:
        if len(self._state.refused) >= REFUSALS_MOST - 1:
            raise error
        self._state.refused.append(error)


def _group(record: Record) -> Group:
    status = record.field(2)
    if status not in _USABLE:
        rule = "1 (update) or 3 (correction): 2 deletes what was sent, 4 is a test"
        raise record.refused("group status", status, rule)
    try:
        as_of = day_of(record.field(3), "02 as-of date")
    except InvalidInput:
        raise record.refused("as-of date", record.field(3), "a date as YYMMDD") from None
    modifier = record.field(6)
    if modifier not in {"", "1", "2", "3", "4"}:
        raise record.refused("as-of-date modifier", modifier, "1, 2, 3, 4 or nothing")
    return Group(record.field(1), as_of, record.field(5) or _DEFAULT_CURRENCY, modifier)
