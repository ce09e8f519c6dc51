"""Brings a loan in progress over: what the former system charged, was paid, waived and ordered.

Everything is booked as the opening states it. Installments that it covers come to rest as paid and
are closed by its evidence; what it leaves owed is overdue, and is debited on an order alone unless
the loan says that it is to be debited at once.
"""

from dataclasses import replace
from datetime import date, datetime

from domain.calendar import ONE_DAY, local_instant
from domain.debit.attempt import LIVE, Attempt, AttemptState
from domain.debit.outcome import OutcomeClass, OutcomeStatus, status_of
from domain.debit.retry import NoRetry
from domain.ledger import accounts
from domain.loan import bookings
from domain.loan.aggregate import Installment
from domain.loan.boarding import BoardLoan, Past
from domain.loan.decide.attempts import find, put_attempt
from domain.loan.decide.barring import learn_cleared, learn_hard
from domain.loan.decide.charges import fall_due
from domain.loan.decide.money import raise_paid, receive_free
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.opening import (
    Opening,
    OpeningAdvance,
    OpeningAttempt,
    OpeningHold,
    OpeningItem,
    OpeningPayment,
)
from domain.loan.retrying import ON_ORDER, retry_decision
from domain.loan.sharing import share_out
from domain.loan.waterfall import Allocation
from domain.payment.payment import Payment, debit_payment_id
from domain.payment.portion import BROUGHT_OVER, BROUGHT_SUM
from domain.pricing.amounts import Amounts

FORMER = "former_system"
"""The reason code of waivers by a former system."""


def bring_over(work: Work, command: BoardLoan, opening: Opening) -> None:
    """Book the opening of a loan that was just put on the books."""
    loan_id = command.loan_id
    for bar in opening.bars:
        work.bar(command.mandate.ref, bar)
    stated = {item.number: item for item in opening.items}
    numbers = opened(command, opening)
    untouched = _only_tried(command, opening)
    for number in numbers:
        item = stated.setdefault(number, OpeningItem(number=number))
        _take_attempts(work, command, opening, number)
        if item.is_cancelled or number in untouched:
            continue
        fall_due(work, loan_id, number)
        _charge(work, loan_id, number, item.charged, opening.as_of)
        _forgive(work, loan_id, number, item.waived, opening.as_of)
    for index, payment in enumerate(opening.payments, start=1):
        _take_payment(work, command, opening, payment, f"B-{loan_id}-{index}")
    for number in numbers:
        if number in untouched:
            _begin_plan_anew(work, loan_id, number)
        else:
            _come_to_rest(work, command, opening, stated[number], number)
    if opening.advance_minor:
        _take_advance(work, command, opening)
    for hold in opening.holds:
        _take_hold(work, command, hold)


def _take_hold(work: Work, command: BoardLoan, hold: OpeningHold) -> None:
    """Put a hold on an installment, or on all of the loan: what is paid may be owed again."""
    for item in work.loan(command.loan_id).installments:
        if hold.number not in {None, item.number} or item.state is State.CANCELLED:
            continue
        held = replace(item, hold=hold.kind, hold_reason=hold.reason, hold_since=hold.since)
        work.put(command.loan_id, held)
        said = f"{hold.kind} since {hold.since}" if hold.since else hold.kind
        work.note(command.loan_id, item.number, item.state, item.state, "held", said)


def opened(command: BoardLoan, opening: Opening) -> tuple[int, ...]:
    """The installments that the former system had to do with, in order of their numbers."""
    due = {line.number for line in command.schedule if line.due_on <= opening.as_of}
    paid = {part.number for payment in opening.payments for part in payment.parts}
    tried = {attempt.number for attempt in opening.attempts}
    return tuple(sorted(due | paid | tried | {item.number for item in opening.items}))


