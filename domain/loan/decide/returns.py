"""Debits that were taken back: reported by the rail, by a booked line, or by both in any order."""

from dataclasses import replace

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.debit.outcome import Outcome, OutcomeClass
from domain.loan import casekeys
from domain.loan.commands import RecordReturn
from domain.loan.decide.attempts import find
from domain.loan.decide.disputes import (
    TWICE,
    compare_bookings,
    dispute_amount,
    is_booked,
    portions_of_order,
    question_amount,
    raise_inferred,
)
from domain.loan.decide.outcomes import apply_outcome
from domain.loan.decide.takingback import Returned, learn_reason, reverse
from domain.loan.decide.tasks import open_case
from domain.loan.decide.work import Work
from domain.money import MINOR_MAX, amount_text
from domain.payment.portion import Portion


def apply_return(work: Work, loan_id: str, command: RecordReturn) -> str:
    """A rail reports that a confirmed debit was taken back: what it paid is owed again; the note.

    `loan_id`: the loan of its order.
    """
    number, attempt = find(work, loan_id, command.order_no)
    if flaw := _flaw(work, loan_id, command):
        key = f"unbelieved_return/{command.order_no}"
        text = f"a return of order {command.order_no} is not believed: {flaw}"
        kind, code = CaseKind.CONTRADICTION, "not_believed"
        open_case(work, loan_id, number, key, kind, text, code=code)
        return "not believed"
    infer_execution(work, loan_id, command.order_no, command.amount_minor)
    ids = _ranked(work, loan_id, command)
    first = work.portion(loan_id, ids[0])
    if first.amount_minor < min(command.amount_minor, attempt.amount_minor):
        question_amount(work, loan_id, number, first, command.amount_minor)
    left = command.amount_minor - _reported_by_line(work, ids, command.amount_minor)
    left -= _stated_before(work, loan_id, number, ids, left)
    back = first.returned_minor + left
    first = raise_inferred(work, loan_id, first.id, back, attempt.amount_minor)
    if (named := command.bank_ref) is not None:
        payment = work.payment(first.id)
        refs = tuple(dict.fromkeys((*payment.return_refs, named)))
        work.put_payment(replace(payment, return_refs=refs))
    outcome_class = work.rules.return_class(attempt.rail, command.code, command.outcome_class)
    reported = Returned(0, outcome_class, command.code, command.returned_on, reported=True)
    learn_reason(work, loan_id, first.id, reported)
    excess = left
    for payment_id in ids:
        if minor := min(excess, work.portion(loan_id, payment_id).net_minor):
            reverse(work, loan_id, payment_id, replace(reported, minor=minor))
            excess -= minor
    compare_bookings(work, loan_id, number, command.order_no)
    if excess:
        _keep_excess(work, number, command, (loan_id, first), excess)
    return "returned" if excess < left else "known"


def infer_execution(work: Work, loan_id: str, order_no: str, minor: int) -> None:
    """A return says that its debit had been executed: book that first, then it is taken back.

    No more was taken than was ordered; what comes back on top of it has another cause.
    """
    if is_booked(work, loan_id, order_no):
        return
    number, attempt = find(work, loan_id, order_no)
    taken, day = min(minor, attempt.amount_minor), attempt.value_on
    executed = Outcome(OutcomeClass.SUCCESS, "return", taken, executed_on=day)
    apply_outcome(work, loan_id, number, attempt, executed, "return")
    payment = work.payment(portions_of_order(work, loan_id, order_no)[0].id)
    work.put_payment(replace(payment, inferred=True))


def _flaw(work: Work, loan_id: str, command: RecordReturn) -> str:
    currency = work.loan(loan_id).currency
    if command.currency not in {None, currency}:
        return f"it is in {command.currency}, the order is in {currency}"
    if not 0 < command.amount_minor <= MINOR_MAX:
        return f"its amount is {command.amount_minor} minor units"
    return ""


def _ranked(work: Work, loan_id: str, command: RecordReturn) -> list[str]:
    """The payments of the order, by how well a reported return can be about them.

    First one whose return a line has reported, then the booking that the rail names, then one whose
    money waits in suspense: of an order that was executed twice the surplus goes back. A line may
    have taken back another execution of the order than the rail names: it is one return all the
    same.
    """
    minor, ref = command.amount_minor, command.bank_ref

    def fit(portion: Portion) -> tuple[bool, ...]:
        payment = work.payment(portion.id)
        return (
            payment.unreported_minor < minor,
            ref is not None and payment.bank_ref != ref,
            not payment.unreported_minor and not portion.net_minor,
            portion.waiting_minor < minor,
            portion.net_minor != minor,
        )

    known = portions_of_order(work, loan_id, command.order_no)
    return [portion.id for portion in sorted(known, key=fit)]


def _reported_by_line(work: Work, ids: list[str], minor: int) -> int:
    """How much of a reported return bank lines have shown before: that part is no news any more."""
    left = minor
    for payment_id in ids:
        payment = work.payment(payment_id)
        reported = min(left, payment.unreported_minor)
        work.put_payment(replace(payment, unreported_minor=payment.unreported_minor - reported))
        left -= reported
    return minor - left


def _stated_before(work: Work, loan_id: str, number: int, ids: list[str], minor: int) -> int:
    """How much of a reported return the opening of the loan has stated as gone back already.

    Nothing says whether the rail repeats it or as much went back once more: a case waits for its
    line, unless a line has shown the return that was stated or nothing more can have come back.
    """
    for payment_id in ids:
        payment, portion = work.payment(payment_id), work.portion(loan_id, payment_id)
        if not 0 < minor <= payment.returned_before_minor - payment.retold_minor:
            continue
        work.put_payment(replace(payment, retold_minor=payment.retold_minor + minor))
        if portion.net_minor >= minor > portion.return_settled_minor:
            amount = amount_text(minor, payment.currency)
            said = f"a return of {amount} was stated when the loan came here, and is reported now"
            dispute_amount(work, loan_id, number, str(portion.order_no), said, TWICE)
        return minor
    return 0


def _keep_excess(
    work: Work, number: int, command: RecordReturn, of: tuple[str, Portion], excess: int
) -> None:
    """More came back than is known to have come: kept for money that comes later, with a case.

    The whole of a payment may be reported again under another name, which is no second return.
    """
    loan_id, portion = of
    known = work.payment(portion.id)
    work.put_payment(replace(known, excess_minor=known.excess_minor + excess))
    if not portion.net_minor or command.amount_minor == portion.amount_minor:
        return
    currency = work.loan(loan_id).currency
    work.open_case(
        Case(
            casekeys.returned_more(command.order_no, command.bank_ref),
            CaseKind.RETURN_OF_MORE,
            f"{amount_text(excess, currency)} more came back of {command.order_no} than were taken",
            loan_id=loan_id,
            number=number,
            amount_minor=excess,
            currency=currency,
        )
    )
