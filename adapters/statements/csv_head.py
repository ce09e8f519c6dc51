"""What a table of bookings says as a whole: account, period, balances and totals."""

import re
from collections.abc import Callable
from datetime import date
from typing import assert_never

from adapters.statements.csv_map import CsvMap, Total
from adapters.statements.csv_rows import Read, Rows
from adapters.statements.csv_table import Outside, Part, Row, Totals
from adapters.statements.csv_values import day_in
from adapters.statements.iban import account_of
from adapters.statements.sizes import account_fault
from domain.errors import InvalidInput
from domain.statement.statement import (
    UNSTATED,
    Balance,
    BalanceKind,
    EntryStatus,
    Stated,
    Statement,
    Summary,
)

_PATTERN_AT = 500
"""How far into a line around the table patterns are searched."""
_SEARCHED_MOST = 1_000
"""In how many lines around the table patterns are searched."""
_COUNT = re.compile(r"\d{1,9}", re.ASCII)


class Heading:
    """Gathers the head of a table part by part.

    Raises:
        InvalidInput: from `add` and `head`: names the column or pattern that breaks a rule.
    """

    def __init__(self, rules: CsvMap, rows: Rows) -> None:
        self._rules, self._rows = rules, rows
        self._account = rules.account
        self._currency = rules.currency
        self._found: dict[str, str] = {}
        self._searched = 0
        self._totals: dict[int, tuple[str | None, str | None]] = {}
        self._days: tuple[date, date] | None = None
        self._first: Read | None = None
        self._last: Read | None = None

    def add(self, part: Part) -> None:
        """One more part of the file."""
        match part:
            case Outside():
                self._outside(part.text[:_PATTERN_AT])
            case Totals():
                for place, total in enumerate(self._rules.totals):
                    if total.header == part.header:
                        self._state(place, total, part.cells.get)
            case Row():
                self._row(part)
            case _:
                assert_never(part)

    def _outside(self, text: str) -> None:
        self._searched += 1
        if self._searched > _SEARCHED_MOST:
            return
        for name, pattern in self._rules.found:
            if pattern is not None and name not in self._found:
                found = re.search(pattern, text)
                if found is not None:
                    self._found[name] = found[1].strip()
        for place, total in enumerate(self._rules.totals):
            found = None if total.pattern is None else re.search(total.pattern, text)
            if found is not None:
                self._state(place, total, found.groupdict().get)

    def _row(self, row: Row) -> None:
        rule = self._rows.rule(row)
        if rule is None:
            return
        if rule.take == "total":
            for place, total in enumerate(self._rules.totals):
                if total.pattern is None and total.header is None:
                    self._state(place, total, row.cells.get)
            return
        account = self._rows.account(row)
        if account is not None and account != (self._account or account):
            raise InvalidInput(
                self._rules.columns.account or "", account, f"{self._account} as above"
            )
        self._account = account or self._account
        read = self._rows.read(row, rule, self._account or "")
        self._currency = self._currency or read.line.currency
        if read.line.status is not EntryStatus.BOOKED:
            return
        self._first, self._last = self._first or read, read
        day = read.line.booked_on
        first, last = self._days or (day, day)
        self._days = (min(first, day), max(last, day))

    def _state(self, place: int, total: Total, value: Callable[[str], str | None]) -> None:
        """Keep what the file states for one of the map's totals."""
        if place in self._totals:
            raise InvalidInput(f"total of {total.of}", "again", "one such total")
        names = ("count", "sum") if total.pattern is not None else (total.count, total.sum)
        count, added = (None if name is None else value(name) for name in names)
        self._totals[place] = (count or None, added or None)

    def _stated(self, place: int, total: Total, currency: str) -> Stated:
        """Count and sum of one of the map's totals; without it the file may be cut off."""
        name = f"total of {total.of}"
        count, added = self._totals.get(place, (None, None))
        if count is None and added is None:
            raise InvalidInput(name, "none", "the total that the map names")
        if count is not None and not _COUNT.fullmatch(count):
            raise InvalidInput(name, count, "a whole number of at most 9 digits")
        number = None if count is None else int(count)
        if added is None:
            return Stated(number)
        minor = self._rows.amounts.minor(added, currency, name)
        return Stated(number, minor if total.of == "net" else abs(minor))

    def head(self) -> Statement:
        """The head, once every part was added."""
        account = account_of(self._account or self._found.get("account", ""))
        if rule := account_fault(account):
            raise InvalidInput("account", account or "none", rule)
        currency = self._currency
        if currency is None:
            raise InvalidInput("currency", "none", "a row, since the map names no currency")
        first_on, last_on = self._period()
        opening, closing = self._balances(currency)
        stated = (
            Balance(kind, minor, currency, day)
            for kind, minor, day in (
                (BalanceKind.OPENING_BOOKED, opening, first_on),
                (BalanceKind.CLOSING_BOOKED, closing, last_on),
            )
            if minor is not None
        )
        named = "empty" if last_on is None else f"{last_on:%Y%m%d}"
        return Statement(
            id=f"{self._rules.name}-{named}",
            account=account,
            currency=currency,
            sequence=None,
            booked_on=last_on,
            opening_minor=opening,
            closing_minor=closing,
            period=None if first_on is None or last_on is None else (first_on, last_on),
            summary=self._summary(currency),
            kind=self._rules.kind,
            balances=tuple(stated),
        )

    def _period(self) -> tuple[date | None, date | None]:
        """First and last day: as stated, else those of the rows."""
        days = [*(self._days or (None, None))]
        for place, name in enumerate(("first_on", "last_on")):
            if name in self._found:
                days[place] = day_in(self._found[name], self._rules.dates, name)
        first, last = days
        if first is not None and last is not None and first > last:
            raise InvalidInput("last_on", last, "not before the first day")
        return first or last, last or first

    def _balances(self, currency: str) -> tuple[int | None, int | None]:
        """Opening and closing balance: as stated, else from the balances of the rows."""
        oldest, newest = self._first, self._last
        if self._rules.order == "descending":
            oldest, newest = newest, oldest
        opening = closing = None
        if oldest is not None and oldest.balance is not None:
            opening = oldest.balance - oldest.line.amount_minor
        if newest is not None:
            closing = newest.balance
        amounts = self._rows.amounts
        if "opening" in self._found:
            opening = amounts.minor(self._found["opening"], currency, "opening")
        if "closing" in self._found:
            closing = amounts.minor(self._found["closing"], currency, "closing")
        return opening, closing

    def _summary(self, currency: str) -> Summary | None:
        """The totals of the file; several of the same bookings fill up each other."""
        stated: dict[str, Stated] = {}
        for place, total in enumerate(self._rules.totals):
            held = stated.get(total.of, UNSTATED)
            now = self._stated(place, total, currency)
            stated[total.of] = Stated(
                held.number if now.number is None else now.number,
                held.sum_minor if now.sum_minor is None else now.sum_minor,
            )
        if not stated:
            return None
        net = stated.get("net", UNSTATED)
        return Summary(
            entries=stated.get("all", Stated(net.number)),
            net=net.sum_minor,
            credits=stated.get("credits", UNSTATED),
            debits=stated.get("debits", UNSTATED),
        )
