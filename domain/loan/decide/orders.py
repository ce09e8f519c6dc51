"""Orders of operators and upstream: allowed by table and rules, or refused with a reason."""

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from domain.kernel.change import Refusal
from domain.kernel.order import refusal_of_form
from domain.loan import bookings, casekeys
from domain.loan.agenda import OVERDUE
from domain.loan.change import Change
from domain.loan.charge import Charge
from domain.loan.commands import (
    Cancel,
    ChangeDate,
    Hold,
    Matching,
    Order,
    RaiseOperator,
    RecordPayment,
    RetryNow,
    Unhold,
    Waive,
    WriteOff,
)
from domain.loan.costs import overcharge
from domain.loan.decide.charges import charge_to_date, fall_due
from domain.loan.decide.filing import withdraw_debit
from domain.loan.decide.matching import (
    identify_waiting,
    match_line,
    undo_match,
    withdraw_payment,
)
from domain.loan.decide.money import place_waiting
from domain.loan.decide.references import payments_named, portions_of
from domain.loan.decide.stating import state_outcome
from domain.loan.decide.tasks import need_operator
from domain.loan.decide.transfers import check_loans, receive_transfer
from domain.loan.decide.work import Work
from domain.loan.doubts import doubt_about
from domain.loan.filing import WithdrawDebit
from domain.loan.lifecycle import FINAL, Event, State
from domain.loan.matching import MatchLine, UndoMatch, WithdrawPayment
from domain.loan.plausible import implausible_amount, implausible_day
from domain.loan.retrying import not_debitable
from domain.loan.stating import StateOutcome
from domain.money import amount_text
from domain.payment.payment import Payment
from domain.pricing.amounts import Amounts, Component

MOVE_DAYS_MAX = 366
_NOT_BESIDE_A_DEBIT = RetryNow | ChangeDate | Waive | Charge | Cancel


def give_order(work: Work, order: Order) -> Change | Refusal:
    """Apply an order to one installment, or refuse it by a named rule."""
    if refusal := _check(work, order):
        return refusal
    match order:
        case Hold():
            return _hold(work, order)
        case Unhold():
            return _unhold(work, order)
        case RetryNow():
            return _retry_now(work, order)
        case WithdrawDebit():
            return withdraw_debit(work, order)
        case StateOutcome():
            return state_outcome(work, order)
        case RecordPayment():
            return _record_payment(work, order)
        case MatchLine():
            return match_line(work, order)
        case UndoMatch():
            return undo_match(work, order)
        case WithdrawPayment():
            return withdraw_payment(work, order)
        case ChangeDate():
            return _change_date(work, order)
        case Waive():
            return _waive(work, order)
        case Charge():
            return _charge(work, order)
        case Cancel():
            return _cancel(work, order)
        case WriteOff():
            return _write_off(work, order)
        case _:
            assert_never(order)


def raise_operator(work: Work, order: RaiseOperator) -> Change:
    """The driver cannot go on by itself: a visible task for a person."""
    need_operator(work, order.loan_id, order.number, order.reason or "the driver needs a person")
    return work.done(order.loan_id, order.number)


def _check(work: Work, order: Order) -> Refusal | None:
    if refusal := refusal_of_form(order):
        return refusal
    item = work.item(order.loan_id, order.number)
    if item.state in FINAL and not isinstance(order, RecordPayment | Matching):
        return Refusal("lifecycle.final", f"the installment is {item.state}")
    if item.live_attempt is not None and isinstance(order, _NOT_BESIDE_A_DEBIT):
        return Refusal("attempt.live", "an earlier order has no final outcome yet")
    return None


def _hold(work: Work, order: Hold) -> Change:
    item = work.item(order.loan_id, order.number)
    held = replace(
        item,
        hold=order.what,
        hold_reason=order.reason,
        hold_since=work.today(order.loan_id),
    )
    work.put(order.loan_id, held)
    work.note(order.loan_id, order.number, item.state, item.state, "held", order.what)
    return work.done(order.loan_id, order.number, "held")


def _unhold(work: Work, order: Unhold) -> Change | Refusal:
    item = work.item(order.loan_id, order.number)
    if item.hold is None:
        return Refusal("hold.none", "the installment is not on hold")
    work.put(order.loan_id, replace(item, hold=None, hold_reason="", hold_since=None))
    work.note(order.loan_id, order.number, item.state, item.state, "unheld", item.hold)
    _answered(work, order)
    return work.done(order.loan_id, order.number, "unheld")