def _only_tried(command: BoardLoan, opening: Opening) -> frozenset[int]:
    """Installments that are to come, of which debits have ended and nothing else has happened."""
    paid = {part.number for payment in opening.payments for part in payment.parts}
    named = {payment.order_no for payment in opening.payments}
    busy = (it for it in opening.attempts if it.state in LIVE or it.order_no in named or it.counts)
    known = paid | {it.number for it in busy} | {item.number for item in opening.items}
    ahead = {line.number for line in command.schedule if line.due_on > opening.as_of}
    return frozenset(ahead - known)


def _begin_plan_anew(work: Work, loan_id: str, number: int) -> None:
    """Have an installment that is to come debited on its day, whatever failed before it.

    So it is where nobody says which debits the plan counts.
    """
    item = work.item(loan_id, number)
    work.put(loan_id, replace(item, retries_reset_at=len(item.attempts)))


def _take_attempts(work: Work, command: BoardLoan, opening: Opening, number: int) -> None:
    """The debits of one installment that the former system ordered, oldest first."""
    named = {payment.order_no for payment in opening.payments}
    past = sum(it.number == number and it.counts is False for it in opening.attempts)
    work.put(command.loan_id, replace(work.item(command.loan_id, number), retries_reset_at=past))
    for ordered in (attempt for attempt in opening.attempts if attempt.number == number):
        item = work.item(command.loan_id, number)
        known = _attempt(command, ordered, len(item.attempts) + 1, work.at)
        work.put(command.loan_id, replace(item, attempts=(*item.attempts, known)))
        amount = f"{known.amount_minor} brought over"
        work.note(
            command.loan_id,
            number,
            "",
            known.state,
            "attempt",
            amount,
            known.order_no,
        )
        steps = [AttemptState.CONFIRMED] if ordered.state is AttemptState.RETURNED else []
        for state in (*steps, ordered.state):
            reason = (None, "") if known.refused_for else (ordered.outcome_class, ordered.code)
            known = replace(known, state=state, outcome_class=reason[0], code=reason[1])
            put_attempt(work, command.loan_id, number, known)
        _learn_reason(work, command.loan_id, ordered)
        if ordered.state is AttemptState.RETURNED and ordered.order_no not in named:
            _take_returned(work, command, opening, ordered)


def _learn_reason(work: Work, loan_id: str, ordered: OpeningAttempt) -> None:
    """A hard reason for which an order failed or came back bars its mandate here as well."""
    reason, of = (ordered.outcome_class, ordered.code), ""
    if ordered.state is AttemptState.RETURNED:
        of = debit_payment_id(ordered.order_no)
    if ordered.is_cleared:
        learn_cleared(work, loan_id, ordered.order_no, reason, ("", of))
    elif ordered.state not in LIVE:
        learn_hard(work, loan_id, ordered.order_no, reason, of)


def _take_returned(
    work: Work, command: BoardLoan, opening: Opening, ordered: OpeningAttempt
) -> None:
    """Money that came and went back before: nothing is booked, and no later news of it counts.

    Should the line of its return come to an account of ours, the holder owes it.
    """
    minor = ordered.amount_minor
    payment = replace(
        _payment(work, command, opening, debit_payment_id(ordered.order_no), BROUGHT_OVER),
        value_on=min(ordered.value_on, opening.as_of),
        order_no=ordered.order_no,
        returned_before_minor=minor,
        returned_for=(ordered.outcome_class, ordered.code) if ordered.outcome_class else None,
    )
    work.put_payment(payment)
    portion = replace(
        payment.portion(minor, ordered.number),
        waiting_minor=0,
        returned_minor=minor,
        returned_before_minor=minor,
    )
    work.put_portion(command.loan_id, portion)


def _payment(
    work: Work, command: BoardLoan, opening: Opening, payment_id: str, source: str
) -> Payment:
    """A payment to the former system: its money is with the holder."""
    return Payment(
        id=payment_id,
        source=source,
        payer=command.borrower,
        currency=command.currency,
        value_on=opening.as_of,
        received_at=work.at,
        clearing_account=accounts.opening(opening.holder),
    )


