"""What the news of a debit means: outcomes weighed, and orders that never left. Never refused."""

from dataclasses import replace
from typing import assert_never

from domain.case.kinds import CaseKind
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus, checked
from domain.debit.retry import NoRetry
from domain.loan import casekeys
from domain.loan.change import Change
from domain.loan.commands import RecordUnsent
from domain.loan.decide.attempts import (
    debit_payment,
    find,
    more_than_ordered,
    put_attempt,
)
from domain.loan.decide.barring import learn_hard
from domain.loan.decide.charges import charge_to_date
from domain.loan.decide.disputes import is_booked
from domain.loan.decide.late import acknowledges, apply_to_ended
from domain.loan.decide.money import place_waiting, raise_paid, receive_debit
from domain.loan.decide.tasks import end_of_doubt, need_operator, open_case, unknown_order
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event
from domain.loan.retrying import retry_decision
from domain.payment.payment import debit_payment_id

INQUIRY = "inquiry"


def record_unsent(work: Work, command: RecordUnsent) -> Change:
    """The order provably never left: the same number is sent again later."""
    loan_id = work.aggregates.orders.get(command.order_no)
    if loan_id is None:
        return unknown_order(work, "-", command.order_no)
    number, attempt = find(work, loan_id, command.order_no)
    if attempt.state is AttemptState.INTENDED and attempt.sends == command.sends > 0:
        calls = attempt.inquiries + 1
        rail = work.rules.rail(attempt.rail)
        unsent = replace(attempt, sends=-attempt.sends, inquiries=calls, asked_at=work.at)
        put_attempt(work, loan_id, number, unsent)
        if calls >= rail.inquiries_before_operator:
            need_operator(work, loan_id, number, f"order {attempt.order_no} cannot be sent")
    return work.done(loan_id, number)


def apply_outcome(
    work: Work,
    loan_id: str,
    number: int,
    attempt: Attempt,
    outcome: Outcome,
    source: str,
    *,
    conclusive: bool = False,
) -> None:
    """Weigh one outcome against what is known: same or weaker news has no effect."""
    outcome = checked(outcome, work.loan(loan_id).currency)
    if outcome.flaw:
        _doubt(work, loan_id, number, attempt, outcome)
    if attempt.is_live:
        _apply_live(work, loan_id, number, attempt, outcome, source, conclusive=conclusive)
    else:
        if outcome.batch_ref and not (attempt.batch_ref or outcome.flaw):
            attempt = replace(attempt, batch_ref=outcome.batch_ref)
            put_attempt(work, loan_id, number, attempt)
        apply_to_ended(work, loan_id, number, attempt, outcome)
    place_waiting(work, loan_id)


