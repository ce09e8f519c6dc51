"""Reads the history of one loan: its rows as payments, attempts and what else was done to it.

What a row may say beside the others is a rule of the domain (`DebtHistory`); a fault names the line
and the column.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import assert_never

from adapters.tapes.files.fields import (
    amount,
    bounded_text,
    given,
    whole_day,
    whole_number,
)
from adapters.tapes.files.history import HistoryRow
from adapters.tapes.files.rows import HistoryFault
from adapters.tapes.loan.attempts import ClassOf, attempt_of
from adapters.tapes.loan.holds import hold_of
from domain.errors import InvalidInput
from domain.loan.debthistory import DebtHistory
from domain.loan.opening import (
    OpeningAdvance,
    OpeningAttempt,
    OpeningHold,
    OpeningPart,
    OpeningPayment,
)
from domain.loan.openingrules import BOOKINGS_MOST, is_booking_name
from domain.money import amount_text, decimal_text
from domain.pricing.amounts import Amounts, Component
from domain.pricing.schedule import ScheduleLine, ScheduleTerms
from domain.text import plain

REFERENCE_MOST = 140
"""Characters of a payer's reference, as in ISO 20022."""


class HistoryEvent(StrEnum):
    """What a row of a history tells of."""

    SCHEDULED = "scheduled"
    PAID = "paid"
    WAIVED = "waived"
    WRITTEN_OFF = "written_off"
    PENALTY = "penalty"
    CHARGED = "charged"
    CANCELLED = "cancelled"
    ATTEMPT = "attempt"
    HELD = "held"
    ADVANCE = "advance"


_PaymentKey = tuple[date, str, str]
"""Day (the least date where it is not known), order number and reference of a payment."""
PARTS = tuple(component.value for component in Component)
"""Columns of amounts by component."""
BEYOND = ("unplaced", "returned")
"""Columns of amounts of a debit that pay nothing."""
_E = HistoryEvent
_NO_DEBT = frozenset({_E.SCHEDULED, _E.ATTEMPT, _E.HELD, _E.ADVANCE})
_FILLED: Mapping[HistoryEvent, frozenset[str]] = {
    _E.SCHEDULED: frozenset({"on", "principal", "interest", "fee"}),
    _E.PAID: frozenset({"on", *PARTS, *BEYOND, "order_no", "reference", "bank_ref"}),
    _E.WAIVED: frozenset({"on", *PARTS}),
    _E.WRITTEN_OFF: frozenset({"on"}),
    _E.PENALTY: frozenset({"on", "penalty"}),
    _E.CHARGED: frozenset({"on", "fee", "cost"}),
    _E.CANCELLED: frozenset({"on"}),
    _E.ATTEMPT: frozenset(
        {
            *("on", "amount", "order_no", "mandate_ref", "outcome", "code", "outcome_class"),
            *("cleared", "plan"),
        }
    ),
    _E.HELD: frozenset({"on", "hold", "reason"}),
    _E.ADVANCE: frozenset({"amount", "reference"}),
}
"""Columns that a row of each event may fill; what stood in another one would be lost."""
_AMOUNTS = frozenset({*PARTS, *BEYOND, "amount"})


@dataclass(frozen=True, slots=True)
class Told:
    """What the rows of one loan come to; payments oldest first, attempts by installment."""

    debt: DebtHistory
    payments: tuple[OpeningPayment, ...]
    attempts: tuple[OpeningAttempt, ...]
    holds: tuple[OpeningHold, ...] = ()
    advances: tuple[OpeningAdvance, ...] = ()


def read_events(
    rows: Sequence[HistoryRow], debt: DebtHistory, mandate_ref: str, class_of: ClassOf
) -> Told:
    """Take the rows of one loan.

    Args:
        rows: in any order.
        debt: without a fact so far.
        mandate_ref: under which attempts were made that name no mandate.
        class_of: what the codes of its rail mean.

    Raises:
        HistoryFault: the first rule that a row breaks.
    """
    reader = _Reader(debt, mandate_ref, class_of)
    found: dict[HistoryEvent, list[HistoryRow]] = {event: [] for event in HistoryEvent}
    for row in rows:
        with _at(row):
            found[_event(row)].append(row)
    # The agreed rows are the schedule of the debt. Money is placed on what was charged, by orders
    # that were confirmed, before anything is left.
    order = (
        *(_E.PENALTY, _E.CHARGED, _E.ATTEMPT),
        *(_E.PAID, _E.WAIVED, _E.WRITTEN_OFF, _E.CANCELLED, _E.HELD, _E.ADVANCE),
    )
    for row in (row for event in order for row in found[event]):
        with _at(row):
            reader.take(row)
    return reader.told()


def has_debt_events(rows: Sequence[HistoryRow]) -> bool:
    """Whether the rows say what was done to the debt, not only what was agreed, debited or held."""
    return any(row.values.get("event") not in _NO_DEBT for row in rows)


def has_past_events(rows: Sequence[HistoryRow]) -> bool:
    """Whether the rows say what was done at all, and not only what was agreed."""
    return any(row.values.get("event") != _E.SCHEDULED for row in rows)