def _retry_now(work: Work, order: RetryNow) -> Change | Refusal:
    """Present at the next slot; never beside a live order, nor past what rail and law allow."""
    loan_id, number = order.loan_id, order.number
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    if item.hold is not None:
        return Refusal("hold", f"the installment is on hold ({item.hold})")
    if not loan.mandate.allows(work.today(loan_id)):
        return Refusal("mandate.ended", "the mandate does not cover today")
    if case := doubt_about(work.cases, loan_id, number):
        return Refusal("debit.case_open", f"case {case} about an order of it is open")
    if bar := not_debitable(loan, item, work.rules):
        return Refusal(bar.rule, bar.reason)
    if not work.can(loan_id, number, Event.RETRY_ORDERED):
        return Refusal("lifecycle.retry_ordered", f"not in state {item.state}")
    # The plan was spent: a person begins it anew. Rail and mandate still count every attempt.
    spent = item.state is State.DELINQUENT
    reset = len(item.attempts) if spent else item.retries_reset_at
    work.move(loan_id, number, Event.RETRY_ORDERED, order.reason)
    ordered = replace(
        work.item(loan_id, number),
        retry_ordered_at=work.at,
        retries_reset_at=reset,
        debit_on_order=False,
    )
    work.put(loan_id, ordered)
    _answered(work, order)
    return work.done(loan_id, number, "retry ordered")


def _record_payment(work: Work, order: RecordPayment) -> Change | Refusal:
    """Money paid another way: reported now, proven by its bank line, come or to come."""
    loan = work.loan(order.loan_id)
    if order.currency != loan.currency:
        return Refusal("payment.currency", f"{order.currency} is not {loan.currency}")
    if refusal := check_loans(work, order) or _implausible(work, order):
        return refusal
    if any(_is_same(payment, order) for payment in payments_named(work, order.reference)):
        paid = amount_text(order.amount_minor, order.currency)
        said = f"{paid} of {order.value_on} under reference {order.reference}"
        return Refusal("payment.reference", f"{said} is booked already")
    payment_id = receive_transfer(work, order, order.value_on)
    identify_waiting(work, payment_id)
    for loan_id in work.payment(payment_id).loans:
        place_waiting(work, loan_id)
    work.touch(loan.id, order.number)
    note = f"payment recorded{_divided(work, payment_id) if order.also else ''}"
    return work.done(loan.id, order.number, note)


def _divided(work: Work, payment_id: str) -> str:
    """What of a payment went to which loan."""
    payment = work.payment(payment_id)
    parts = (
        f"{amount_text(portion.amount_minor, payment.currency)} to {loan_id}"
        for loan_id, portion in portions_of(work, payment)
    )
    return f": {', '.join(parts)}"


def _implausible(work: Work, order: RecordPayment) -> Refusal | None:
    """Why the amount or the day of a payment is not taken: each loan by its own limits."""
    loans = [work.loan(name) for name in (order.loan_id, *(it.loan_id for it in order.also))]
    if why := implausible_amount(loans, order.amount_minor):
        return Refusal("payment.amount", why)
    days = (implausible_day(loan, order.value_on, work.today(loan.id)) for loan in loans)
    why = next(filter(None, days), "")
    return Refusal("payment.value_on", why) if why else None


def _is_same(payment: Payment, order: RecordPayment) -> bool:
    """Whether a payment stands that has this reference, amount and day: it is not booked twice."""
    reported = (order.amount_minor, order.value_on)
    return (payment.amount_minor, payment.value_on) == reported and not payment.is_withdrawn


def _change_date(work: Work, order: ChangeDate) -> Change | Refusal:
    loan_id, number = order.loan_id, order.number
    item = work.item(loan_id, number)
    today = work.today(loan_id)
    if not today <= order.due_on <= today + timedelta(days=MOVE_DAYS_MAX):
        return Refusal("due_on.range", f"from today to {MOVE_DAYS_MAX} days ahead")
    if not work.can(loan_id, number, Event.DUE_DATE_CHANGED):
        return Refusal("lifecycle.due_date_changed", f"not in state {item.state}")
    charge_to_date(work, loan_id, number)
    work.move(loan_id, number, Event.DUE_DATE_CHANGED, f"{item.due_on} -> {order.due_on}")
    last = item.attempts[-1].number if item.attempts else 0
    moved = work.item(loan_id, number)
    moved = replace(
        moved,
        due_on=order.due_on,
        retries_reset_at=last,
        retry_ordered_at=None,
        debit_on_order=False,
        penalty_carried=moved.charged.penalty,
    )
    work.put(loan_id, moved)
    done = work.loan(loan_id).rolled_through
    if done is not None and order.due_on <= done:
        fall_due(work, loan_id, number)
        work.move(loan_id, number, Event.FELL_DUE, "the day is rolled")
    _answered(work, order)
    return work.done(loan_id, number, "due date changed")


