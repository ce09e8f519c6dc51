"""Writes loans as they stand: a canonical tape with its history and control rows.

Both files are what `acquit board` reads, so going back is boarding elsewhere.
"""

import csv
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from datetime import date
from typing import TextIO

from adapters.csvcells import cell_of
from adapters.tapes.application.boarding import application_of
from adapters.tapes.files import history
from adapters.tapes.files.columns import LOANS, OPENING_HEAD, OPENING_SUMS, OPTIONAL, REQUIRED
from adapters.tapes.files.rows import CONTROL
from adapters.tapes.loan.events import HistoryEvent
from adapters.tapes.report.openingtotals import OpeningTotals, Totals, opening_totals
from domain.errors import InvariantBroken
from domain.loan.boarding import BoardLoan
from domain.money import decimal_text
from ports.boarding import LoanApplication

_COMPUTED = {"first_due_on", "installment", "past"}
_PLAIN = (
    *(name for name in (*REQUIRED, *OPTIONAL) if name not in _COMPUTED),
    "mandate_valid_from",
    "mandate_ended_on",
    "past",
)
_SUMS = (name for name in OPENING_SUMS if name not in OPENING_HEAD)
COLUMNS = (*_PLAIN, *OPENING_HEAD, *_SUMS, LOANS)
_MONEY_EVENTS = frozenset({HistoryEvent.PAID, HistoryEvent.ATTEMPT})


class HandoverWriter:
    """Writes loans one after the other, and at the end what they sum to."""

    def __init__(self, tape: TextIO, told: TextIO, *, since: date | None = None) -> None:
        """`since`: of payments and debits, write those of later days, and debits with news."""
        self._tape = csv.DictWriter(tape, COLUMNS, lineterminator="\n")
        self._told = csv.DictWriter(told, history.COLUMNS, lineterminator="\n")
        self._since = since
        self._principal: dict[str, int] = {}
        self._totals = Totals()
        self._tape.writeheader()
        self._told.writeheader()

    def add(self, command: BoardLoan, news: Collection[str] = ()) -> None:
        """Write one loan, and what was done to it.

        `news`: debit orders of earlier days that are written as well, for more became known since.

        Raises:
            InvariantBroken: it has no opening.
        """
        if command.opening is None:
            raise InvariantBroken(f"loan {command.loan_id} is handed over without an opening")
        currency, application = command.currency, application_of(command)
        (alone,) = opening_totals([command])
        self._tape.writerow(_cells({**_row(application), **_amounts(alone)}))
        self._totals.add(command)
        self._principal[currency] = self._principal.get(currency, 0) + command.principal_minor
        for row in self._events(application, news):
            self._told.writerow(_cells({"loan_id": command.loan_id, **row}))

    @property
    def sums(self) -> tuple[OpeningTotals, ...]:
        """What the loans of each currency come to, in order of currencies."""
        return self._totals.by_currency

    def close(self) -> None:
        """Write the control rows."""
        for sums in self.sums:
            currency = sums.currency
            row = {
                "loan_id": f"{CONTROL}{currency}",
                "principal": decimal_text(self._principal[currency], currency),
                LOANS: str(sums.loans),
                **_amounts(sums),
            }
            self._tape.writerow(row)

    def _events(
        self, application: LoanApplication, news: Collection[str]
    ) -> Iterator[dict[str, str]]:
        for number, (due_on, principal, interest, fee) in enumerate(application.schedule, start=1):
            yield {
                "installment": str(number),
                "event": HistoryEvent.SCHEDULED.value,
                "on": due_on,
                "principal": principal,
                "interest": interest,
                "fee": fee,
            }
        for event in application.opening.history if application.opening else ():
            row = {item.name: getattr(event, item.name) for item in fields(event)}
            if row["order_no"] in news or self._is_wanted(row):
                yield row

    def _is_wanted(self, row: dict[str, str]) -> bool:
        if self._since is None or row["event"] not in _MONEY_EVENTS:
            return True
        return bool(row["on"]) and date.fromisoformat(row["on"]) > self._since


def _cells(row: Mapping[str, str]) -> dict[str, str]:
    return {name: cell_of(text) for name, text in row.items()}


def _row(application: LoanApplication) -> dict[str, str]:
    opening = application.opening
    head = {name: getattr(opening, name) for name in OPENING_HEAD} if opening is not None else {}
    return {**{name: getattr(application, name) for name in _PLAIN}, **head}


def _amounts(sums: OpeningTotals) -> dict[str, str]:
    """Figures by column; those of zero are left out, the balance apart."""
    shown = {name: it for name, it in sums.columns().items() if it or name == "balance"}
    return {name: decimal_text(it, sums.currency) for name, it in shown.items()}