def _attempt(command: BoardLoan, ordered: OpeningAttempt, number: int, now: datetime) -> Attempt:
    """The attempt as it was before its outcome.

    It counts as sent on the day that it was ordered for, or now where that is to come.
    """
    product = command.product
    at = min(now, local_instant(ordered.value_on, product.present_at, product.timezone))
    is_final = ordered.state not in LIVE
    has_taken = ordered.state in {AttemptState.CONFIRMED, AttemptState.RETURNED}
    return Attempt(
        number=number,
        order_no=ordered.order_no,
        merchant_id=command.mandate.merchant_id,
        mandate_ref=ordered.mandate_ref,
        rail=product.rail,
        amount_minor=ordered.amount_minor,
        value_on=ordered.value_on,
        intended_at=at,
        send_until=at,
        confirmed_minor=ordered.amount_minor if has_taken else 0,
        acknowledged=True,
        is_brought_over=True,
        refused_for=_refused_for(ordered),
        ended_at=at if is_final else None,
        returned_at=at if ordered.state is AttemptState.RETURNED else None,
    )


def _refused_for(ordered: OpeningAttempt) -> tuple[OutcomeClass, str] | None:
    """Why an order that took money was also said to have failed, if it was."""
    reason = ordered.outcome_class
    if ordered.state is not AttemptState.CONFIRMED or reason is None:
        return None
    return (reason, ordered.code) if status_of(reason) is OutcomeStatus.DECLINED else None


def _charge(work: Work, loan_id: str, number: int, charged: Amounts, as_of: date) -> None:
    """What was charged besides the schedule; the penalty up to a day is the one that is stated.

    Ours begins on the day after it.
    """
    on = max(work.item(loan_id, number).due_on, as_of)
    penalty = Amounts(penalty=charged.penalty)
    work.charge(loan_id, number, penalty, "penalty_accrued", on)
    work.charge(loan_id, number, charged - penalty, "charged", on)
    item = replace(
        work.item(loan_id, number),
        penalty_carried=charged.penalty,
        penalty_since=as_of + ONE_DAY,
        penalty_through=as_of,
    )
    work.put(loan_id, item)


def _forgive(work: Work, loan_id: str, number: int, waived: Amounts, on: date) -> None:
    if waived.total:
        entry = bookings.waive(work.loan(loan_id), work.item(loan_id, number), waived, FORMER, on)
        work.post(entry)
        state = State.SCHEDULED
        work.note(loan_id, number, state, state, "waived", "brought over")


def _take_payment(
    work: Work, command: BoardLoan, opening: Opening, paid: OpeningPayment, payment_id: str
) -> None:
    """Book a payment as the former system allocated it; each party holds its share."""
    loan = work.loan(command.loan_id)
    number, reason = paid.parts[0].number if paid.parts else 0, None
    if paid.order_no:
        number, attempt = find(work, command.loan_id, paid.order_no)
        if attempt.state is AttemptState.RETURNED and attempt.outcome_class is not None:
            reason = attempt.outcome_class, attempt.code
    name = debit_payment_id(paid.order_no) if paid.order_no else payment_id
    source = BROUGHT_SUM if paid.on is None else BROUGHT_OVER
    payment = replace(
        _payment(work, command, opening, name, source),
        value_on=paid.on or opening.as_of,
        order_no=paid.order_no or None,
        reference=paid.reference,
        bank_ref=paid.bank_refs[0] if paid.bank_refs else None,
        booked_as=paid.bank_refs,
        returned_before_minor=paid.returned_minor,
        returned_for=reason,
    )
    work.put_payment(payment)
    ranks = {component: rank for rank, component in enumerate(loan.product.waterfall.order)}
    last = len(ranks)
    parts = [
        Allocation(part.number, component, size)
        for part in paid.parts
        for component, size in sorted(part.amounts.items(), key=lambda it: ranks.get(it[0], last))
    ]
    shared = share_out(loan, parts)
    portion = replace(
        payment.portion(paid.taken_minor, number),
        allocations=shared,
        waiting_minor=paid.unplaced_minor,
        returned_minor=paid.returned_minor,
        returned_before_minor=paid.returned_minor,
    )
    work.post(bookings.receive(loan, None, portion, shared, "brought_over", payment.value_on))
    work.put_portion(loan.id, portion)