def agreed(rows: Sequence[HistoryRow], terms: ScheduleTerms) -> tuple[ScheduleLine, ...]:
    """The schedule that a former system agreed with the borrower; empty where no row states one.

    Raises:
        HistoryFault: the first rule that a row breaks, or the last row where all of them break it.
    """
    stated = [row for row in rows if row.values.get("event") == _E.SCHEDULED]
    lines: dict[int, ScheduleLine] = {}
    for row in stated:
        with _at(row):
            line = _agreed_line(row, terms.currency, terms.periods)
            if line.number in lines:
                raise InvalidInput("installment", line.number, "scheduled once")
            if line.due_on < terms.disbursed_on:
                rule = f"not before disbursed_on {terms.disbursed_on}"
                raise InvalidInput("on", line.due_on, rule)
            lines[line.number] = line
    left, before, found = terms.principal_minor, terms.disbursed_on, []
    for line in (lines[number] for number in sorted(lines)):
        left -= line.principal
        found.append(replace(line, days=(line.due_on - before).days, balance=left))
        before = line.due_on
    if found:
        with _at(stated[-1]):
            _check_agreed(found, left, terms)
    return tuple(found)


def _check_agreed(lines: Sequence[ScheduleLine], left: int, terms: ScheduleTerms) -> None:
    if len(lines) != terms.periods:
        rule = f"the last of {terms.periods} rows, one for each period; there are {len(lines)}"
        raise InvalidInput("installment", lines[-1].number, rule)
    if left:
        whole = amount_text(terms.principal_minor - left, terms.currency)
        last = decimal_text(lines[-1].principal, terms.currency)
        rule = f"together the principal of the loan; the rows repay {whole}"
        raise InvalidInput("principal", last, rule)


def _agreed_line(row: HistoryRow, currency: str, most: int) -> ScheduleLine:
    values = row.values
    _event(row)
    number = whole_number(given(values, "installment"), "installment")
    if not 1 <= number <= most:
        raise InvalidInput("installment", values["installment"], f"1 to {most}")
    due_on = whole_day(given(values, "on"), "on")
    principal, interest, fee = (
        amount(values.get(name, "0"), currency, name) for name in ("principal", "interest", "fee")
    )
    if not principal + interest + fee:
        raise InvalidInput("principal", values.get("principal"), "an amount in this row")
    return ScheduleLine(number, due_on, 0, principal, interest, fee, balance=0)


@contextmanager
def _at(row: HistoryRow) -> Iterator[None]:
    """Name the line of a row in its faults, and its cell as it is written."""
    try:
        yield
    except InvalidInput as error:
        value = row.values.get(error.field, error.value)
        raise HistoryFault(row.line, InvalidInput(error.field, value, error.rule)) from None


def _event(row: HistoryRow) -> HistoryEvent:
    """What a row tells of; its cells are plain text, and no other ones are filled."""
    for name, value in row.values.items():
        plain(value, name)
    text = given(row.values, "event")
    if text not in list(HistoryEvent):
        raise InvalidInput("event", text, ", ".join(HistoryEvent))
    event = HistoryEvent(text)
    for name, value in row.values.items():
        empty = name in _AMOUNTS and not value.strip("0.")
        if name not in _FILLED[event] | {"installment", "event"} and not empty:
            raise InvalidInput(name, value, f"empty in a row of {event}")
    return event


