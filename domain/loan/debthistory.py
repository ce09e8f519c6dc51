"""What a former system did to the debt of one loan, taken fact by fact under the rules of a debt.

The rules that one fact must keep beside those before it are stated here alone: the books take the
facts of an opening, and the reader of history files those of its rows.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from domain.debit.attempt import LIVE, AttemptState
from domain.errors import InvalidInput
from domain.loan.opening import Opening, OpeningAttempt, OpeningItem
from domain.money import amount_text
from domain.pricing.amounts import Amounts, Component
from domain.pricing.schedule import ScheduleLine

AHEAD_DAYS = 31
"""Rails take orders at most so many days before the day that they are for."""
_ORDER_NO = re.compile(r"[!-\"$-~]{1,35}", re.ASCII)
_NOTHING = Amounts()
_TAKEN = frozenset({AttemptState.CONFIRMED, AttemptState.RETURNED})


class DebtSums(NamedTuple):
    """What became of a debt in all; `owed` is what is left, written off or cancelled apart."""

    paid: Amounts = Amounts()
    waived: Amounts = Amounts()
    written_off: Amounts = Amounts()
    owed: Amounts = Amounts()


@dataclass(slots=True)
class DebtHistory:
    """The facts so far, by number of the installment; amounts in minor units.

    Charges and attempts come first, then payments and waivers, then what ended. A fact that breaks
    a rule raises `InvalidInput`, whose field is a column of history files, and is not taken.
    """

    schedule: Sequence[ScheduleLine]
    currency: str
    disbursed_on: date
    as_of: date
    paid: dict[int, Amounts] = field(default_factory=dict)
    waived: dict[int, Amounts] = field(default_factory=dict)
    charged: dict[int, Amounts] = field(default_factory=dict)
    written_off: dict[int, date] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    attempts: dict[str, OpeningAttempt] = field(default_factory=dict)
    _brought: dict[str, tuple[object, int]] = field(default_factory=dict)
    """By order: the payment that names it, and its minor units."""
    _returned: dict[str, int] = field(default_factory=dict)
    """By order: what of its money came back, where some of it was kept."""
    _paid_on: dict[int, date] = field(default_factory=dict)
    """By installment: the day of its last payment, `as_of` for one of an unknown day."""

    def take_opening(self, opening: Opening) -> None:
        """Take what a valid opening says of the debt; no rule is looked at."""
        for part in (part for payment in opening.payments for part in payment.parts):
            _add(self.paid, part.number, part.amounts)
        for item in opening.items:
            _add(self.charged, item.number, item.charged)
            _add(self.waived, item.number, item.waived)
            if item.written_off_on is not None:
                self.written_off[item.number] = item.written_off_on
            if item.is_cancelled:
                self.cancelled.add(item.number)

    def left(self, number: int) -> Amounts:
        """What an installment still asks for, written off or cancelled or not."""
        line = self.schedule[number - 1]
        left = Amounts(line.principal, line.interest, line.fee)
        if charged := self.charged.get(number):
            left += charged
        if paid := self.paid.get(number):
            left -= paid
        if waived := self.waived.get(number):
            left -= waived
        return left

    def is_covered(self, number: int) -> bool:
        """Whether nothing is owed of an installment any more."""
        ended = number in self.written_off or number in self.cancelled
        return ended or self.left(number).total == 0

    def owed(self) -> Iterator[tuple[ScheduleLine, Amounts]]:
        """The rows of which something is owed, and what of each."""
        for line in self.schedule:
            if line.number in self.written_off or line.number in self.cancelled:
                continue
            if (left := self.left(line.number)).total:
                yield line, left

    def sums(self) -> DebtSums:
        """What all facts come to."""
        return DebtSums(
            sum(self.paid.values(), _NOTHING),
            sum(self.waived.values(), _NOTHING),
            sum(map(self.left, self.written_off), _NOTHING),
            sum((left for _, left in self.owed()), _NOTHING),
        )

    def items(self) -> tuple[OpeningItem, ...]:
        """The installments with a charge or a waiver, or that were written off or cancelled."""
        charged = {number for number, amounts in self.charged.items() if amounts.total}
        numbers = charged | self.waived.keys() | self.written_off.keys() | self.cancelled
        return tuple(
            OpeningItem(
                number=number,
                charged=self.charged.get(number, _NOTHING),
                waived=self.waived.get(number, _NOTHING),
                written_off_on=self.written_off.get(number),
                is_cancelled=number in self.cancelled,
            )
            for number in sorted(numbers)
        )

    def check_day(self, day: date | None, ahead_days: int = 0) -> None:
        """See that a fact is of a day from `disbursed_on` to `as_of`, or so many days later."""
        last = self.as_of + timedelta(days=ahead_days)
        if day is not None and not self.disbursed_on <= day <= last:
            more = f" and {ahead_days} days more" if ahead_days else ""
            rule = f"from disbursed_on {self.disbursed_on} to as_of {self.as_of}{more}"
            raise InvalidInput("on", day, rule)

    def charge(self, number: int, amounts: Amounts) -> None:
        """Charge something besides the schedule."""
        self._check_number(number)
        for component, minor in amounts.items():
            if minor < 0:
                raise InvalidInput(component.value, minor, "not negative")
            if component in {Component.PRINCIPAL, Component.INTEREST}:
                raise InvalidInput(component.value, minor, "zero: it is charged by the schedule")
        _add(self.charged, number, amounts)

    def order(self, attempt: OpeningAttempt) -> None:
        """Order a debit."""
        self._check_number(attempt.number)
        if not _ORDER_NO.fullmatch(attempt.order_no):
            raise InvalidInput("order_no", attempt.order_no, "1 to 35 visible characters but #")
        if attempt.order_no in self.attempts:
            raise InvalidInput("order_no", attempt.order_no, "each order once")
        if attempt.amount_minor <= 0:
            raise InvalidInput("amount", attempt.amount_minor, "above zero")
        if attempt.state is AttemptState.INTENDED:
            raise InvalidInput("outcome", attempt.state, "that of an order that left")
        self.check_day(attempt.value_on, AHEAD_DAYS)
        self.attempts[attempt.order_no] = attempt

    def pay(
        self, number: int, amounts: Amounts, payment: object, on: date | None, order_no: str = ""
    ) -> None:
        """Place a part of a payment; `payment` tells one from another."""
        self.check_day(on)
        self._check_left(number, amounts)
        if order_no:
            self._check_order(number, amounts.total, payment, order_no)
        _add(self.paid, number, amounts)
        day = on or self.as_of
        self._paid_on[number] = max(day, self._paid_on.get(number, day))

    def keep(
        self, number: int | None, unplaced: int, returned: int, payment: object, order_no: str
    ) -> None:
        """Say what of a debit pays nothing: owed by nothing, or taken back; minor units.

        `number`: the installment that it is said of, where it is said of one.
        """
        for column, minor in (("unplaced", unplaced), ("returned", returned)):
            if minor < 0:
                raise InvalidInput(column, minor, "not negative")
            if minor and not order_no:
                raise InvalidInput(column, minor, "empty, unless order_no names the debit")
        self._returned[order_no] = self._returned.get(order_no, 0) + returned
        if number is None and order_no in self.attempts:
            number = self.attempts[order_no].number
        self._check_order(number or 0, unplaced + returned, payment, order_no)

    def waive(self, number: int, amounts: Amounts) -> None:
        """Forgive a part of an installment."""
        self._check_left(number, amounts)
        _add(self.waived, number, amounts)

    def write_off(self, number: int, on: date) -> None:
        """Write off what is left of an installment."""
        self._check_number(number)
        self.check_day(on)
        if self.is_covered(number) and self._paid_on.get(number, date.min) < on:
            raise InvalidInput("installment", number, "one of which something was left then")
        if self._has_order_out(number):
            raise InvalidInput("installment", number, "one without an order that is out")
        self.written_off[number] = on

    def cancel(self, number: int) -> None:
        """Say that an installment is never to be collected."""
        self._check_number(number)
        sums = (self.paid, self.waived, self.charged)
        touched = any(one.get(number, _NOTHING).total for one in sums) or number in self.written_off
        if touched or self._has_order_out(number):
            rule = "one of which nothing was paid, waived, charged, written off or ordered"
            raise InvalidInput("installment", number, rule)
        self.cancelled.add(number)

    def brought_by(self, order_no: str) -> int:
        """What the payment that names an order brought."""
        return self._brought.get(order_no, (None, 0))[1]

    def _has_order_out(self, number: int) -> bool:
        return any(it.number == number and it.state in LIVE for it in self.attempts.values())

    def _check_number(self, number: int) -> None:
        if not 1 <= number <= len(self.schedule):
            raise InvalidInput("installment", number, f"1 to {len(self.schedule)}")

    def _check_left(self, number: int, found: Amounts) -> None:
        """No component is paid or forgiven beyond what is left of it."""
        self._check_number(number)
        left = self.left(number)
        for component, minor in found.items():
            if minor < 0:
                raise InvalidInput(component.value, minor, "not negative")
            if minor > left.of(component):
                most = amount_text(left.of(component), self.currency)
                rule = f"at most {most}, which installment {number} has left"
                raise InvalidInput(component.value, minor, rule)
        if not found.total:
            raise InvalidInput("principal", None, "an amount of this or another component")

    def _check_order(self, number: int, minor: int, payment: object, order_no: str) -> None:
        """An order is one debit of one installment, and so is the payment that it brought."""
        attempt = self.attempts.get(order_no)
        if attempt is None or attempt.state not in _TAKEN:
            rule = "the order of a confirmed attempt of this loan"
            raise InvalidInput("order_no", order_no, rule)
        if attempt.number != number:
            rule = f"an order of installment {number}; it was one of {attempt.number}"
            raise InvalidInput("order_no", order_no, rule)
        known, before = self._brought.get(order_no, (payment, 0))
        if known != payment:
            rule = "one payment for each order, with one day and one reference"
            raise InvalidInput("order_no", order_no, rule)
        if before + minor > attempt.amount_minor:
            most = amount_text(attempt.amount_minor, self.currency)
            raise InvalidInput("order_no", order_no, f"at most {most}, which it asked for")
        if bool(self._returned.get(order_no)) is not (attempt.state is AttemptState.RETURNED):
            rule = "what came back of it, where its attempt was returned, and nothing else"
            raise InvalidInput("returned", self._returned.get(order_no) or None, rule)
        self._brought[order_no] = payment, before + minor


def _add(sums: dict[int, Amounts], number: int, amounts: Amounts) -> None:
    if amounts.total or number in sums:
        sums[number] = sums.get(number, _NOTHING) + amounts
