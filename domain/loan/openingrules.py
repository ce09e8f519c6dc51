"""Rules that the opening of a loan in progress must keep before anything of it is booked."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from domain.debit.attempt import LIVE, AttemptState
from domain.errors import InvalidInput
from domain.kernel.change import Refusal
from domain.loan.boarding import BoardLoan, Past
from domain.loan.debthistory import DebtHistory
from domain.loan.opening import Opening
from domain.pricing.amounts import Amounts
from domain.text import shortened

STALE_DAYS = 31
"""A loan is boarded at most so many days after the last day of its opening."""
PAYMENTS_MOST = ATTEMPTS_MOST = 1_200
HOLD_REASON_MOST = 200
"""Characters of the reason of a hold."""
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
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


def _attempts(opening: Opening) -> Iterator[Refusal]:
    latest = {attempt.number: attempt for attempt in opening.attempts}
    last_day: dict[int, date] = {}
    for attempt in opening.attempts:
        name = shortened(attempt.order_no, _SHOWN)
        if attempt.state in LIVE and attempt is not latest[attempt.number]:
            yield Refusal("opening.attempts", f"{name}: only the last may lack its outcome")
        if attempt.value_on < last_day.get(attempt.number, attempt.value_on):
            yield Refusal("opening.attempts", f"{name}: oldest first")
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
