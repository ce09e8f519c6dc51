"""Reads the history of one loan: its rows as payments, attempts and what else was done to it.

Each row is judged against the schedule: no installment was paid or forgiven more than it asks for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never

from adapters.tapes.files.fields import (
    amount,
    bounded_text,
    given,
    name_of,
    whole_day,
    whole_number,
)
from adapters.tapes.files.history import HistoryRow
from adapters.tapes.files.rows import HistoryFault
from adapters.tapes.loan.facts import Facts
from domain.debit.attempt import LIVE, AttemptState
from domain.debit.outcome import OutcomeClass, OutcomeStatus, status_of
from domain.errors import InvalidInput
from domain.loan.opening import OpeningAttempt, OpeningPart, OpeningPayment
from domain.loan.openingrules import AHEAD_DAYS
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


OUTCOMES: Mapping[str, AttemptState] = {
    "confirmed": AttemptState.CONFIRMED,
    "declined": AttemptState.DECLINED,
    "returned": AttemptState.RETURNED,
    "pending": AttemptState.ACCEPTED,
    "unknown": AttemptState.UNKNOWN,
    "not_executed": AttemptState.NOT_EXECUTED,
    "recalled": AttemptState.RECALLED,
}
"""Where an attempt stands, by the word of the file."""
PARTS = tuple(component.value for component in Component)
"""Columns of amounts by component."""
_E = HistoryEvent
_FILLED: Mapping[HistoryEvent, frozenset[str]] = {
    _E.SCHEDULED: frozenset({"on", "principal", "interest", "fee"}),
    _E.PAID: frozenset({"on", *PARTS, "order_no", "reference"}),
    _E.WAIVED: frozenset({"on", *PARTS}),
    _E.WRITTEN_OFF: frozenset({"on"}),
    _E.PENALTY: frozenset({"on", "penalty"}),
    _E.CHARGED: frozenset({"on", "fee", "cost"}),
    _E.CANCELLED: frozenset({"on"}),
    _E.ATTEMPT: frozenset(
        {"on", "amount", "order_no", "mandate_ref", "outcome", "code", "outcome_class"}
    ),
}
"""Columns that a row of each event may fill; what stood in another one would be lost."""
_AMOUNTS = frozenset({*PARTS, "amount"})

ClassOf = Callable[[str, bool], OutcomeClass]
"""The class of a rail's code; whether it is the reason of a return."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What the rows of a history are read against."""

    schedule: tuple[ScheduleLine, ...]
    currency: str
    disbursed_on: date
    as_of: date
    mandate_ref: str
    class_of: ClassOf


def read_facts(rows: Sequence[HistoryRow], frame: Frame) -> Facts:
    """What the rows of one loan come to.

    Raises:
        HistoryFault: the first rule that a row breaks.
    """
    reader = _Reader(frame)
    found: dict[HistoryEvent, list[HistoryRow]] = {event: [] for event in HistoryEvent}
    for row in rows:
        with _at(row.line):
            found[_event(row)].append(row)
    # What was agreed is in the frame. Money is placed on what was charged, by orders that were
    # confirmed, before anything is left.
    order = (
        *(_E.PENALTY, _E.CHARGED, _E.ATTEMPT),
        *(_E.PAID, _E.WAIVED, _E.WRITTEN_OFF, _E.CANCELLED),
    )
    for row in (row for event in order for row in found[event]):
        with _at(row.line):
            reader.take(row)
    return reader.facts()


