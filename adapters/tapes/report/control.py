"""Control rows: sums over the loans of one currency, compared with what the loans bring.

Good rows count with what is booked of them, bad ones with the amounts that can be read: a total is
about the whole tape.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.tapes.files.columns import CANONICAL, LOANS, OPENING_SUMS
from adapters.tapes.files.fields import money, plain_number, whole_number
from adapters.tapes.files.rows import CONTROL, ControlRow, Row, TapeFault, fault_of
from adapters.tapes.loan.loans import BoardingRules, product_of
from adapters.tapes.report.openingtotals import opening_totals
from domain.errors import InvalidInput
from domain.loan.boarding import BoardLoan
from domain.money import amount_text, exponent

_OF_OPENING = tuple(name for name in CANONICAL if name in OPENING_SUMS)
_OF_LOAN = ("principal", "installment")
_SUMMED = (*_OF_LOAN, *_OF_OPENING)
"""Columns that are summed, in the order of the faults."""
_BESIDE = frozenset({"loan_id", "currency"})


@dataclass(slots=True)
class _Sums:
    """What the rows of one currency come to so far."""

    loans: int = 0
    in_progress: bool = False
    minor: Counter[str] = field(default_factory=Counter)
    given: set[str] = field(default_factory=set)
    """Columns of openings that a row fills."""
    unread: dict[str, list[int]] = field(default_factory=dict)
    """Lines of rows whose amount in a column cannot be read."""


class Controls:
    """Sums of the rows of a tape, and the control rows that state them."""

    def __init__(self, rules: BoardingRules) -> None:
        self._rules = rules
        self._sums: dict[str, _Sums] = {}
        self._rows: dict[str, ControlRow] = {}
        self._lost: list[int] = []
        self._faults: list[TapeFault] = []

    def add(self, item: Row | TapeFault, command: BoardLoan | None = None) -> None:
        """Count one row: a good one with what its loan brings, a bad one as far as it can be read.

        A good row counts with what is booked of it, whether or not its cells say so.
        """
        currency = None if isinstance(item, TapeFault) else self._currency(item)
        if isinstance(item, TapeFault) or currency is None:
            self._lost.append(item.line)
            return
        sums = self._sums.setdefault(currency, _Sums())
        sums.loans += 1
        sums.in_progress |= "as_of" in item.values
        sums.given |= item.values.keys() & set(_OF_OPENING)
        brought = opening_totals([command] if command is not None else ())
        for figures in brought:
            sums.minor.update(figures.columns())
        for name in _OF_LOAN if brought else _SUMMED:
            if (text := item.values.get(name)) is None:
                continue
            try:
                sums.minor[name] += money(text, currency, name)
            except InvalidInput:
                sums.minor[name] += 0
                sums.unread.setdefault(name, []).append(item.line)

    def state(self, row: ControlRow) -> None:
        """Take a control row; it is compared when all rows have been counted."""
        first = self._rows.setdefault(row.currency, row)
        try:
            exponent(row.currency)
        except InvalidInput as error:
            self._faults.append(fault_of(row.line, error))
        if first is not row:
            rule = f"one control row for each currency; line {first.line} is one"
            twice = InvalidInput("loan_id", CONTROL + row.currency, rule)
            self._faults.append(fault_of(row.line, twice))

    def faults(self) -> tuple[TapeFault, ...]:
        """Every statement that is wrong or lacking."""
        found = list(self._faults)
        refused = {fault.line for fault in found}
        for row in (row for row in self._rows.values() if row.line not in refused):
            sums = self._sums.get(row.currency, _Sums())
            errors = (*self._differing(row, sums), *_lacking(row, sums))
            found += [fault_of(row.line, error) for error in errors]
        for currency, sums in self._sums.items():
            if sums.in_progress and currency not in self._rows:
                rule = "a row that states loans and sums, as there are loans in progress"
                found.append(TapeFault(1, "loan_id", CONTROL + currency, rule))
        return tuple(found)

    def agreement(self) -> dict[str, bool]:
        """For each currency with a control row, whether it states what the rows sum to."""
        bad = {fault.line for fault in self.faults()}
        return {currency: row.line not in bad for currency, row in self._rows.items()}

    @property
    def stated(self) -> dict[str, Mapping[str, str]]:
        """What the control row of each currency states, by column."""
        return {currency: row.values for currency, row in self._rows.items()}

    def _differing(self, row: ControlRow, sums: _Sums) -> Iterator[InvalidInput]:
        for name, text in row.values.items():
            try:
                self._compare(row.currency, name, text, sums)
            except InvalidInput as error:
                yield error

    def _compare(self, currency: str, name: str, text: str, sums: _Sums) -> None:
        if name == LOANS:
            if whole_number(text, LOANS, digits=7) != sums.loans:
                rule = f"the rows are {sums.loans}{self._but()}"
                raise InvalidInput(LOANS, text, rule)
        elif name in _SUMMED:
            if _total(text, currency, name) != sums.minor[name]:
                total = amount_text(sums.minor[name], currency)
                rule = f"the rows sum to {total}{self._but(*sums.unread.get(name, ()))}"
                raise InvalidInput(name, text, rule)
        elif name not in _BESIDE or (name == "currency" and text != currency):
            raise InvalidInput(name, text, f"empty in the control row of {currency}")

    def _but(self, *unread: int) -> str:
        """What is not in a sum: rows that cannot be read."""
        lines = sorted({*unread, *self._lost})
        if not lines:
            return ""
        more = f" and {len(lines) - 1} lines more" if len(lines) > 1 else ""
        return f", without line {lines[0]}{more}, which cannot be read"

    def _currency(self, row: Row) -> str | None:
        """The currency that a row states, else that of its product; None where neither is one."""
        try:
            currency = row.values.get("currency") or product_of(row, self._rules).product.currency
            exponent(currency)
        except InvalidInput:
            return None
        return currency


def _total(text: str, currency: str, field: str) -> int:
    """A sum in minor units; unlike one amount it has no upper limit."""
    exact = Decimal(plain_number(text, field)).scaleb(exponent(currency))
    if exact != exact.to_integral_value():
        raise InvalidInput(field, text, f"at most {exponent(currency)} decimals for {currency}")
    return int(exact)


def _lacking(row: ControlRow, sums: _Sums) -> Iterator[InvalidInput]:
    """What a control row must state of loans in progress, and does not."""
    if not sums.in_progress:
        return
    wanted = (LOANS, "principal", *(name for name in _OF_OPENING if name in sums.given))
    for name in wanted:
        if name not in row.values:
            yield InvalidInput(name, None, "must be given, as rows have it")