class _Reader:
    """The debt of one loan while its rows are taken, in order of their events."""

    def __init__(self, debt: DebtHistory, mandate_ref: str, class_of: ClassOf) -> None:
        self._debt, self._mandate_ref, self._class_of = debt, mandate_ref, class_of
        self._stated: set[int] = set()
        self._rows: set[tuple[_PaymentKey, int, Amounts, int, int]] = set()
        self._parts: dict[_PaymentKey, dict[int, Amounts]] = {}
        self._beyond: dict[_PaymentKey, tuple[int, int]] = {}
        self._bookings: dict[_PaymentKey, tuple[str, ...]] = {}
        self._holds: dict[int, OpeningHold] = {}
        self._advances: list[OpeningAdvance] = []

    def take(self, row: HistoryRow) -> None:
        """Add one row, whose event has been read."""
        values, debt, event = row.values, self._debt, HistoryEvent(row.values["event"])
        number = whole_number(given(values, "installment"), "installment")
        on = whole_day(values["on"], "on") if "on" in values else None
        if event not in {HistoryEvent.ATTEMPT, HistoryEvent.HELD}:
            debt.check_day(on)
        match event:
            case HistoryEvent.PENALTY:
                self._charge_penalty(number, values)
            case HistoryEvent.CHARGED:
                debt.charge(number, self._amounts(values))
            case HistoryEvent.ATTEMPT:
                debt.order(
                    attempt_of(number, values, self._mandate_ref, debt.currency, self._class_of)
                )
            case HistoryEvent.PAID:
                self._pay(number, on, values)
            case HistoryEvent.WAIVED:
                debt.waive(number, self._settled(number, values))
            case HistoryEvent.WRITTEN_OFF:
                debt.write_off(number, whole_day(given(values, "on"), "on"))
            case HistoryEvent.CANCELLED:
                debt.cancel(number)
            case HistoryEvent.HELD:
                self._hold(number, on, values)
            case HistoryEvent.ADVANCE:
                self._advance(number, values)
            case HistoryEvent.SCHEDULED:
                pass
            case _:
                assert_never(event)

    def told(self) -> Told:
        """What all rows come to."""
        payments = tuple(
            OpeningPayment(
                on=None if on == date.min else on,
                parts=tuple(OpeningPart(number=n, amounts=parts[n]) for n in sorted(parts)),
                order_no=order_no,
                reference=reference,
                unplaced_minor=self._beyond[on, order_no, reference][0],
                returned_minor=self._beyond[on, order_no, reference][1],
                bank_refs=self._bookings[on, order_no, reference],
            )
            for (on, order_no, reference), parts in sorted(self._parts.items())
        )
        attempts = self._debt.attempts.values()
        ordered = sorted(attempts, key=lambda one: (one.number, one.value_on))
        holds = tuple(self._holds[number] for number in sorted(self._holds))
        return Told(self._debt, payments, tuple(ordered), holds, tuple(self._advances))

    def _charge_penalty(self, number: int, values: Mapping[str, str]) -> None:
        if number in self._stated:
            raise InvalidInput("installment", number, "one row of penalty for each installment")
        self._stated.add(number)
        given(values, "penalty")
        self._debt.charge(number, self._amounts(values))

    def _amounts(self, values: Mapping[str, str]) -> Amounts:
        currency = self._debt.currency
        return Amounts(
            **{name: amount(values[name], currency, name) for name in PARTS if name in values}
        )

    def _settled(self, number: int, values: Mapping[str, str]) -> Amounts:
        """What a row takes off an installment.

        Where nobody says what penalty was charged, it was as much as was paid and forgiven.
        """
        found = self._amounts(values)
        if number not in self._stated:
            self._debt.charge(number, Amounts(penalty=found.penalty))
        return found

    def _pay(self, number: int, on: date | None, values: Mapping[str, str]) -> None:
        reference = bounded_text(values, "reference", REFERENCE_MOST)
        key = (on or date.min, values.get("order_no", ""), reference)
        amounts, currency = self._settled(number, values), self._debt.currency
        unplaced, returned = (amount(values.get(name, "0"), currency, name) for name in BEYOND)
        if unplaced or returned:
            self._debt.keep(number, unplaced, returned, key, key[1])
        if amounts.total or not unplaced:
            self._debt.pay(number, amounts, key, on, key[1])
        row = (key, number, amounts, unplaced, returned)
        if row in self._rows:
            rule = "each row once; a reference keeps two payments of one day apart"
            raise InvalidInput("installment", number, rule)
        self._rows.add(row)
        self._bookings[key] = self._bookings_of(key, values)
        before = self._beyond.get(key, (0, 0))
        self._beyond[key] = (before[0] + unplaced, before[1] + returned)
        parts = self._parts.setdefault(key, {})
        if amounts.total:
            parts[number] = parts.get(number, Amounts()) + amounts

    def _bookings_of(self, key: _PaymentKey, values: Mapping[str, str]) -> tuple[str, ...]:
        """The rail's names of the bookings of a debit; rows of one payment name the same."""
        names = tuple(values.get("bank_ref", "").split())
        if names and not key[1]:
            raise InvalidInput("bank_ref", values["bank_ref"], "of a debit: order_no names it")
        if len(names) > BOOKINGS_MOST or not all(map(is_booking_name, names)):
            rule = f"at most {BOOKINGS_MOST} names of 1 to 60 visible characters"
            raise InvalidInput("bank_ref", values["bank_ref"], rule)
        if names != self._bookings.get(key, names):
            raise InvalidInput(
                "bank_ref", values.get("bank_ref"), "the same in each row of a debit"
            )
        return names

    def _advance(self, number: int, values: Mapping[str, str]) -> None:
        if not 1 <= number <= len(self._debt.schedule):
            raise InvalidInput("installment", number, f"1 to {len(self._debt.schedule)}")
        minor = amount(given(values, "amount"), self._debt.currency, "amount")
        reference = bounded_text(values, "reference", REFERENCE_MOST)
        if not minor:
            raise InvalidInput("amount", values["amount"], "above zero")
        if not reference or reference in {known.reference for known in self._advances}:
            raise InvalidInput("reference", reference or None, "given, and of no other advance")
        self._advances.append(OpeningAdvance(number=number, minor=minor, reference=reference))

    def _hold(self, number: int, since: date | None, values: Mapping[str, str]) -> None:
        if not 1 <= number <= len(self._debt.schedule):
            raise InvalidInput("installment", number, f"1 to {len(self._debt.schedule)}")
        if number in self._holds:
            raise InvalidInput("installment", number, "one row of a hold for each installment")
        self._holds[number] = hold_of(values, "hold", "reason", since, number)