def _take_advance(work: Work, command: BoardLoan, opening: Opening) -> None:
    """What was paid ahead waits for its lines from the holder, and pays whatever falls due."""
    number = next(
        (line.number for line in command.schedule if line.due_on > opening.as_of),
        len(command.schedule),
    )
    rest = opening.advance_minor - sum(part.minor for part in opening.advances)
    first = OpeningAdvance(number=number, minor=rest, reference=opening.advance_ref)
    for index, part in enumerate((first, *opening.advances), start=1):
        name = f"B-{command.loan_id}-advance" + (f"-{index}" if index > 1 else "")
        payment = _payment(work, command, opening, name, "transfer")
        payment = replace(payment, reference=part.reference)
        receive_free(work, command.loan_id, payment, part.minor, part.number, "brought_over")


def _come_to_rest(
    work: Work, command: BoardLoan, opening: Opening, stated: OpeningItem, number: int
) -> None:
    """Move an installment to the state that its amounts and attempts give."""
    loan_id = command.loan_id
    item, proof = work.item(loan_id, number), f"brought over, {opening.evidence}"
    if stated.is_cancelled:
        work.move(loan_id, number, Event.CANCELLED, proof)
        return
    orders = {part.number for it in opening.payments if it.order_no for part in it.parts}
    if stated.written_off_on is not None:
        marked = replace(item, is_written_off=True, written_off_on=stated.written_off_on)
        work.put(loan_id, item := marked)
    if not item.owed.total and number not in orders and item.live_attempt is None:
        work.move(loan_id, number, Event.CLOSED_ELSEWHERE, proof)
        return
    is_past = item.due_on <= opening.as_of and item.owed.total > 0
    item = replace(item, debit_on_order=is_past and command.past is not Past.OWED)
    work.put(loan_id, item)
    work.move(loan_id, number, Event.FELL_DUE)
    if not item.owed.total and item.live_attempt is None:
        raise_paid(work, loan_id, number, proof)
    elif stated.written_off_on is not None:
        work.move(loan_id, number, Event.ATTEMPTS_EXHAUSTED, "written off before it came here")
        work.post(bookings.write_off(work.loan(loan_id), item, stated.written_off_on))
        work.move(loan_id, number, Event.WRITTEN_OFF, proof)
    elif item.attempts and (item.due_on <= opening.as_of or _goes_on(opening, item)):
        _follow_attempts(work, loan_id, item)
    elif item.attempts:
        _begin_plan_anew(work, loan_id, number)
    elif item.debit_on_order:
        work.move(loan_id, number, Event.ATTEMPTS_EXHAUSTED, ON_ORDER)


def _goes_on(opening: Opening, item: Installment) -> bool:
    """Whether debits of an installment that is to come go on where they stood."""
    counted = any(it.counts for it in opening.attempts if it.number == item.number)
    return counted or item.live_attempt is not None


def _follow_attempts(work: Work, loan_id: str, item: Installment) -> None:
    """An order without a final outcome is inquired about; after one, the retry plan decides."""
    number, last = item.number, item.attempts[-1]
    work.move(loan_id, number, Event.ORDER_FOUND, f"brought over, order {last.order_no}")
    if last.is_live:
        return
    decision = retry_decision(work.loan(loan_id), item, work.rules, work.at)
    if isinstance(decision, NoRetry):
        why = f"{decision.rule}: {decision.reason}"
        work.move(loan_id, number, Event.ATTEMPT_ENDED_FINALLY, why)
    else:
        work.move(loan_id, number, Event.ATTEMPT_ENDED_RETRYABLE, decision.reason)
