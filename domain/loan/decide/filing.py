"""Debit orders that wait in a file until its cut, and are taken out of it before."""

from dataclasses import replace
from datetime import date

from domain.debit.attempt import WITHDRAWN, Attempt, AttemptState
from domain.kernel.change import Refusal
from domain.loan.aggregate import Loan
from domain.loan.asking import NO_DEBIT
from domain.loan.change import Change
from domain.loan.decide.attempts import find, put_attempt
from domain.loan.decide.money import place_waiting, waits_for
from domain.loan.decide.outcomes import end_unpaid
from domain.loan.decide.tasks import unknown_order
from domain.loan.decide.work import Work
from domain.loan.filing import RecordFiled, WithdrawDebit

PUT_IN_FILE = "put_in_file"
"""What the journal calls it that an order was put in another file than with its intent."""


def record_filed(work: Work, command: RecordFiled) -> Change:
    """An order that waits stands in another file; one that has left or ended stays as it is."""
    loan_id = work.aggregates.orders.get(command.order_no)
    if loan_id is None:
        return unknown_order(work, "-", command.order_no)
    number, attempt = find(work, loan_id, command.order_no)
    if not attempt.waits_in_file(work.at):
        return work.done(loan_id, number, "not waiting in a file")
    if attempt.batch_ref != command.batch_ref:
        put_attempt(work, loan_id, number, replace(attempt, batch_ref=command.batch_ref))
        stays = attempt.state
        work.note(loan_id, number, stays, stays, PUT_IN_FILE, command.batch_ref, attempt.order_no)
    return work.done(loan_id, number, "put in a file")


def withdraw_debit(work: Work, order: WithdrawDebit) -> Change | Refusal:
    """End an order that waits in a file; the installment is where it was before the intent."""
    loan_id, number = order.loan_id, order.number
    attempt = work.item(loan_id, number).live_attempt
    if attempt is None:
        return Refusal("withdraw.none", "no order of the installment is out")
    if attempt.cut_at is None:
        why = f"order {attempt.order_no} went out by itself: only the rail can recall it"
        return Refusal("withdraw.no_file", why)
    if not attempt.waits_in_file(work.at):
        left = f"order {attempt.order_no} left in file {attempt.batch_ref}"
        return Refusal("withdraw.cut", f"{left}: ask after it, or have the rail recall it")
    _take_out(work, loan_id, number, replace(attempt, code=WITHDRAWN))
    place_waiting(work, loan_id)
    return work.done(loan_id, number, "withdrawn")


def take_out_unwanted(work: Work, loan_id: str) -> None:
    """Take out of their files, before the cut, orders that are wanted no more as they stand.

    Money has come that would pay (part of) the installment, its debits are held, or the loan's
    mandate is another one by now or does not cover the value day. What is still owed may be
    intended anew, also for the same file.
    """
    loan = work.loan(loan_id)
    for item in loan.installments:
        attempt = item.live_attempt if item.attempts else None
        if attempt is None or not attempt.waits_in_file(work.at):
            continue
        if item.hold in NO_DEBIT:
            _take_out(work, loan_id, item.number, replace(attempt, code="HELD"))
        elif not is_covered(loan, attempt, attempt.value_on):
            _take_out(work, loan_id, item.number, replace(attempt, code="NO_MANDATE"))
        elif waits_for(work, loan_id, item.number):
            _take_out(work, loan_id, item.number, replace(attempt, code="MONEY_CAME"))


def is_covered(loan: Loan, attempt: Attempt, value_on: date) -> bool:
    """Whether an order that has not left may still leave under its mandate, for a value day."""
    mandate = loan.mandate
    return attempt.mandate_ref == mandate.ref and mandate.allows(value_on) and mandate.bar is None


def _take_out(work: Work, loan_id: str, number: int, attempt: Attempt) -> None:
    ended = replace(attempt, state=AttemptState.RECALLED, ended_at=work.at)
    end_unpaid(work, loan_id, number, ended)
