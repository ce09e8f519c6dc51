"""Attempts of debits as they are found, replaced and judged."""

from collections.abc import Iterable
from dataclasses import replace

from domain.calendar import ONE_DAY
from domain.case.kinds import CaseKind
from domain.debit.attempt import MOVES, Attempt, AttemptState
from domain.debit.outcome import Outcome
from domain.debit.retry import NoRetry
from domain.errors import IllegalTransition
from domain.ledger import accounts
from domain.loan.decide.tasks import open_case
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.retrying import not_debitable, retry_decision
from domain.money import amount_text
from domain.payment.payment import Payment


def find(work: Work, loan_id: str, order_no: str) -> tuple[int, Attempt]:
    """The installment number and the attempt of an order of this loan."""
    return next(
        (item.number, attempt)
        for item, attempt in work.loan(loan_id).attempts()
        if attempt.order_no == order_no
    )


def put_attempt(work: Work, loan_id: str, number: int, attempt: Attempt) -> None:
    """Replace an attempt; a change of its state is a transition of its own."""
    item = work.item(loan_id, number)
    before = item.attempts[attempt.number - 1]
    attempts = tuple(attempt if a.number == attempt.number else a for a in item.attempts)
    work.put(loan_id, replace(item, attempts=attempts))
    if before.state is not attempt.state:
        if attempt.state not in MOVES[before.state]:
            raise IllegalTransition(before.state, attempt.state)
        detail = f"{attempt.outcome_class or ''} {attempt.code}".strip()
        work.note(loan_id, number, before.state, attempt.state, "attempt", detail, attempt.order_no)


def judge_again(work: Work, loan_id: str, number: int, detail: str) -> None:
    """Whether a machine may try again is decided anew, where nobody has acted since."""
    item = work.item(loan_id, number)
    if item.state not in {State.RETRYING, State.DELINQUENT} or not item.owed.total:
        return
    final = isinstance(retry_decision(work.loan(loan_id), item, work.rules, work.at), NoRetry)
    if (State.DELINQUENT if final else State.RETRYING) is not item.state:
        event = Event.PAYMENT_REVERSED_FINALLY if final else Event.PAYMENT_REVERSED_RETRYABLE
        work.move(loan_id, number, event, detail)


def reopen(work: Work, loan_id: str, numbers: Iterable[int], detail: str) -> None:
    """What was paid is owed again: by the retry plan it is tried anew, or a person decides.

    What was written off before it was paid is written off again.
    """
    for number in numbers:
        item = work.item(loan_id, number)
        decision = retry_decision(work.loan(loan_id), item, work.rules, work.at)
        event = Event.PAYMENT_REVERSED_RETRYABLE
        if item.is_written_off:
            event = Event.RECOVERY_REVERSED
        elif isinstance(decision, NoRetry):
            event = Event.PAYMENT_REVERSED_FINALLY
        if not work.can(loan_id, number, event):
            event = Event.PAYMENT_REVERSED
        work.move(loan_id, number, event, detail)
        _as_if_never_paid(work, loan_id, number)


def _as_if_never_paid(work: Work, loan_id: str, number: int) -> None:
    """Where no debit has failed, it is due, or to fall due, as if no payment had been made.

    What failed before a person began the plan anew, by another date or an order to retry, counts
    for that only where it forbids any further debit.
    """
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    since = [attempt for attempt in item.attempts if attempt.number > item.retries_reset_at]
    if item.debit_on_order or any(attempt.state is not AttemptState.RECALLED for attempt in since):
        return
    is_ahead = loan.rolled_through is None or item.due_on > loan.rolled_through
    if is_ahead and not since and work.can(loan_id, number, Event.NOT_YET_DUE):
        work.move(loan_id, number, Event.NOT_YET_DUE, f"due on {item.due_on}")
    elif item.attempts and not_debitable(loan, item, work.rules):
        return
    elif work.can(loan_id, number, Event.RETRY_ORDERED):
        work.move(loan_id, number, Event.RETRY_ORDERED, "no debit has failed")


def debit_payment(
    work: Work, loan_id: str, attempt: Attempt, outcome: Outcome, payment_id: str
) -> Payment:
    """A payment of money that a rail reports as taken for one order.

    A day before the order was made, in whatever zone, says nothing: the money is of the day that
    the order was made for, so that no return window has passed before it moved.
    """
    said = outcome.executed_on
    could_be = said is not None and said >= attempt.intended_at.date() - ONE_DAY
    loan = work.loan(loan_id)
    return Payment(
        id=payment_id,
        source="debit",
        payer=loan.borrower,
        currency=loan.currency,
        value_on=said if said is not None and could_be else attempt.value_on,
        received_at=work.at,
        clearing_account=accounts.clearing(attempt.rail),
        order_no=attempt.order_no,
        bank_ref=outcome.bank_ref,
    )


def more_than_ordered(work: Work, loan_id: str, number: int, attempt: Attempt, amount: int) -> None:
    """The rail took more than was ordered: cash is booked as it came, a person looks."""
    currency = work.loan(loan_id).currency
    ordered, taken = (amount_text(minor, currency) for minor in (attempt.amount_minor, amount))
    order = attempt.order_no
    text = f"order {order} was for {ordered} and took {taken}"
    kind = CaseKind.MORE_THAN_ORDERED
    open_case(work, loan_id, number, f"overtaken/{order}", kind, text, order=order)
