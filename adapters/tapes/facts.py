"""The history of one loan, row by row, as payments, attempts and what else was done to it.

Each row is judged against the schedule: no installment was paid or forgiven more than it asks for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import assert_never

from adapters.tapes.fields import amount, bounded_text, given, name_of, whole_day, whole_number
from adapters.tapes.history import HistoryRow
from adapters.tapes.mapping import COMPONENTS
from adapters.tapes.rows import HistoryFault
from domain.debit.attempt import LIVE, AttemptState
from domain.debit.outcome import OutcomeClass, OutcomeStatus, status_of
from domain.errors import InvalidInput
from domain.loan.opening import OpeningAttempt, OpeningItem, OpeningPart, OpeningPayment
from domain.money import amount_text
from domain.pricing.amounts import Amounts, Component
from domain.pricing.schedule import ScheduleLine
from domain.text import plain

REFERENCE_MOST = 140
"""Characters of a payer's reference, as in ISO 20022."""


class HistoryEvent(StrEnum):
    """What a row of a history tells of."""

    PAID = "paid"
    WAIVED = "waived"
    WRITTEN_OFF = "written_off"
    PENALTY = "penalty"
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
_E = HistoryEvent
_FILLED: Mapping[HistoryEvent, frozenset[str]] = {
    _E.PAID: frozenset({"on", *COMPONENTS, "order_no", "reference"}),
    _E.WAIVED: frozenset({"on", *COMPONENTS}),
    _E.WRITTEN_OFF: frozenset({"on"}),
    _E.PENALTY: frozenset({"on", "penalty"}),
    _E.ATTEMPT: frozenset({"on", "amount", "order_no", "mandate_ref", "outcome", "code"}),
}
"""Columns that a row of each event may fill; what stood in another one would be lost."""
_AMOUNTS = frozenset({*COMPONENTS, "amount"})

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


@dataclass(slots=True)
class Facts:
    """What a history comes to, by number of the installment; amounts in minor units."""

    schedule: tuple[ScheduleLine, ...]
    paid: dict[int, Amounts] = field(default_factory=dict)
    waived: dict[int, Amounts] = field(default_factory=dict)
    charged: dict[int, int] = field(default_factory=dict)
    written_off: dict[int, date] = field(default_factory=dict)
    payments: tuple[OpeningPayment, ...] = ()
    attempts: tuple[OpeningAttempt, ...] = ()

    def left(self, number: int) -> Amounts:
        """What an installment still asks for, written off or not."""
        line = self.schedule[number - 1]
        asked = Amounts(line.principal, line.interest, line.fee, self.charged.get(number, 0))
        return asked - self.paid.get(number, Amounts()) - self.waived.get(number, Amounts())

    def is_covered(self, number: int) -> bool:
        """Whether nothing is owed of an installment any more."""
        return number in self.written_off or self.left(number).total == 0

    def items(self) -> tuple[OpeningItem, ...]:
        """The installments with a penalty, a waiver or a write-off."""
        charged = {number for number, minor in self.charged.items() if minor}
        return tuple(
            OpeningItem(
                number=number,
                penalty_minor=self.charged.get(number, 0),
                waived=self.waived.get(number, Amounts()),
                written_off_on=self.written_off.get(number),
            )
            for number in sorted(charged | self.waived.keys() | self.written_off.keys())
        )


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
    # Money is placed on what was charged, by orders that were confirmed, before anything is left.
    order = (_E.PENALTY, _E.ATTEMPT, _E.PAID, _E.WAIVED, _E.WRITTEN_OFF)
    for row in (row for event in order for row in found[event]):
        with _at(row.line):
            reader.take(row)
    return reader.facts()


