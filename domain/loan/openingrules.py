"""Rules that the opening of a loan in progress must keep before anything of it is booked."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from domain.debit.attempt import LIVE, AttemptState
from domain.kernel.change import Refusal
from domain.loan.boarding import BoardLoan, Past
from domain.loan.opening import Opening, OpeningItem
from domain.money import amount_text
from domain.pricing.amounts import Amounts
from domain.text import shortened

STALE_DAYS = 31
"""A loan is boarded at most so many days after the last day of its opening."""
AHEAD_DAYS = 31
"""Rails take orders at most so many days before the day that they are for."""
PAYMENTS_MOST = ATTEMPTS_MOST = 1_200
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_ORDER_NO = re.compile(r"[!-\"$-~]{1,35}", re.ASCII)
_EVIDENCE_MOST = 80
_SHOWN = 40


def broken_rule(command: BoardLoan, today: date) -> Refusal | None:
    """The first rule that the opening of a loan breaks; None: it keeps all, or there is none."""
    if command.opening is None:
        return None
    return next(_broken(command, command.opening, today), None)


def _broken(command: BoardLoan, opening: Opening, today: date) -> Iterator[Refusal]:
    yield from _head(command, opening, today)
    yield from _numbers(command, opening)
    yield from _dates(command, opening)
    yield from _attempts(command, opening)
    yield from _amounts(command, opening)


def _head(command: BoardLoan, opening: Opening, today: date) -> Iterator[Refusal]:
    first = max(command.disbursed_on, today - timedelta(days=STALE_DAYS))
    if not first <= opening.as_of <= today:
        yield Refusal("opening.as_of", f"{opening.as_of}: a day from {first} to {today}")
    if not _TOKEN.fullmatch(opening.holder):
        holder = shortened(opening.holder, _SHOWN)
        yield Refusal("opening.holder", f"{holder!r} is not 1 to 40 letters, digits or ._-")
    if not 1 <= len(opening.evidence) <= _EVIDENCE_MOST:
        yield Refusal("opening.evidence", f"1 to {_EVIDENCE_MOST} characters")
    if command.past is Past.IGNORE:
        yield Refusal("opening.past", "an opening says what became of the past: past is not ignore")
    for name, items, most in (
        ("payments", opening.payments, PAYMENTS_MOST),
        ("attempts", opening.attempts, ATTEMPTS_MOST),
    ):
        if len(items) > most:
            yield Refusal(f"opening.{name}", f"{len(items)}, at most {most}")
    if opening.advance_minor < 0:
        yield Refusal("opening.advance", "not negative")
    if bool(opening.advance_minor) != bool(opening.advance_ref):
        why = "the reference of what was paid ahead is given with it, and only with it"
        yield Refusal("opening.advance_ref", why)


def _numbers(command: BoardLoan, opening: Opening) -> Iterator[Refusal]:
    known = {line.number for line in command.schedule}
    for name, numbers, once in (
        ("items", [item.number for item in opening.items], True),
        ("attempts", [attempt.number for attempt in opening.attempts], False),
        *(
            (f"payments[{place}]", [part.number for part in payment.parts], True)
            for place, payment in enumerate(opening.payments, start=1)
        ),
    ):
        if strange := [number for number in numbers if number not in known]:
            yield Refusal(f"opening.{name}", f"there is no installment {strange[0]}")
        if numbers != sorted(set(numbers) if once else numbers):
            yield Refusal(f"opening.{name}", "in order of the installments" + ", each once" * once)
    for place, payment in enumerate(opening.payments, start=1):
        if not payment.parts or any(min(it.amounts.values()) < 0 for it in payment.parts):
            yield Refusal(f"opening.payments[{place}]", "some part, and no amount is negative")
        if any(part.amounts.total <= 0 for part in payment.parts):
            yield Refusal(f"opening.payments[{place}]", "every part brings something")


def _dates(command: BoardLoan, opening: Opening) -> Iterator[Refusal]:
    days = [(f"payments[{i}].on", it.on) for i, it in enumerate(opening.payments, start=1)]
    days += [("items.written_off_on", item.written_off_on) for item in opening.items]
    for name, day in days:
        if day is not None and not command.disbursed_on <= day <= opening.as_of:
            why = f"{day}: a day from {command.disbursed_on} to {opening.as_of}"
            yield Refusal(f"opening.{name}", why)


def _attempts(command: BoardLoan, opening: Opening) -> Iterator[Refusal]:
    names = Counter(attempt.order_no for attempt in opening.attempts)
    brought: Counter[str] = Counter()
    by_number = {attempt.order_no: attempt for attempt in opening.attempts}
    for payment in (payment for payment in opening.payments if payment.order_no):
        ordered = by_number.get(payment.order_no)
        if (
            ordered is None
            or ordered.state is not AttemptState.CONFIRMED
            or brought[payment.order_no]
        ):
            why = f"{payment.order_no} is one confirmed attempt of the opening, paid once"
            yield Refusal("opening.order_no", why)
        elif {part.number for part in payment.parts} != {ordered.number}:
            why = f"{payment.order_no} was a debit of installment {ordered.number} and pays only it"
            yield Refusal("opening.order_no", why)
        brought[payment.order_no] = sum(part.amounts.total for part in payment.parts)
    latest = {attempt.number: attempt for attempt in opening.attempts}
    last_day = dict.fromkeys(latest, command.disbursed_on)
    for attempt in opening.attempts:
        name = shortened(attempt.order_no, _SHOWN)
        if not _ORDER_NO.fullmatch(attempt.order_no) or names[attempt.order_no] > 1:
            yield Refusal(
                "opening.order_no", f"{name!r}: 1 to 35 visible characters but #, each once"
            )
        if attempt.state is AttemptState.INTENDED or attempt.amount_minor <= 0:
            yield Refusal("opening.attempts", f"{name}: an order that left, of more than zero")
        if attempt.state in LIVE and attempt is not latest[attempt.number]:
            yield Refusal("opening.attempts", f"{name}: only the last may lack its outcome")
        if attempt.value_on < last_day[attempt.number]:
            yield Refusal("opening.attempts", f"{name}: oldest first, and none before the lending")
        if attempt.value_on > opening.as_of + timedelta(days=AHEAD_DAYS):
            why = f"{name}: ordered for {attempt.value_on}, more than {AHEAD_DAYS} days ahead"
            yield Refusal("opening.attempts", why)
        taken = brought[attempt.order_no]
        if attempt.state is AttemptState.CONFIRMED and taken != attempt.amount_minor:
            why = f"{name}: a confirmed debit is as much as the payment that names it"
            yield Refusal("opening.attempts", why)
        last_day[attempt.number] = attempt.value_on


def _amounts(command: BoardLoan, opening: Opening) -> Iterator[Refusal]:
    stated = {item.number: item for item in opening.items}
    live = {attempt.number for attempt in opening.attempts if attempt.state in LIVE}
    paid = dict.fromkeys((line.number for line in command.schedule), Amounts())
    for part in (part for payment in opening.payments for part in payment.parts):
        paid[part.number] += part.amounts
    for line in command.schedule:
        item = stated.get(line.number, OpeningItem(number=line.number))
        charged = Amounts(line.principal, line.interest, line.fee) + item.charged
        if min(*item.charged.values(), *item.waived.values()) < 0:
            yield Refusal("opening.items", f"installment {line.number}: no amount is negative")
        if item.charged.principal or item.charged.interest:
            why = f"installment {line.number}: principal and interest are charged by the schedule"
            yield Refusal("opening.charged", why)
        if item.is_cancelled:
            yield from _cancelled(item, paid[line.number], is_live=line.number in live)
            continue
        covered = paid[line.number] + item.waived
        for component, minor in (covered - charged).items():
            if minor > 0:
                said = [
                    amount_text(it.of(component), command.currency) for it in (covered, charged)
                ]
                why = f"installment {line.number}: {said[0]} of {component} paid or waived, "
                why += f"{said[1]} charged"
                yield Refusal("opening.amount", why)
        left = (charged - covered).total
        if not left and item.written_off_on is not None:
            why = f"installment {line.number}: nothing is left to write off"
            yield Refusal("opening.covered", why)
        if item.written_off_on is not None and line.number in live:
            yield Refusal(
                "opening.items", f"installment {line.number} is written off, with an order out"
            )


def _cancelled(item: OpeningItem, paid: Amounts, *, is_live: bool) -> Iterator[Refusal]:
    parts = (item.charged.total, item.waived.total, paid.total)
    if any(parts) or is_live or item.written_off_on is not None:
        why = f"installment {item.number} is cancelled: nothing was paid, charged or ordered of it"
        yield Refusal("opening.cancelled", why)