def _waive(work: Work, order: Waive) -> Change | Refusal:
    loan_id, number = order.loan_id, order.number
    item = work.item(loan_id, number)
    if item.state not in OVERDUE:
        return Refusal("lifecycle.waive", f"not in state {item.state}")
    if not 0 < order.amount_minor <= item.owed.of(order.component):
        owed = amount_text(item.owed.of(order.component), work.loan(loan_id).currency)
        return Refusal("waive.amount", f"above zero and at most the {owed} owed")
    amounts = Amounts().plus(order.component, order.amount_minor)
    today = work.today(loan_id)
    work.post(bookings.waive(work.loan(loan_id), item, amounts, "goodwill", today))
    work.note(loan_id, number, item.state, item.state, "waived", str(order.amount_minor))
    _answered(work, order)
    return work.done(loan_id, number, "waived")


def _charge(work: Work, order: Charge) -> Change | Refusal:
    """A fee or cost besides the schedule; interest and penalty follow the rules of the product."""
    loan_id, number = order.loan_id, order.number
    item, today = work.item(loan_id, number), work.today(loan_id)
    if item.state not in OVERDUE:
        return Refusal("lifecycle.charge", f"not in state {item.state}")
    if order.component not in {Component.FEE, Component.COST}:
        return Refusal("charge.component", "a fee or a cost")
    if why := implausible_amount([work.loan(loan_id)], order.amount_minor):
        return Refusal("charge.amount", why)
    charge_to_date(work, loan_id, number)
    if passed := overcharge(work.loan(loan_id), order.amount_minor, today):
        return Refusal("charge.cap", str(passed))
    amounts = Amounts().plus(order.component, order.amount_minor)
    work.charge(loan_id, number, amounts, "charged", today)
    _answered(work, order)
    return work.done(loan_id, number, "charged")


def _cancel(work: Work, order: Cancel) -> Change | Refusal:
    loan_id, number = order.loan_id, order.number
    item = work.item(loan_id, number)
    if not work.can(loan_id, number, Event.CANCELLED):
        return Refusal("lifecycle.cancelled", f"not in state {item.state}")
    if item.allocated.total:
        return Refusal("cancel.paid", "money was applied to it; undo that first")
    if item.owed.total:
        entry = bookings.cancel(work.loan(loan_id), item, work.today(loan_id))
        work.post(entry)
        charged = item.charged - item.owed
        work.put(loan_id, replace(work.item(loan_id, number), charged=charged))
    work.move(loan_id, number, Event.CANCELLED, order.reason)
    place_waiting(work, loan_id)  # what was paid ahead may have nothing left to wait for
    _answered(work, order)
    return work.done(loan_id, number, "cancelled")


def _write_off(work: Work, order: WriteOff) -> Change | Refusal:
    loan_id, number = order.loan_id, order.number
    item = work.item(loan_id, number)
    if not work.can(loan_id, number, Event.WRITTEN_OFF):
        return Refusal("lifecycle.written_off", f"not in state {item.state}")
    work.post(bookings.write_off(work.loan(loan_id), item, work.today(loan_id)))
    work.put(
        loan_id,
        replace(
            work.item(loan_id, number), is_written_off=True, written_off_on=work.today(loan_id)
        ),
    )
    work.move(loan_id, number, Event.WRITTEN_OFF, order.reason)
    _answered(work, order)
    return work.done(loan_id, number, "written off")


def _answered(work: Work, order: Order) -> None:
    """A person has acted: the task is done."""
    item = work.item(order.loan_id, order.number)
    if item.needs_operator:
        work.put(order.loan_id, replace(item, needs_operator=""))
    work.close_case(casekeys.operator(order.loan_id, order.number))
