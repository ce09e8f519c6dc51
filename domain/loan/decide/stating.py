"""Outcomes of debit orders that people state, where no rail will ever tell them.

People can be wrong. As long as they alone say that an order took money, two of them may state
another outcome: what was booked is reversed, and both statements stay in the journal.
"""

from dataclasses import replace

from domain.debit.attempt import STATED, Attempt, AttemptState
from domain.debit.outcome import Outcome, OutcomeStatus, status_of
from domain.kernel.change import Refusal
from domain.kernel.order import refusal_without_approver
from domain.loan import casekeys
from domain.loan.change import Change
from domain.loan.decide.attempts import put_attempt, reopen
from domain.loan.decide.barring import learn_hard
from domain.loan.decide.disputes import portions_of_order
from domain.loan.decide.money import place_waiting, take_back
from domain.loan.decide.outcomes import apply_outcome, end_unpaid
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.plausible import implausible_day
from domain.loan.stating import StateOutcome
from domain.money import amount_text
from domain.payment.portion import Portion

OUTCOME_STATED = "outcome_stated"
"""What the journal calls it that people stated an outcome."""


def state_outcome(work: Work, order: StateOutcome) -> Change | Refusal:
    """End an order as two people say; later evidence is weighed against it as ever.

    The order is in doubt, or its outcome is one that people alone have stated.
    """
    loan_id, number = order.loan_id, order.number
    item = work.item(loan_id, number)
    attempt = next((it for it in item.attempts if it.order_no == order.order_no), None)
    if attempt is None:
        return Refusal("outcome.order", f"no order {order.order_no} of {loan_id}/{number}")
    in_doubt = attempt.is_live and item.state is State.IN_DOUBT
    if not in_doubt and (refusal := _incorrigible(work, order, attempt)):
        return refusal
    if refusal := _implausible(work, order, attempt.amount_minor):
        return refusal
    if not in_doubt:
        attempt = _take_away(work, loan_id, number, attempt)
    moves = f"{order.outcome_class}: {order.proof}"
    work.note(
        loan_id, number, attempt.state, attempt.state, OUTCOME_STATED, moves, attempt.order_no
    )
    outcome = Outcome(order.outcome_class, STATED, order.amount_minor, executed_on=order.taken_on)
    if work.item(loan_id, number).state is not State.IN_DOUBT:
        _end_beside(work, loan_id, number, attempt, outcome)
    elif outcome.status is OutcomeStatus.NOT_FOUND:
        end_unpaid(work, loan_id, number, _ended(work, attempt, outcome))
        place_waiting(work, loan_id)
    else:
        apply_outcome(work, loan_id, number, attempt, outcome, "person")
    return work.done(loan_id, number, f"stated as {order.outcome_class}")


def _ended(work: Work, attempt: Attempt, outcome: Outcome) -> Attempt:
    """The attempt that took no money, as people say."""
    is_absent = outcome.status is OutcomeStatus.NOT_FOUND
    return replace(
        attempt,
        state=AttemptState.NOT_EXECUTED if is_absent else AttemptState.DECLINED,
        outcome_class=outcome.outcome_class,
        code=outcome.code,
        ended_at=work.at,
    )


def _incorrigible(work: Work, order: StateOutcome, attempt: Attempt) -> Refusal | None:
    """Why the outcome of an order that is not in doubt stays; None: people alone have stated it."""
    number, state = order.number, work.item(order.loan_id, order.number).state
    if attempt.code != STATED or attempt.state is not AttemptState.CONFIRMED:
        why = f"order {order.order_no} is {attempt.state}, the installment {state}"
        rule = "only an order in doubt, or one that people alone say took money, is ended by them"
        return Refusal("outcome.doubt", f"{why}: {rule}")
    (portion, *others) = portions_of_order(work, order.loan_id, order.order_no)
    if portion.settled_minor:
        lines = ", ".join(work.payment(portion.id).lines)
        return Refusal("outcome.proven", f"undo its match first: {lines} prove {portion.id}")
    if others or portion.returned_minor or portion.is_brought_over:
        return Refusal("outcome.doubt", f"more than people say is known of order {order.order_no}")
    is_last = work.item(order.loan_id, number).attempts[-1].number == attempt.number
    if status_of(order.outcome_class) is OutcomeStatus.CONFIRMED and not is_last:
        return Refusal("outcome.later", "an order that went out after it stands: state that none")
    return None


def _take_away(work: Work, loan_id: str, number: int, attempt: Attempt) -> Attempt:
    """Reverse what was booked by a statement, and have the order in doubt again where it can be.

    Its payment stays, of nothing: should money come after all, it is of this payment.
    """
    attempt = replace(attempt, state=AttemptState.UNKNOWN, confirmed_minor=0, ended_at=None)
    put_attempt(work, loan_id, number, attempt)
    (portion,) = portions_of_order(work, loan_id, attempt.order_no)
    _unbook(work, loan_id, portion, attempt.order_no)
    is_last = work.item(loan_id, number).attempts[-1].number == attempt.number
    if is_last and work.can(loan_id, number, Event.ORDER_FOUND):
        work.move(loan_id, number, Event.ORDER_FOUND, f"order {attempt.order_no}")
    return attempt


def _unbook(work: Work, loan_id: str, portion: Portion, order_no: str) -> None:
    whole, today = portion.amount_minor, work.today(loan_id)
    numbers = take_back(work, loan_id, portion.id, whole, today, "outcome_corrected")
    gone = replace(work.portion(loan_id, portion.id), amount_minor=0, returned_minor=0)
    work.put_portion(loan_id, gone)
    reopen(work, loan_id, numbers, f"order {order_no}, as people say now")
    for name in numbers:
        work.close_case(casekeys.unsettled(loan_id, name))


def _end_beside(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """End an order whose installment has gone on without it: nothing but the order is decided."""
    put_attempt(work, loan_id, number, _ended(work, attempt, outcome))
    learn_hard(work, loan_id, attempt.order_no, (outcome.outcome_class, outcome.code))
    work.close_case(casekeys.contradiction(attempt.order_no))
    place_waiting(work, loan_id)


def _implausible(work: Work, order: StateOutcome, ordered: int) -> Refusal | None:
    """Why an outcome is not taken: nobody else agreed, it is none, or its money cannot be."""
    loan = work.loan(order.loan_id)
    if refusal := refusal_without_approver(order, "an outcome is stated by two"):
        return refusal
    status = status_of(order.outcome_class)
    if status in {OutcomeStatus.PENDING, OutcomeStatus.UNKNOWN}:
        return Refusal("outcome.class", f"{order.outcome_class} is no final outcome")
    is_taken = status is OutcomeStatus.CONFIRMED
    if not (0 < order.amount_minor <= ordered if is_taken else order.amount_minor == 0):
        most = amount_text(ordered, loan.currency)
        rule = f"above zero and at most the {most} ordered" if is_taken else "nothing was taken"
        return Refusal("outcome.amount", f"amount_minor {order.amount_minor}: {rule}")
    if order.taken_on is not None:
        if not is_taken:
            return Refusal("outcome.taken_on", "given with what was taken, and only then")
        if why := implausible_day(loan, order.taken_on, work.today(loan.id)):
            return Refusal("outcome.taken_on", why)
    return None