def tells_of_debt(rows: Sequence[HistoryRow]) -> bool:
    """Whether the rows say what was done to the debt, and not only which debits were made."""
    return any(row.values.get("event") != HistoryEvent.ATTEMPT for row in rows)


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
        self._lines: dict[str, int] = {}
        self._parts: dict[tuple[date, str, str], dict[int, Amounts]] = {}

    def take(self, row: HistoryRow) -> None:
        """Add one row, whose event has been read."""
        values, event = row.values, HistoryEvent(row.values["event"])
        if event is HistoryEvent.ATTEMPT:
            self._lines.setdefault(values.get("order_no", ""), row.line)
        number = self._number(values)
        match event:
            case HistoryEvent.PENALTY:
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
            case _:
                assert_never(event)

    def facts(self) -> Facts:
        """What all rows come to."""
        self._check_taken()
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

    def _day(self, values: Mapping[str, str], *, may_be_ahead: bool = False) -> date:
        """The day of a row; only an order that is out may be for a later day than `as_of`."""
        text = given(values, "on")
        day, first, last = whole_day(text, "on"), self._frame.disbursed_on, self._frame.as_of
        if day < first or (day > last and not may_be_ahead):
            raise InvalidInput("on", text, f"from the lending {first} to as_of {last}")
        return day

    def _charge(self, number: int, values: Mapping[str, str]) -> None:
        self._day_if_given(values)
        if number in self._stated:
            raise InvalidInput("installment", number, "one row of penalty for each installment")
        self._stated.add(number)
        text = given(values, "penalty")
        self._facts.charged[number] = amount(text, self._frame.currency, "penalty")

    def _pay(self, number: int, values: Mapping[str, str]) -> None:
        on = self._day_if_given(values) or date.min
        amounts = self._amounts(number, values)
        order_no = name_of(values, "order_no") if "order_no" in values else ""
        reference = bounded_text(values, "reference", REFERENCE_MOST)
        parts = self._parts.setdefault((on, order_no, reference), {})
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

    def _check_taken(self) -> None:
        """Money that an order took was placed somewhere, and a row of the file says where."""
        named = {order_no for _, order_no, _ in self._parts}
        for order_no, attempt in self._attempts.items():
            if attempt.state is AttemptState.CONFIRMED and order_no not in named:
                rule = "confirmed only with a row of paid that names the order"
                raise HistoryFault(
                    self._lines[order_no], InvalidInput("outcome", "confirmed", rule)
                )

    def _amounts(self, number: int, values: Mapping[str, str]) -> Amounts:
        """What a row takes off an installment: no component of it more than is left."""
        left, found = self._facts.left(number), Amounts()
        for name in COMPONENTS:
            if (text := values.get(name)) is None:
                continue
            minor = amount(text, self._frame.currency, name)
            found = found.plus(Component(name), minor)
            if name == Component.PENALTY and number not in self._stated:
                # Nobody says what was charged: as much as was paid and forgiven.
                charged = self._facts.charged
                charged[number] = charged.get(number, 0) + minor
            elif minor > left.of(Component(name)):
                most = amount_text(left.of(Component(name)), self._frame.currency)
                raise InvalidInput(
                    name, text, f"at most {most}, which installment {number} has left"
                )
        if not found.total:
            raise InvalidInput("principal", values.get("principal"), "an amount in this row")
        return found

    def _write_off(self, number: int, values: Mapping[str, str]) -> None:
        day = self._day(values)
        if self._facts.is_covered(number):
            raise InvalidInput("installment", number, "one of which something is left")
        self._facts.written_off[number] = day

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
        is_live = OUTCOMES[word] in LIVE
        self._attempts[order_no] = OpeningAttempt(
            number=number,
            order_no=order_no,
            mandate_ref=name_of(values, "mandate_ref", frame.mandate_ref),
            value_on=self._day(values, may_be_ahead=is_live),
            amount_minor=minor,
            state=OUTCOMES[word],
            outcome_class=self._class(OUTCOMES[word], values),
            code=name_of(values, "code") if "code" in values else "",
        )

    def _class(self, state: AttemptState, values: Mapping[str, str]) -> OutcomeClass | None:
        """Why it failed or came back, by the rail's code; a code that says otherwise is refused."""
        if state not in {AttemptState.DECLINED, AttemptState.RETURNED}:
            return None
        returned = state is AttemptState.RETURNED
        if (code := values.get("code")) is None:
            return OutcomeClass.LATE_RETURN if returned else OutcomeClass.DECLINED
        found = self._frame.class_of(code, returned)
        if status_of(found) in {OutcomeStatus.CONFIRMED, OutcomeStatus.PENDING}:
            raise InvalidInput("code", code, f"a code of a failure; it means {found}")
        return found
