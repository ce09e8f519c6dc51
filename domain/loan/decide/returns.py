"""Debits that were taken back: told by the rail, by a booked line, or by both in any order."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from domain.debit.attempt import AttemptState
from domain.debit.outcome import Outcome, OutcomeClass
from domain.debit.retry import NoRetry
from domain.loan.aggregate import Receipt
from domain.loan.change import CaseChange, Change
from domain.loan.commands import RecordReturn
from domain.loan.decide.desk import unknown_order
from domain.loan.decide.money import place_waiting, take_back
from domain.loan.decide.outcomes import find, hear, put_attempt
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event
from domain.loan.retrying import retry_verdict


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
    if _is_told(work, loan_id, command):
        return work.done(loan_id, number, "known")
    if not _taken(work, loan_id, command):
        # A return says that the debit had been executed: book that first, then take it back.
        executed = Outcome(
            OutcomeClass.SUCCESS,
            "return",
            command.amount_minor,
            command.bank_ref,
            executed_on=attempt.value_on,
        )
        hear(work, loan_id, number, attempt, executed, "return")
    receipt = _taken(work, loan_id, command)[0]
    minor = min(command.amount_minor, receipt.net_minor)
    told = Returned(minor, command.klass, command.code, command.returned_on, told=True)
    reverse(work, loan_id, receipt, told)
    if minor < command.amount_minor:
        _case_of_excess(work, loan_id, number, command, command.amount_minor - minor)
    return work.done(loan_id, number, "returned")


def reverse(work: Work, loan_id: str, receipt: Receipt, returned: Returned) -> None:
    """Book a return and reopen what its receipt had paid."""
    _end_attempt(work, loan_id, receipt, returned)
    numbers = take_back(work, loan_id, receipt.id, returned.minor, returned.on)
    if not returned.told:
        known = work.receipt(loan_id, receipt.id)
        untold = known.untold_minor + returned.minor
        work.put_receipt(loan_id, replace(known, untold_minor=untold))
    reopen(work, loan_id, numbers, f"{returned.code} receipt {receipt.id}")
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


def _end_attempt(work: Work, loan_id: str, receipt: Receipt, returned: Returned) -> None:
    """The attempt itself is returned with its first receipt, not with a second execution."""
    number, attempt = find(work, loan_id, receipt.order_no or "")
    if attempt.state is AttemptState.CONFIRMED and receipt.id == f"R-{attempt.order_no}":
        ended = replace(
            attempt,
            state=AttemptState.RETURNED,
            klass=returned.klass,
            code=returned.code,
            returned_at=work.at,
        )
        put_attempt(work, loan_id, number, ended)


def _is_told(work: Work, loan_id: str, command: RecordReturn) -> bool:
    """Whether the books know this return: from an earlier report, or from its booked line.

    A line may have taken back another execution of the same order than the one that the rail now
    names: one return told in two ways is one return all the same.
    """
    receipts = [r for r in work.loan(loan_id).receipts if r.order_no == command.order_no]
    untold = [r for r in receipts if r.untold_minor >= command.amount_minor]
    untold.sort(key=lambda receipt: receipt.bank_ref != command.bank_ref)
    if untold:
        known = replace(untold[0], untold_minor=untold[0].untold_minor - command.amount_minor)
        work.put_receipt(loan_id, known)
        return True
    ref = command.bank_ref
    if ref is not None and any(r.bank_ref == ref and not r.net_minor for r in receipts):
        return True
    gone = [r for r in receipts if r.returned_minor and (ref is None or r.bank_ref in {None, ref})]
    return bool(gone) and not _taken(work, loan_id, command)


def _taken(work: Work, loan_id: str, command: RecordReturn) -> list[Receipt]:
    """Receipts of the order that the return can take back, the one that it names first."""
    found = [
        receipt
        for receipt in work.loan(loan_id).receipts
        if receipt.order_no == command.order_no and receipt.net_minor > 0
    ]
    named = [r for r in found if command.bank_ref is not None and r.bank_ref == command.bank_ref]
    return named or [r for r in found if command.bank_ref is None or r.bank_ref is None]


def _case_of_excess(
    work: Work, loan_id: str, number: int, command: RecordReturn, excess: int
) -> None:
    currency = work.loan(loan_id).currency
    work.open_case(
        CaseChange(
            "open",
            f"return/{command.order_no}/{command.bank_ref or ''}",
            "return_of_more",
            f"{excess} {currency} minor units more came back of {command.order_no} than were taken",
            loan_id=loan_id,
            number=number,
            amount_minor=excess,
            currency=currency,
        )
    )
