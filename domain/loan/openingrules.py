"""Rules that the opening of a loan in progress must keep before anything of it is booked."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from domain.debit.attempt import LIVE, AttemptState
from domain.debit.mandate import BARRING, Bar
from domain.errors import InvalidInput
from domain.kernel.change import Refusal
from domain.loan.boarding import BoardLoan, Past
from domain.loan.debthistory import DebtHistory
from domain.loan.opening import Opening, OpeningPayment
from domain.money import amount_text
from domain.pricing.amounts import Amounts
from domain.text import shortened

STALE_DAYS = 31
"""A loan is boarded at most so many days after the last day of its opening."""
PAYMENTS_MOST = ATTEMPTS_MOST = 1_200
HOLD_REASON_MOST = 200
"""Characters of the reason of a hold."""
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_BOOKING = re.compile(r"[!-~]{1,60}", re.ASCII)
BOOKINGS_MOST = 10
"""Executions of one order that an opening names."""
_EVIDENCE_MOST = 80
_SHOWN = 40


def broken_rule(command: BoardLoan, today: date) -> Refusal | None:
    """The first rule that the opening of a loan breaks; None: it keeps all, or there is none."""
    if (opening := command.opening) is None:
        return None
    first = next(_broken(command, opening, today), None)
    return first or _broken_fact(command, opening)


def check_head(holder: str, evidence: str) -> None:
    """See that a statement names who holds the money, and what it is called.

    Raises:
        InvalidInput: one of them is not of its form.
    """
    if not _TOKEN.fullmatch(holder):
        rule = "1 to 40 letters, digits or ._-"
        raise InvalidInput("holder", shortened(holder, _SHOWN), rule)
    if not evidence.strip() or len(evidence) > _EVIDENCE_MOST:
        raise InvalidInput(
            "evidence", shortened(evidence, _SHOWN), f"1 to {_EVIDENCE_MOST} characters"
        )


def is_booking_name(name: str) -> bool:
    """Whether a file can hold a rail's name of a booking: visible signs, no blank among them."""
    return _BOOKING.fullmatch(name) is not None


def check_bars(bars: Sequence[Bar]) -> None:
    """See that reasons for which a mandate is barred do bar, each class once, and name orders.

    Raises:
        InvalidInput: it is not.
    """
    classes = [bar.outcome_class for bar in bars]
    if len(set(classes)) < len(classes) or not BARRING.issuperset(classes):
        rule = f"{', '.join(sorted(BARRING))}, each once"
        raise InvalidInput("barred_by", " ".join(classes), rule)
    for bar in bars:
        if not is_booking_name(bar.order_no) or (bar.code and not is_booking_name(bar.code)):
            raise InvalidInput("barred_by", shortened(str(bar), _SHOWN), "class, code and order")


def check_advance(minor: int, reference: str) -> None:
    """See that money paid ahead has its reference, and a reference its money.

    Raises:
        InvalidInput: one of them is given without the other, or the amount is negative.
    """
    if minor < 0:
        raise InvalidInput("advance", minor, "not negative")
    if bool(minor) != bool(reference):
        lacks = "advance" if reference else "advance_ref"
        raise InvalidInput(lacks, None, "given with what was paid ahead, and only then")


def debt_history(command: BoardLoan, opening: Opening) -> DebtHistory:
    """What a valid opening says of the debt of its loan."""
    debt = _no_history(command, opening)
    debt.take_opening(opening)
    return debt


def _no_history(command: BoardLoan, opening: Opening) -> DebtHistory:
    return DebtHistory(command.schedule, command.currency, command.disbursed_on, opening.as_of)


def _broken(command: BoardLoan, opening: Opening, today: date) -> Iterator[Refusal]:
    """Rules of the opening as a whole: its head, its limits, its order."""
    first = max(command.disbursed_on, today - timedelta(days=STALE_DAYS))
    if not first <= opening.as_of <= today:
        yield Refusal("opening.as_of", f"{opening.as_of}: a day from {first} to {today}")
    try:
        check_head(opening.holder, opening.evidence)
        check_advance(opening.advance_minor, opening.advance_ref)
        check_bars(opening.bars)
        _check_advances(command, opening)
    except InvalidInput as error:
        yield _refusal("", error)
    if command.past is Past.IGNORE:
        yield Refusal("opening.past", "an opening says what became of the past: past is not ignore")
    for name, items, most in (
        ("payments", opening.payments, PAYMENTS_MOST),
        ("attempts", opening.attempts, ATTEMPTS_MOST),
    ):
        if len(items) > most:
            yield Refusal(f"opening.{name}", f"{len(items)}, at most {most}")
    yield from _numbers(opening)
    yield from _attempts(opening)
    yield from _holds(command, opening)


