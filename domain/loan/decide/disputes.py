"""Two reports of one debit that do not agree: the payment is raised, or a case stays open.

A case about the amount or the fate of an order ends when booked lines prove all its money.
"""

from dataclasses import replace

from domain.case.kinds import CaseKind
from domain.loan import bookings
from domain.loan.aggregate import Receipt
from domain.loan.decide.tasks import open_case
from domain.loan.decide.work import Work

DISPUTES = ("amount", "contradiction")
"""Beginnings of the keys of cases about an order that its booked lines settle."""


def receipts_of_order(work: Work, loan_id: str, order_no: str) -> list[Receipt]:
    """Every payment that one debit order brought, in the order of their coming."""
    return [r for r in work.loan(loan_id).receipts if r.order_no == order_no]


def is_proven(work: Work, loan_id: str, order_no: str) -> bool:
    """Whether booked lines prove all money of an order, and all that went back of it."""
    known = receipts_of_order(work, loan_id, order_no)
    return bool(known) and all(receipt.is_proven for receipt in known)


def raise_receipt(work: Work, loan_id: str, receipt_id: str, amount_minor: int) -> None:
    """A payment turns out to be larger than reported: the surplus waits until it is placed."""
    receipt = work.receipt(loan_id, receipt_id)
    waiting = receipt.waiting_minor + amount_minor - receipt.amount_minor
    more = replace(receipt, amount_minor=amount_minor, waiting_minor=waiting)
    loan = work.loan(loan_id)
    work.post(bookings.receive(loan, receipt, more, (), "raised", receipt.value_on))
    work.put_receipt(loan_id, more)
    for kind in (CaseKind.LATE_SUCCESS, CaseKind.DOUBLE_EXECUTION):
        if (case := work.cases.get(f"{kind}/{receipt_id}")) is not None:
            work.amend_case(case, amount_minor)


def raise_inferred(work: Work, loan_id: str, receipt_id: str, back: int, most: int) -> Receipt:
    """Of a payment that only its return tells, more has been taken if more comes back.

    `back`: all that has come back of it now; `most`: what was ordered. A payment that the rail or a
    credit line has reported stays as it is.
    """
    receipt = work.receipt(loan_id, receipt_id)
    amount = min(back, most)
    if receipt.inferred and amount > receipt.amount_minor:
        raise_receipt(work, loan_id, receipt_id, amount)
    return work.receipt(loan_id, receipt_id)


def question_amount(work: Work, loan_id: str, number: int, receipt: Receipt, back: int) -> None:
    """More came back at once than was said to be taken: no longer believed, and kept as a case."""
    if not receipt.inferred:
        work.put_receipt(loan_id, replace(receipt, inferred=True))
        said = f"{receipt.amount_minor} was said to be taken, and {back} came back"
        dispute_amount(work, loan_id, number, str(receipt.order_no), said)


def dispute_amount(work: Work, loan_id: str, number: int, order_no: str, said: str) -> None:
    """Keep two reports of one amount as a case."""
    open_case(work, loan_id, number, f"amount/{order_no}", CaseKind.CONTRADICTION, said)


def compare_bookings(work: Work, loan_id: str, number: int, receipt_id: str) -> None:
    """A return that names another booking of the order than the one known is kept as a case."""
    receipt = work.receipt(loan_id, receipt_id)
    if receipt.is_proven or None in {receipt.bank_ref, receipt.return_ref}:
        return
    if receipt.bank_ref != receipt.return_ref:
        said = f"booking {receipt.return_ref} came back, and {receipt.bank_ref} is known"
        text = f"order {receipt.order_no}: {said}"
        key = f"booking/{receipt.order_no}/{receipt.return_ref}"
        open_case(work, loan_id, number, key, CaseKind.CONTRADICTION, text)


def settle_disputes(work: Work, loan_id: str, receipt: Receipt) -> None:
    """Close the cases about an order once its lines have proven what became of its money."""
    if receipt.order_no is not None and is_proven(work, loan_id, receipt.order_no):
        for name in DISPUTES:
            work.close_case(f"{name}/{receipt.order_no}")
        for key in [key for key in work.cases if key.startswith(f"booking/{receipt.order_no}/")]:
            work.close_case(key)
