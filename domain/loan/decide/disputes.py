"""Two reports of one debit that do not agree: the payment is raised, or a case stays open.

A case about the amount or the fate of an order ends when booked lines prove all its money.
"""

from dataclasses import replace

from domain.case.kinds import CaseKind
from domain.loan import bookings, casekeys
from domain.loan.decide.attempts import find
from domain.loan.decide.tasks import open_case
from domain.loan.decide.work import Work
from domain.money import amount_text
from domain.payment.portion import Portion

DISPUTES = ("amount", "contradiction")
"""Beginnings of the keys of cases about an order that the lines of its money settle."""
TWICE = "returned_twice"
"""Beginning of the key of the case of a return that was reported twice in the same words."""


def portions_of_order(work: Work, loan_id: str, order_no: str) -> list[Portion]:
    """Every portion that one debit order brought, in the order of their coming."""
    portions = work.loan(loan_id).portions
    return [portion for portion in portions if portion.order_no == order_no]


def is_booked(work: Work, loan_id: str, order_no: str) -> bool:
    """Whether money of an order is on the books: a stated outcome that was corrected left none."""
    return any(portion.amount_minor for portion in portions_of_order(work, loan_id, order_no))


def is_taken(work: Work, loan_id: str, order_no: str) -> bool:
    """Whether booked lines prove all money of an order, whatever went back of it."""
    known = portions_of_order(work, loan_id, order_no)
    return bool(known) and not any(portion.unsettled_minor for portion in known)


def is_proven(work: Work, loan_id: str, order_no: str) -> bool:
    """Whether booked lines prove all money of an order, and all that went back of it."""
    known = portions_of_order(work, loan_id, order_no)
    return bool(known) and all(portion.is_proven for portion in known)


def raise_payment(work: Work, loan_id: str, payment_id: str, amount_minor: int) -> None:
    """A payment turns out to be larger than reported: the surplus waits until it is placed."""
    portion = work.portion(loan_id, payment_id)
    waiting = portion.waiting_minor + portion.freed(amount_minor - portion.amount_minor)
    more = replace(portion, amount_minor=amount_minor, waiting_minor=waiting)
    loan = work.loan(loan_id)
    work.post(bookings.receive(loan, portion, more, (), "raised", portion.value_on))
    work.put_portion(loan_id, more)
    for kind in (CaseKind.LATE_SUCCESS, CaseKind.DOUBLE_EXECUTION):
        if (case := work.cases.get(casekeys.came_late(kind, payment_id))) is not None:
            work.amend_case(case, amount_minor)


def raise_inferred(work: Work, loan_id: str, payment_id: str, back: int, most: int) -> Portion:
    """Raise a payment that only its return has reported, as far as more comes back.

    `back`: all that has come back of it now; `most`: what was ordered. A payment that the rail or a
    credit line has reported stays as it is.
    """
    portion = work.portion(loan_id, payment_id)
    amount = min(back, most)
    if work.payment(payment_id).inferred and amount > portion.amount_minor:
        raise_payment(work, loan_id, payment_id, amount)
    return work.portion(loan_id, payment_id)


def question_amount(work: Work, loan_id: str, number: int, portion: Portion, back: int) -> None:
    """More came back at once than was said to be taken: no longer believed, and kept as a case."""
    payment = work.payment(portion.id)
    if not payment.inferred:
        work.put_payment(replace(payment, inferred=True))
        currency = payment.currency
        taken, came_back = (amount_text(it, currency) for it in (portion.amount_minor, back))
        said = f"{taken} was reported as taken, and {came_back} came back"
        dispute_amount(work, loan_id, number, str(portion.order_no), said)


def dispute_amount(
    work: Work, loan_id: str, number: int, order_no: str, said: str, about: str = "amount"
) -> None:
    """Keep two reports of one amount as a case."""
    key, code = f"{about}/{order_no}", "amounts_differ"
    open_case(work, loan_id, number, key, CaseKind.CONTRADICTION, said, order=order_no, code=code)


def compare_bookings(work: Work, loan_id: str, number: int, order_no: str) -> None:
    """A return that names another booking of the order than any known one is kept as a case.

    It ends when lines prove what came and what went back, when the booking becomes known, and when
    there is a booking whose name nobody has told: that may be the one that came back.
    """
    payments = [work.payment(it.id) for it in portions_of_order(work, loan_id, order_no)]
    known = dict.fromkeys(name for payment in payments for name in payment.bookings)
    is_unnamed = any(not payment.bookings for payment in payments)
    is_clear = is_unnamed or is_proven(work, loan_id, order_no)
    for ref in (ref for payment in payments for ref in payment.return_refs):
        key = casekeys.booking(order_no, ref)
        if is_clear or ref in known:
            work.close_case(key)
        else:
            said = f"booking {ref} came back, and {', '.join(known)} is known"
            text = f"order {order_no}: {said}"
            kind, code = CaseKind.CONTRADICTION, "bookings_differ"
            open_case(work, loan_id, number, key, kind, text, order=order_no, code=code)


def settle_disputes(work: Work, loan_id: str, portion: Portion) -> None:
    """Close the cases about an order once its lines have proven what became of its money.

    How much was taken is proven by the lines of the money, what came back by those of its return.
    """
    order_no = portion.order_no
    if order_no is None:
        return
    for name in DISPUTES if is_taken(work, loan_id, order_no) else ():
        work.close_case(f"{name}/{order_no}")
    if is_proven(work, loan_id, order_no):
        known = portions_of_order(work, loan_id, order_no)
        retold = sum(work.payment(it.id).retold_minor for it in known)
        if sum(it.return_settled_minor for it in known) >= retold:
            work.close_case(f"{TWICE}/{order_no}")
        number, _ = find(work, loan_id, order_no)
        compare_bookings(work, loan_id, number, order_no)