def _doubt(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """An answer that cannot be true is kept as a case: about a live order, or about its money."""
    unbooked = not is_booked(work, loan_id, attempt.order_no)
    if attempt.is_live or (outcome.claims_money and unbooked):
        why = f"order {attempt.order_no}: answer {outcome.code!r} is not believed: {outcome.flaw}"
        key = casekeys.unbelieved(attempt.order_no)
        kind = CaseKind.CONTRADICTION if outcome.claims_money else CaseKind.UNKNOWN_CODE
        order = attempt.order_no
        open_case(work, loan_id, number, key, kind, why, order=order)


def _apply_live(
    work: Work,
    loan_id: str,
    number: int,
    attempt: Attempt,
    outcome: Outcome,
    source: str,
    *,
    conclusive: bool,
) -> None:
    attempt = replace(
        attempt,
        batch_ref=attempt.batch_ref if outcome.flaw else outcome.batch_ref or attempt.batch_ref,
        acknowledged=attempt.acknowledged or acknowledges(outcome),
        inquiries=attempt.inquiries + (1 if source == INQUIRY else 0),
        asked_at=work.at if source in {INQUIRY, "answer"} else attempt.asked_at,
    )
    match outcome.status:
        case OutcomeStatus.CONFIRMED:
            confirm(work, loan_id, number, attempt, outcome)
        case OutcomeStatus.DECLINED:
            ended = _ended(work, attempt, AttemptState.DECLINED, outcome)
            end_unpaid(work, loan_id, number, ended)
        case OutcomeStatus.NOT_FOUND if conclusive and not attempt.acknowledged:
            ended = _ended(work, attempt, AttemptState.NOT_EXECUTED, outcome)
            end_unpaid(work, loan_id, number, ended)
        case OutcomeStatus.PENDING:
            _wait(work, loan_id, number, attempt, AttemptState.ACCEPTED, outcome)
        case OutcomeStatus.NOT_FOUND if conclusive:
            why = f"order {attempt.order_no} was acknowledged and is now said to be unknown"
            key = casekeys.contradiction(attempt.order_no)
            order = attempt.order_no
            open_case(work, loan_id, number, key, CaseKind.CONTRADICTION, why, order=order)
            _wait(work, loan_id, number, attempt, AttemptState.UNKNOWN, outcome)
        case OutcomeStatus.UNKNOWN | OutcomeStatus.NOT_FOUND:
            keeps = attempt.state is AttemptState.ACCEPTED and not _is_overdue(work, attempt)
            state = AttemptState.ACCEPTED if keeps else AttemptState.UNKNOWN
            _wait(work, loan_id, number, attempt, state, outcome)
        case _:
            assert_never(outcome.status)


def confirm(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """The rail took money for a live attempt: payment, allocation, and the attempt ends."""
    amount = outcome.executed_minor
    ended = replace(_ended(work, attempt, AttemptState.CONFIRMED, outcome), confirmed_minor=amount)
    put_attempt(work, loan_id, number, ended)
    payment = debit_payment(work, loan_id, ended, outcome, debit_payment_id(attempt.order_no))
    receive_debit(work, loan_id, payment, amount, number)
    if work.item(loan_id, number).owed.total == 0:
        raise_paid(work, loan_id, number, f"order {attempt.order_no}")
    else:
        _end_retryable_or_finally(work, loan_id, number, "paid in part")
    if outcome.outcome_class is OutcomeClass.SUCCESS_DEFECTIVE:
        open_case(
            work,
            loan_id,
            number,
            f"defective/{attempt.order_no}",
            CaseKind.DEFECTIVE_SUCCESS,
            f"order {attempt.order_no} was taken with code {outcome.code}",
            order=attempt.order_no,
            code=outcome.code,
        )
    if amount > attempt.amount_minor:
        more_than_ordered(work, loan_id, number, attempt, amount)
    work.close_case(casekeys.unbelieved(attempt.order_no))
    end_of_doubt(work, loan_id, number, attempt.order_no)


def end_unpaid(work: Work, loan_id: str, number: int, ended: Attempt) -> None:
    """An attempt ended without money: retry by plan, or delinquent."""
    put_attempt(work, loan_id, number, ended)
    learn_hard(work, loan_id, ended.order_no, (ended.outcome_class, ended.code))
    end_of_doubt(work, loan_id, number, ended.order_no)
    work.close_case(casekeys.contradiction(ended.order_no))
    # Penalty waited for the outcome, and may have been charged ahead for the day of the debit.
    charge_to_date(work, loan_id, number)
    if ended.state is AttemptState.RECALLED:
        event = Event.RETRY_WITHDRAWN if ended.was_retrying else Event.ATTEMPT_WITHDRAWN
        work.move(loan_id, number, event, f"order {ended.order_no}")
        return
    _end_retryable_or_finally(work, loan_id, number, f"{ended.outcome_class} {ended.code}")


def _is_overdue(work: Work, attempt: Attempt) -> bool:
    return work.at >= attempt.leaves_at + work.rules.rail(attempt.rail).expected_by


def _ended(work: Work, attempt: Attempt, state: AttemptState, outcome: Outcome) -> Attempt:
    return replace(
        attempt,
        state=state,
        outcome_class=outcome.outcome_class,
        code=outcome.code,
        bank_ref=outcome.bank_ref or attempt.bank_ref,
        ended_at=work.at,
    )


def _wait(
    work: Work,
    loan_id: str,
    number: int,
    attempt: Attempt,
    state: AttemptState,
    outcome: Outcome,
) -> None:
    """The attempt stays open; in doubt once its final outcome is overdue, later a person's task."""
    # What a flawed answer says of the order is not believed, its class included.
    outcome_class = OutcomeClass.UNKNOWN_CODE if outcome.flaw else outcome.outcome_class
    put_attempt(
        work,
        loan_id,
        number,
        replace(attempt, state=state, outcome_class=outcome_class, code=outcome.code),
    )
    doubtful = state is AttemptState.UNKNOWN or _is_overdue(work, attempt)
    if doubtful and work.can(loan_id, number, Event.OUTCOME_OVERDUE):
        work.move(loan_id, number, Event.OUTCOME_OVERDUE, f"{outcome.outcome_class} {outcome.code}")
    if outcome.outcome_class is OutcomeClass.UNKNOWN_CODE and not outcome.flaw:
        open_case(
            work,
            loan_id,
            number,
            casekeys.unknown_code(attempt.order_no),
            CaseKind.UNKNOWN_CODE,
            f"order {attempt.order_no}: code {outcome.code!r} stands in no table",
            order=attempt.order_no,
            code=outcome.code,
        )
    if attempt.inquiries >= work.rules.rail(attempt.rail).inquiries_before_operator:
        need_operator(work, loan_id, number, f"order {attempt.order_no} is in doubt")


def _end_retryable_or_finally(work: Work, loan_id: str, number: int, detail: str) -> None:
    item = work.item(loan_id, number)
    decision = retry_decision(work.loan(loan_id), item, work.rules, work.at)
    if isinstance(decision, NoRetry):
        event, detail = Event.ATTEMPT_ENDED_FINALLY, f"{detail}; {decision.rule}: {decision.reason}"
    else:
        event = Event.ATTEMPT_ENDED_RETRYABLE
    work.move(loan_id, number, event, detail)
