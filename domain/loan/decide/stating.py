"""Outcomes of debit orders that people state, where no rail will ever tell them."""

from dataclasses import replace

from domain.debit.attempt import AttemptState
from domain.debit.outcome import Outcome, OutcomeStatus, status_of
from domain.kernel.change import Refusal
from domain.kernel.order import refusal_without_approver
from domain.loan.change import Change
from domain.loan.decide.money import place_waiting
from domain.loan.decide.outcomes import apply_outcome, end_unpaid
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.loan.plausible import implausible_day
from domain.loan.stating import StateOutcome
from domain.money import amount_text

OUTCOME_STATED = "outcome_stated"
"""What the journal calls it that people stated an outcome."""
STATED = "STATED"
"""Code of an outcome that people have stated."""


def state_outcome(work: Work, order: StateOutcome) -> Change | Refusal:
    """End an order in doubt as two people say; later evidence is weighed against it as ever."""
    loan_id, number = order.loan_id, order.number
    item = work.item(loan_id, number)
    attempt = next((it for it in item.attempts if it.order_no == order.order_no), None)
    if attempt is None:
        return Refusal("outcome.order", f"no order {order.order_no} of {loan_id}/{number}")
    if not attempt.is_live or item.state is not State.IN_DOUBT:
        why = f"order {order.order_no} is {attempt.state}, the installment {item.state}"
        return Refusal("outcome.doubt", f"{why}: only an order in doubt is ended by people")
    if refusal := _implausible(work, order, attempt.amount_minor):
        return refusal
    moves = f"{order.outcome_class}: {order.proof}"
    work.note(
        loan_id, number, attempt.state, attempt.state, OUTCOME_STATED, moves, attempt.order_no
    )
    outcome = Outcome(order.outcome_class, STATED, order.amount_minor, executed_on=order.taken_on)
    if outcome.status is OutcomeStatus.NOT_FOUND:
        ended = replace(
            attempt,
            state=AttemptState.NOT_EXECUTED,
            outcome_class=outcome.outcome_class,
            code=outcome.code,
            ended_at=work.at,
        )
        end_unpaid(work, loan_id, number, ended)
        place_waiting(work, loan_id)
    else:
        apply_outcome(work, loan_id, number, attempt, outcome, "person")
    return work.done(loan_id, number, f"stated as {order.outcome_class}")


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
