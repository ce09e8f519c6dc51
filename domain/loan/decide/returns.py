"""Debits that were taken back: told by the rail, by a booked line, or by both in any order.

What has gone back of a payment is the larger of what the rail's reports and what booked lines say,
so that the order in which they come does not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import MINOR_MAX, Outcome, OutcomeClass
from domain.debit.retry import SOFT, NoRetry
from domain.loan.aggregate import Receipt
from domain.loan.cases import CaseKind
from domain.loan.change import CaseChange, Change
from domain.loan.commands import RecordReturn
from domain.loan.decide.attempts import find, judge_again, put_attempt
from domain.loan.decide.desk import open_case, unknown_order
from domain.loan.decide.disputes import compare_bookings, raise_inferred, receipts_of_order
from domain.loan.decide.money import place_waiting, take_back
from domain.loan.decide.outcomes import hear
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event
from domain.loan.retrying import retry_verdict
from domain.money import amount_text

NO_REASON = "line"
"""Code of a return of which only a booked line without a reason is known."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What is said of a return: minor units (above zero), class and code of its reason, day.

    `told`: the rail reported it; otherwise a booked line is the only witness so far.
    """

    minor: int
    klass: OutcomeClass
    code: str
    on: date
    told: bool


def record_return(work: Work, command: RecordReturn) -> Change:
    """A rail reports that a confirmed debit was taken back: what it paid is owed again."""
    loan_id = work.aggregates.orders.get(command.order_no)
    if loan_id is None:
        return unknown_order(work, command.rail, command.order_no)
    number, attempt = find(work, loan_id, command.order_no)
    if flaw := _flaw(work, loan_id, command):
        key = f"unbelieved_return/{command.order_no}"
        text = f"a return of order {command.order_no} is not believed: {flaw}"
        open_case(work, loan_id, number, key, CaseKind.CONTRADICTION, text)
        return work.done(loan_id, number, "not believed")
    infer_execution(work, loan_id, command.order_no, command.amount_minor)
    receipt = _reported(work, loan_id, command)
    known = min(command.amount_minor, receipt.untold_minor)
    back = receipt.returned_minor + command.amount_minor - known
    receipt = raise_inferred(work, loan_id, receipt.id, back, attempt.amount_minor)
    untold = receipt.untold_minor - known
    work.put_receipt(
        loan_id,
        replace(receipt, untold_minor=untold, return_ref=command.bank_ref or receipt.return_ref),
    )
    klass = work.rules.return_class(attempt.rail, command.code, command.klass)
    minor = min(command.amount_minor - known, receipt.net_minor)
    told = Returned(minor, klass, command.code, command.returned_on, told=True)
    if minor:
        reverse(work, loan_id, receipt.id, told)
    else:
        learn_reason(work, loan_id, receipt.id, told)
    compare_bookings(work, loan_id, number, receipt.id)
    excess = command.amount_minor - known - minor
    # The whole of a payment may be told again under another name: that is no second return.
    is_again = not receipt.net_minor or command.amount_minor == receipt.amount_minor
    if excess and not is_again:
        _case_of_excess(work, loan_id, number, command, excess)
    return work.done(loan_id, number, "returned" if minor else "known")


def infer_execution(work: Work, loan_id: str, order_no: str, minor: int) -> None:
    """A return says that its debit had been executed: book that first, then it is taken back.

    No more was taken than was ordered; what comes back on top of it has another cause.
    """
    if receipts_of_order(work, loan_id, order_no):
        return
    number, attempt = find(work, loan_id, order_no)
    taken, day = min(minor, attempt.amount_minor), attempt.value_on
    executed = Outcome(OutcomeClass.SUCCESS, "return", taken, executed_on=day)
    hear(work, loan_id, number, attempt, executed, "return")
    receipt = receipts_of_order(work, loan_id, order_no)[0]
    work.put_receipt(loan_id, replace(receipt, inferred=True))


def reverse(work: Work, loan_id: str, receipt_id: str, returned: Returned) -> None:
    """Book a return and reopen what its receipt had paid."""
    learn_reason(work, loan_id, receipt_id, returned)
    numbers = take_back(work, loan_id, receipt_id, returned.minor, returned.on)
    if not returned.told:
        known = work.receipt(loan_id, receipt_id)
        untold = known.untold_minor + returned.minor
        work.put_receipt(loan_id, replace(known, untold_minor=untold))
    reopen(work, loan_id, numbers, f"{returned.code} receipt {receipt_id}")
    place_waiting(work, loan_id)


def reopen(work: Work, loan_id: str, numbers: Iterable[int], detail: str) -> None:
    """What was paid is owed again: by the retry plan it is tried anew, or a person decides."""
    for number in numbers:
        item = work.item(loan_id, number)
        verdict = retry_verdict(work.loan(loan_id), item, work.rules, work.at)
        event = Event.RECEIPT_REVERSED_RETRYABLE
        if isinstance(verdict, NoRetry):
            event = Event.RECEIPT_REVERSED_FINALLY
        if not work.can(loan_id, number, event):
            event = Event.RECEIPT_REVERSED
        work.move(loan_id, number, event, detail)
        if not item.attempts and work.can(loan_id, number, Event.RETRY_ORDERED):
            # No debit has failed: it is due as if the payment had never been heard of.
            work.move(loan_id, number, Event.RETRY_ORDERED, "never presented")


def learn_reason(work: Work, loan_id: str, receipt_id: str, returned: Returned) -> None:
    """The attempt of an order's first payment is returned, for the strictest reason told of it.

    Report and line of one return may come in either order and name different reasons: a machine
    tries again only if no one of them forbids it.
    """
    receipt = work.receipt(loan_id, receipt_id)
    if receipt.order_no is None or receipt.id != f"R-{receipt.order_no}":
        return
    number, attempt = find(work, loan_id, receipt.order_no)
    if attempt.state is AttemptState.CONFIRMED:
        state = AttemptState.RETURNED
        ended = replace(attempt, state=state, returned_at=work.at)
        ended = replace(ended, klass=returned.klass, code=returned.code)
        put_attempt(work, loan_id, number, ended)
    elif attempt.state is AttemptState.RETURNED and _is_stricter(returned, attempt):
        known = replace(attempt, klass=returned.klass, code=returned.code, returned_at=work.at)
        put_attempt(work, loan_id, number, known)
        judge_again(work, loan_id, number, f"{returned.code} receipt {receipt_id}")


def _is_stricter(returned: Returned, attempt: Attempt) -> bool:
    return _strictness(returned.klass, returned.code) > _strictness(attempt.klass, attempt.code)


def _strictness(klass: OutcomeClass | None, code: str) -> tuple[int, str]:
    """No reason, a soft one, one that no table holds, a hard one; of equals by code."""
    if code == NO_REASON:
        return 0, ""
    if klass in SOFT:
        return 1, code
    return (2, code) if klass is OutcomeClass.UNKNOWN_CODE else (3, code)


def _flaw(work: Work, loan_id: str, command: RecordReturn) -> str:
    currency = work.loan(loan_id).currency
    if command.currency not in {None, currency}:
        return f"it is in {command.currency}, the order is in {currency}"
    if not 0 < command.amount_minor <= MINOR_MAX:
        return f"its amount is {command.amount_minor} minor units"
    return ""


def _reported(work: Work, loan_id: str, command: RecordReturn) -> Receipt:
    """The payment of the order that a reported return is about.

    First one whose return a line has told, then the booking that the rail names, then one whose
    money waits in suspense: of an order that was executed twice the surplus goes back. A line may
    have taken back another execution of the order than the rail names: it is one return all the
    same.
    """
    minor, ref = command.amount_minor, command.bank_ref

    def fit(receipt: Receipt) -> tuple[bool, ...]:
        return (
            receipt.untold_minor < minor,
            ref is not None and receipt.bank_ref != ref,
            not receipt.untold_minor and not receipt.net_minor,
            receipt.waiting_minor < minor,
            receipt.net_minor != minor,
        )

    return min(receipts_of_order(work, loan_id, command.order_no), key=fit)


def _case_of_excess(
    work: Work, loan_id: str, number: int, command: RecordReturn, excess: int
) -> None:
    currency = work.loan(loan_id).currency
    work.open_case(
        CaseChange(
            "open",
            f"return/{command.order_no}/{command.bank_ref or ''}",
            CaseKind.RETURN_OF_MORE,
            f"{amount_text(excess, currency)} more came back of {command.order_no} than were taken",
            loan_id=loan_id,
            number=number,
            amount_minor=excess,
            currency=currency,
        )
    )