def _check_advances(command: BoardLoan, opening: Opening) -> None:
    """Parts of what was paid ahead have references and amounts, and leave something of it.

    Raises:
        InvalidInput: they do not.
    """
    known = {line.number for line in command.schedule}
    for part in opening.advances:
        if part.number not in known:
            raise InvalidInput("installment", part.number, f"1 to {len(known)}")
        if part.minor <= 0 or not part.reference:
            raise InvalidInput("advances", None, "each with an amount above zero and a reference")
    refs = [opening.advance_ref, *(part.reference for part in opening.advances)]
    if len(set(refs)) < len(refs):
        raise InvalidInput("advances", None, "each with a reference of its own")
    parts = sum(part.minor for part in opening.advances)
    if parts and parts >= opening.advance_minor:
        most = amount_text(opening.advance_minor, command.currency)
        raise InvalidInput("advances", None, f"together less than the {most} paid ahead in all")


def _numbers(opening: Opening) -> Iterator[Refusal]:
    for name, numbers, once in (
        ("items", [item.number for item in opening.items], True),
        ("attempts", [attempt.number for attempt in opening.attempts], False),
        *(
            (f"payments[{place}]", [part.number for part in payment.parts], True)
            for place, payment in enumerate(opening.payments, start=1)
        ),
    ):
        if numbers != sorted(set(numbers) if once else numbers):
            yield Refusal(f"opening.{name}", "in order of the installments" + ", each once" * once)
    for place, payment in enumerate(opening.payments, start=1):
        if not payment.parts and not payment.unplaced_minor:
            yield Refusal(f"opening.payments[{place}]", "at least one part")
        if not _are_bookings(payment):
            rule = f"bank_refs: of a debit, at most {BOOKINGS_MOST}, 1 to 60 visible characters"
            yield Refusal(f"opening.payments[{place}]", rule)


def _are_bookings(payment: OpeningPayment) -> bool:
    names = payment.bank_refs
    is_whole = len(names) <= BOOKINGS_MOST and all(map(is_booking_name, names))
    return is_whole and (bool(payment.order_no) or not names)


def _attempts(opening: Opening) -> Iterator[Refusal]:
    latest = {attempt.number: attempt for attempt in opening.attempts}
    last_day: dict[int, date] = {}
    counted: set[int] = set()
    for attempt in opening.attempts:
        name = shortened(attempt.order_no, _SHOWN)
        if attempt.state in LIVE and attempt is not latest[attempt.number]:
            yield Refusal("opening.attempts", f"{name}: only the last may lack its outcome")
        if attempt.value_on < last_day.get(attempt.number, attempt.value_on):
            yield Refusal("opening.attempts", f"{name}: oldest first")
        if attempt.counts is False and attempt.number in counted:
            yield Refusal("opening.attempts", f"{name}: those that count are the last")
        if attempt.counts is not False:
            counted.add(attempt.number)
        last_day[attempt.number] = attempt.value_on


def _holds(command: BoardLoan, opening: Opening) -> Iterator[Refusal]:
    known = {line.number for line in command.schedule}
    numbers = [hold.number or 0 for hold in opening.holds]
    if numbers != sorted(set(numbers)) or any(number not in known for number in numbers if number):
        why = "the loan once, then installments that there are, in their order, each once"
        yield Refusal("opening.holds", why)
    for hold in opening.holds:
        if hold.since is not None and hold.since > opening.as_of:
            yield Refusal("opening.holds", f"since {hold.since}: {opening.as_of} or before")
        if not 1 <= len(hold.reason) <= HOLD_REASON_MOST:
            yield Refusal("opening.holds", f"a reason of 1 to {HOLD_REASON_MOST} characters")


def _broken_fact(command: BoardLoan, opening: Opening) -> Refusal | None:
    """The first fact of the debt that contradicts the loan or those before it."""
    debt, where = _no_history(command, opening), ""
    try:
        for attempt in opening.attempts:
            where = f"order {shortened(attempt.order_no, _SHOWN)!r}"
            debt.order(attempt)
        for item in opening.items:
            where = f"installment {item.number}"
            debt.charge(item.number, item.charged)
        for place, payment in enumerate(opening.payments, start=1):
            where = f"payments[{place}]"
            beyond = payment.unplaced_minor, payment.returned_minor
            if any(beyond):
                debt.keep(None, *beyond, place, payment.order_no)
            for part in payment.parts:
                where = f"payments[{place}], installment {part.number}"
                debt.pay(part.number, part.amounts, place, payment.on, payment.order_no)
        for item in opening.items:
            where = f"installment {item.number}"
            if item.waived != Amounts():
                debt.waive(item.number, item.waived)
            if item.written_off_on is not None:
                debt.write_off(item.number, item.written_off_on)
            if item.is_cancelled:
                debt.cancel(item.number)
    except InvalidInput as error:
        return _refusal(f"{where}: ", error)
    named = {payment.order_no for payment in opening.payments}
    for attempt in opening.attempts:
        taken, is_named = debt.brought_by(attempt.order_no), attempt.order_no in named
        is_taken = attempt.state is AttemptState.CONFIRMED or is_named
        if is_taken and taken != attempt.amount_minor:
            why = "a confirmed debit is as much as the payment that names it"
            return Refusal("opening.order_no", f"{shortened(attempt.order_no, _SHOWN)}: {why}")
    return None


def _refusal(where: str, error: InvalidInput) -> Refusal:
    value = "" if error.value is None else f"{error.value}: "
    return Refusal(f"opening.{error.field}", f"{where}{value}{error.rule}")
