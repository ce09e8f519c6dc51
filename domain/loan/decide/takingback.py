"""Money taken back: a return is booked, what it had paid is owed again, and its reason is learnt.

What has gone back of an order is the larger of what the rail's reports and what booked lines say,
over all executions of it. Where reports tell of more than is known to have come, it is kept, and
taken back of what comes later.
"""

from dataclasses import dataclass, replace
from datetime import date

from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan import casekeys
from domain.loan.decide.attempts import find, judge_again, put_attempt, reopen
from domain.loan.decide.barring import learn_hard
from domain.loan.decide.disputes import portions_of_order
from domain.loan.decide.money import place_waiting, take_back
from domain.loan.decide.refunding import cancel_reserved, follow_owed_back
from domain.loan.decide.work import Work
from domain.loan.retrying import NO_REASON, severity
from domain.payment.payment import is_first_of_order

Reason = tuple[OutcomeClass, str]
"""Why money went back: class and code."""


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
    learn_reason(work, loan_id, payment_id, returned, more=True)
    cancel_reserved(work, loan_id, f"{returned.code} payment {payment_id} came back first")
    numbers = take_back(work, loan_id, payment_id, returned.minor, returned.on)
    if not returned.reported:
        known = work.payment(payment_id)
        unreported = known.unreported_minor + returned.minor
        work.put_payment(replace(known, unreported_minor=unreported))
    follow_owed_back(work, loan_id, payment_id)
    reopen(work, loan_id, numbers, f"{returned.code} payment {payment_id}")
    place_waiting(work, loan_id)


def learn_reason(
    work: Work, loan_id: str, payment_id: str, returned: Returned, *, more: bool = False
) -> None:
    """The attempt of an order's first payment is returned, for the strictest reason reported.

    Report and line of one return may come in either order and name different reasons, and so may
    the returns of several executions of an order, of which nobody can always say which one went
    back: a machine tries again only if no one of them forbids it. The same holds where the rail had
    said before that the order failed.
    """
    portion = work.portion(loan_id, payment_id)
    if portion.order_no is None:
        return
    said = returned.outcome_class, returned.code
    _keep_reason(work, payment_id, said)
    learn_hard(work, loan_id, portion.order_no, said, payment_id, more=more)
    number, attempt = find(work, loan_id, portion.order_no)
    outcome_class, code = reason = strictest(work, loan_id, portion.order_no) or said
    ended = replace(attempt, outcome_class=outcome_class, code=code, returned_at=work.at)
    if attempt.state is AttemptState.CONFIRMED and is_first_of_order(portion):
        put_attempt(work, loan_id, number, replace(ended, state=AttemptState.RETURNED))
    elif attempt.state is not AttemptState.RETURNED:
        put_attempt(work, loan_id, number, replace(attempt, other_returned_for=reason))
        judge_again(work, loan_id, number, f"{code} payment {payment_id}")
    elif _is_stricter(ended, attempt):
        put_attempt(work, loan_id, number, ended)
        judge_again(work, loan_id, number, f"{code} payment {payment_id}")


def _keep_reason(work: Work, payment_id: str, reason: Reason) -> None:
    """Keep the reason of a return with its payment, where it is stricter than what is known."""
    payment = work.payment(payment_id)
    strictest = max(reason, payment.returned_for or reason, key=_strictness)
    work.put_payment(replace(payment, returned_for=strictest))


def strictest(work: Work, loan_id: str, order_no: str) -> Reason | None:
    """The strictest reason for which money of an order went back; None where none did."""
    of_order = (work.payment(portion.id) for portion in portions_of_order(work, loan_id, order_no))
    reasons = (payment.returned_for for payment in of_order)
    known = (reason for reason in reasons if reason is not None)
    return max(known, key=_strictness, default=None)


def _is_stricter(ended: Attempt, known: Attempt) -> bool:
    """Whether an attempt ended for a stricter reason than the one that is known of it."""
    now, before = ((it.outcome_class, it.code) for it in (ended, known))
    return _strictness(now) > _strictness(before)


def _strictness(reason: tuple[OutcomeClass | None, str]) -> tuple[int, str]:
    """How much a reason of a return forbids: one that nobody has told yet, the least."""
    return (-1, "") if reason[1] == NO_REASON else severity(reason)


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