def has_debt_events(rows: Sequence[HistoryRow]) -> bool:
    """Whether the rows say what was done to the debt, and not only what was agreed or debited."""
    return any(row.values.get("event") not in {_E.SCHEDULED, _E.ATTEMPT} for row in rows)


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
        with _at(row.line):
            line = _agreed_line(row, terms.currency, terms.periods)
            if line.number in lines:
                raise InvalidInput("installment", line.number, "scheduled once")
            if line.due_on < terms.disbursed_on:
                rule = f"not before the lending {terms.disbursed_on}"
                raise InvalidInput("on", line.due_on, rule)
            lines[line.number] = line
    left, before, found = terms.principal_minor, terms.disbursed_on, []
    for line in (lines[number] for number in sorted(lines)):
        left -= line.principal
        found.append(replace(line, days=(line.due_on - before).days, balance=left))
        before = line.due_on
    if found:
        with _at(stated[-1].line):
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
def _at(line: int) -> Iterator[None]:
    try:
        yield
    except InvalidInput as error:
        raise HistoryFault(line, error) from None


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
    """The facts of one loan while its rows are taken, in order of their events."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._facts = Facts(frame.schedule)
        self._stated: set[int] = set()
        self._attempts: dict[str, OpeningAttempt] = {}
        self._rows: set[tuple[date, str, str, int, Amounts]] = set()
        self._parts: dict[tuple[date, str, str], dict[int, Amounts]] = {}

    def take(self, row: HistoryRow) -> None:
        """Add one row, whose event has been read."""
        values, event = row.values, HistoryEvent(row.values["event"])
        number = self._number(values)
        match event:
            case HistoryEvent.PENALTY:
                self._charge_penalty(number, values)
            case HistoryEvent.CHARGED:
                self._charge(number, values)
            case HistoryEvent.ATTEMPT:
                self._attempt(number, values)
            case HistoryEvent.PAID:
                self._pay(number, values)
            case HistoryEvent.WAIVED:
                self._day_if_given(values)
                amounts = self._amounts(number, values)
                waived = self._facts.waived
                waived[number] = waived.get(number, Amounts()) + amounts
            case HistoryEvent.WRITTEN_OFF:
                self._write_off(number, values)
            case HistoryEvent.CANCELLED:
                self._cancel(number, values)
            case HistoryEvent.SCHEDULED:
                pass
            case _:
                assert_never(event)

    def facts(self) -> Facts:
        """What all rows come to."""
        facts = self._facts
        facts.payments = tuple(
            OpeningPayment(
                on=None if on == date.min else on,
                parts=tuple(OpeningPart(number=n, amounts=parts[n]) for n in sorted(parts)),
                order_no=order_no,
                reference=reference,
            )
            for (on, order_no, reference), parts in sorted(self._parts.items())
        )
        facts.attempts = tuple(
            sorted(self._attempts.values(), key=lambda one: (one.number, one.value_on))
        )
        return facts

    def _number(self, values: Mapping[str, str]) -> int:
        text, most = given(values, "installment"), len(self._frame.schedule)
        number = whole_number(text, "installment")
        if not 1 <= number <= most:
            raise InvalidInput("installment", text, f"1 to {most}")
        return number

    def _day_if_given(self, values: Mapping[str, str]) -> date | None:
        return self._day(values) if "on" in values else None

    def _day(self, values: Mapping[str, str], ahead: timedelta = timedelta(0)) -> date:
        """The day of a row, from the lending to `as_of`, or so much later."""
        text = given(values, "on")
        day, first, last = whole_day(text, "on"), self._frame.disbursed_on, self._frame.as_of
        if not first <= day <= last + ahead:
            more = f" and {ahead.days} days more" if ahead else ""
            raise InvalidInput("on", text, f"from the lending {first} to as_of {last}{more}")
        return day

    def _charge_penalty(self, number: int, values: Mapping[str, str]) -> None:
        if number in self._stated:
            raise InvalidInput("installment", number, "one row of penalty for each installment")
        self._stated.add(number)
        given(values, "penalty")
        self._charge(number, values)

    def _charge(self, number: int, values: Mapping[str, str]) -> None:
        self._day_if_given(values)
        amounts, charged = self._read(values), self._facts.charged
        charged[number] = charged.get(number, Amounts()) + amounts

    def _read(self, values: Mapping[str, str]) -> Amounts:
        found = Amounts()
        for name in (name for name in PARTS if name in values):
            found = found.plus(Component(name), amount(values[name], self._frame.currency, name))
        return found

    def _pay(self, number: int, values: Mapping[str, str]) -> None:
        on = self._day_if_given(values) or date.min
        amounts = self._amounts(number, values)
        order_no = name_of(values, "order_no") if "order_no" in values else ""
        reference = bounded_text(values, "reference", REFERENCE_MOST)
        parts = self._parts.setdefault((on, order_no, reference), {})
        same = (on, order_no, reference, number, amounts)
        if same in self._rows:
            rule = "each row once; a reference keeps two payments of one day apart"
            raise InvalidInput("installment", number, rule)
        self._rows.add(same)
        parts[number] = parts.get(number, Amounts()) + amounts
        if order_no:
            self._check_order(order_no, number, parts[number].total)
        paid = self._facts.paid
        paid[number] = paid.get(number, Amounts()) + amounts

    def _check_order(self, order_no: str, number: int, minor: int) -> None:
        """An order is one debit of one installment, and so is the payment that it brought."""
        attempt = self._attempts.get(order_no)
        if attempt is None or attempt.state is not AttemptState.CONFIRMED:
            raise InvalidInput(
                "order_no", order_no, "the order of a confirmed attempt of this loan"
            )
        if attempt.number != number:
            rule = f"an order of installment {number}; it was one of {attempt.number}"
            raise InvalidInput("order_no", order_no, rule)
        if sum(1 for _, known, _ in self._parts if known == order_no) > 1:
            rule = "one payment for each order, with one day and one reference"
            raise InvalidInput("order_no", order_no, rule)
        if minor > attempt.amount_minor:
            most = amount_text(attempt.amount_minor, self._frame.currency)
            raise InvalidInput("order_no", order_no, f"at most {most}, which it asked for")

    def _amounts(self, number: int, values: Mapping[str, str]) -> Amounts:
        """What a row takes off an installment: no component of it more than is left."""
        found = self._read(values)
        if number not in self._stated:
            # Nobody says what penalty was charged: as much as was paid and forgiven.
            charged = self._facts.charged.get(number, Amounts())
            self._facts.charged[number] = charged.plus(Component.PENALTY, found.penalty)
        left = self._facts.left(number)
        for component, minor in found.items():
            if minor > left.of(component):
                most = amount_text(left.of(component), self._frame.currency)
                rule = f"at most {most}, which installment {number} has left"
                raise InvalidInput(component.value, values[component.value], rule)
        if not found.total:
            raise InvalidInput("principal", values.get("principal"), "an amount in this row")
        return found

    def _write_off(self, number: int, values: Mapping[str, str]) -> None:
        day = self._day(values)
        if self._facts.is_covered(number):
            raise InvalidInput("installment", number, "one of which something is left")
        self._facts.written_off[number] = day

    def _cancel(self, number: int, values: Mapping[str, str]) -> None:
        self._day_if_given(values)
        facts = self._facts
        known = (facts.paid, facts.waived, facts.charged, facts.written_off)
        live = (one.number for one in self._attempts.values() if one.state in LIVE)
        if any(number in one for one in known) or number in live:
            rule = "one of which nothing was paid, waived, charged or ordered"
            raise InvalidInput("installment", number, rule)
        facts.cancelled.add(number)

    def _attempt(self, number: int, values: Mapping[str, str]) -> None:
        frame, order_no = self._frame, name_of(values, "order_no")
        if order_no in self._attempts:
            raise InvalidInput("order_no", order_no, "each order once")
        minor = amount(given(values, "amount"), frame.currency, "amount")
        if not minor:
            raise InvalidInput("amount", values["amount"], "above zero")
        word = given(values, "outcome")
        if word not in OUTCOMES:
            raise InvalidInput("outcome", word, ", ".join(OUTCOMES))
        self._attempts[order_no] = OpeningAttempt(
            number=number,
            order_no=order_no,
            mandate_ref=name_of(values, "mandate_ref", frame.mandate_ref),
            value_on=self._day(values, timedelta(days=AHEAD_DAYS)),
            amount_minor=minor,
            state=OUTCOMES[word],
            outcome_class=self._class(OUTCOMES[word], values),
            code=name_of(values, "code") if "code" in values else "",
        )

    def _class(self, state: AttemptState, values: Mapping[str, str]) -> OutcomeClass | None:
        """What became of it in our words: as given, else why it failed, by the rail's code."""
        failed = state in {AttemptState.DECLINED, AttemptState.RETURNED}
        returned = state is AttemptState.RETURNED
        code, word = values.get("code"), values.get("outcome_class")
        if word is not None and word not in list(OutcomeClass):
            raise InvalidInput("outcome_class", word, ", ".join(OutcomeClass))
        if word is None and not failed:
            return None
        if word is not None:
            found = OutcomeClass(word)
        elif code is not None:
            found = self._frame.class_of(code, returned)
        else:
            found = OutcomeClass.LATE_RETURN if returned else OutcomeClass.DECLINED
        if failed and status_of(found) in {OutcomeStatus.CONFIRMED, OutcomeStatus.PENDING}:
            name = "code" if word is None else "outcome_class"
            raise InvalidInput(name, code or word, f"that of a failure; it means {found}")
        return found
