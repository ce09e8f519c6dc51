"""Money taken back: a return is booked, what it had paid is owed again, and its reason is learnt.

What has gone back of an order is the larger of what the rail's reports and what booked lines say,
over all executions of it. Where reports tell of more than is known to have come, it is kept, and
taken back of what comes later.
"""

from dataclasses import dataclass, replace
from datetime import date

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import OutcomeClass
from domain.debit.retry import SOFT
from domain.loan import casekeys
from domain.loan.decide.attempts import find, judge_again, put_attempt, reopen
from domain.loan.decide.disputes import portions_of_order
from domain.loan.decide.money import place_waiting, take_back
from domain.loan.decide.work import Work
from domain.payment.payment import is_first_of_order

NO_REASON = "line"
"""Code of a return of which only a booked line without a reason is known."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What is said of a return: minor units (above zero), class and code of its reason, day.

    `reported`: the rail has reported it; otherwise a booked line is the only witness so far.
    """

    minor: int
    outcome_class: OutcomeClass
    code: str
    on: date
    reported: bool


def reverse(work: Work, loan_id: str, payment_id: str, returned: Returned) -> None:
    """Book a return and reopen what its payment had paid."""
    learn_reason(work, loan_id, payment_id, returned)
    numbers = take_back(work, loan_id, payment_id, returned.minor, returned.on)
    if not returned.reported:
        known = work.payment(payment_id)
        unreported = known.unreported_minor + returned.minor
        work.put_payment(replace(known, unreported_minor=unreported))
    reopen(work, loan_id, numbers, f"{returned.code} payment {payment_id}")
    place_waiting(work, loan_id)


def learn_reason(work: Work, loan_id: str, payment_id: str, returned: Returned) -> None:
    """The attempt of an order's first payment is returned, for the strictest reason reported.

    Report and line of one return may come in either order and name different reasons: a machine
    tries again only if no one of them forbids it.
    """
    portion = work.portion(loan_id, payment_id)
    if portion.order_no is None or not is_first_of_order(portion):
        return
    number, attempt = find(work, loan_id, portion.order_no)
    if attempt.state is AttemptState.CONFIRMED:
        state = AttemptState.RETURNED
        ended = replace(attempt, state=state, returned_at=work.at)
        ended = replace(ended, outcome_class=returned.outcome_class, code=returned.code)
        put_attempt(work, loan_id, number, ended)
    elif attempt.state is AttemptState.RETURNED and _is_stricter(returned, attempt):
        known = replace(
            attempt, outcome_class=returned.outcome_class, code=returned.code, returned_at=work.at
        )
        put_attempt(work, loan_id, number, known)
        judge_again(work, loan_id, number, f"{returned.code} payment {payment_id}")


def _is_stricter(returned: Returned, attempt: Attempt) -> bool:
    return _strictness(returned.outcome_class, returned.code) > _strictness(
        attempt.outcome_class, attempt.code
    )


def _strictness(outcome_class: OutcomeClass | None, code: str) -> tuple[int, str]:
    """No reason, a soft one, one that no table holds, a hard one; of equals by code."""
    if code == NO_REASON:
        return 0, ""
    if outcome_class in SOFT:
        return 1, code
    return (2, code) if outcome_class is OutcomeClass.UNKNOWN_CODE else (3, code)


def take_back_excess(work: Work, loan_id: str, payment_id: str) -> None:
    """More money of an order is known now: returns reported before are part of it."""
    order_no = str(work.portion(loan_id, payment_id).order_no)
    for portion in portions_of_order(work, loan_id, order_no):
        known = work.payment(portion.id)
        minor = min(known.excess_minor, work.portion(loan_id, payment_id).net_minor)
        if minor:
            work.put_payment(replace(known, excess_minor=known.excess_minor - minor))
            outcome_class, day = OutcomeClass.LATE_RETURN, work.today(loan_id)
            reverse(
                work,
                loan_id,
                payment_id,
                Returned(minor, outcome_class, NO_REASON, day, reported=True),
            )
    ids = (portion.id for portion in portions_of_order(work, loan_id, order_no))
    if not any(work.payment(name).excess_minor for name in ids):
        for key in [key for key in work.cases if key.startswith(casekeys.returned_more(order_no))]:
            work.close_case(key)
