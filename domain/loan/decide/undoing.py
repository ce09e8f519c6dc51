"""A return that only a line reported, and the line was about something else: it never happened."""

from dataclasses import replace

from domain.case.kinds import CaseKind
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan import bookings, casekeys
from domain.loan.decide.attempts import find, judge_again, put_attempt
from domain.loan.decide.barring import forget_return
from domain.loan.decide.charges import newest
from domain.loan.decide.money import look_at_gates
from domain.loan.decide.refunding import follow_owed_back
from domain.loan.decide.takingback import strictest
from domain.loan.decide.tasks import open_case
from domain.loan.decide.work import Work
from domain.payment.payment import is_first_of_order


def undo_return(work: Work, loan_id: str, payment_id: str, line_id: str) -> None:
    """Have again what was taken back of a payment by no other news than a line that is undone.

    What the rail reported, or other lines prove, stays returned. The money waits until it is
    placed; the order stands confirmed again once nothing of it is returned.
    """
    portion, payment = work.portion(loan_id, payment_id), work.payment(payment_id)
    minor = min(payment.unreported_minor, portion.returned_minor - portion.return_settled_minor)
    if not minor:
        return
    if payment.inferred:
        _doubt(work, loan_id, payment_id, line_id)
        return
    again = replace(
        portion,
        returned_minor=portion.returned_minor - minor,
        waiting_minor=portion.waiting_minor + portion.freed(minor),
        taken_back=newest(portion.taken_back, minor)[1],
    )
    loan, today = work.loan(loan_id), work.today(loan_id)
    work.post(bookings.receive(loan, portion, again, (), "return_undone", today))
    work.put_portion(loan_id, again)
    follow_owed_back(work, loan_id, payment_id)
    look_at_gates(work, loan_id, portion)
    known = work.payment(payment_id)
    work.put_payment(replace(known, unreported_minor=known.unreported_minor - minor))
    if portion.returned_minor == minor:
        work.put_payment(replace(work.payment(payment_id), returned_for=None))
        _confirm_again(work, loan_id, payment_id)


def _confirm_again(work: Work, loan_id: str, payment_id: str) -> None:
    portion = work.portion(loan_id, payment_id)
    if portion.order_no is None:
        return
    forget_return(work, loan_id, portion.order_no, payment_id)
    number, attempt = find(work, loan_id, portion.order_no)
    rest = strictest(work, loan_id, portion.order_no)
    if attempt.state is not AttemptState.RETURNED:
        attempt = replace(attempt, other_returned_for=rest)
    elif is_first_of_order(portion):
        state = AttemptState.CONFIRMED
        stands = replace(attempt, state=state, outcome_class=OutcomeClass.SUCCESS, code="")
        attempt = replace(stands, returned_at=None, other_returned_for=rest)
    else:
        outcome_class, code = rest or (attempt.outcome_class, attempt.code)
        attempt = replace(attempt, outcome_class=outcome_class, code=code)
    put_attempt(work, loan_id, number, attempt)
    judge_again(work, loan_id, number, f"return of {payment_id} undone")


def _doubt(work: Work, loan_id: str, payment_id: str, line_id: str) -> None:
    """Only its return said that the order was executed: now nobody knows what became of it."""
    portion = work.portion(loan_id, payment_id)
    number, order_no = portion.number or 1, portion.order_no or ""
    why = f"order {order_no}: only line {line_id}, which is undone, said that it was executed"
    key = casekeys.contradiction(order_no)
    code = "proof_undone"
    open_case(work, loan_id, number, key, CaseKind.CONTRADICTION, why, order=order_no, code=code)
