"""Booked lines of returned money: a debit by order or mandate, a transfer by its reference."""

from datetime import date

from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import Match, Receipt
from domain.loan.decide.attempts import find
from domain.loan.decide.disputes import raise_inferred, receipts_of_order
from domain.loan.decide.references import payments_named
from domain.loan.decide.returns import (
    NO_REASON,
    Returned,
    infer_execution,
    learn_reason,
    reverse,
)
from domain.loan.decide.work import Work
from domain.reconciliation.statement import LineItem, StatementLine

Found = tuple[str, Receipt]
"""A loan's id and one of its payments."""


def book_return(work: Work, line: StatementLine, item: LineItem) -> Match | None:
    """A debit line of a return: reported before, or reported by this very line.

    It proves at most the whole payment; what the bank kept on top of it without saying so stays
    open on the line.
    """
    found = _returned_receipt(work, line, item)
    if found is None:
        return None
    loan_id, receipt = found
    minor = min(-item.amount_minor, returnable(receipt))
    take_back_by_line(work, loan_id, receipt, minor, line.booked_on, item.return_reason)
    return Match(loan_id, receipt.id, -minor, item.charges_minor)


def take_back_by_line(
    work: Work, loan_id: str, receipt: Receipt, minor: int, on: date, reason: str | None
) -> None:
    """Book what of a return only its line has told, and learn its reason."""
    code = reason or NO_REASON
    klass = OutcomeClass.LATE_RETURN
    if reason is not None:
        klass = work.rules.return_class(receipt.clearing_account.removeprefix("clearing/"), code)
    new = minor - (receipt.returned_minor - receipt.return_settled_minor)
    said = Returned(new, klass, code, on, told=False)
    if new > 0:
        reverse(work, loan_id, receipt.id, said)
    else:
        learn_reason(work, loan_id, receipt.id, said)


def returnable(receipt: Receipt) -> int:
    """Minor units of a payment of whose return no line has come yet."""
    return receipt.amount_minor - receipt.return_settled_minor


def candidates(work: Work, line: StatementLine, item: LineItem) -> list[Found]:
    """The payments that a line of a return can be about: by order, else reference, else mandate."""
    ref, minor = item.end_to_end_id or "", -item.amount_minor
    loan_id = work.aggregates.orders.get(ref)
    if loan_id is not None:
        found = [(loan_id, r) for r in receipts_of_order(work, loan_id, ref)]
    elif not (found := payments_named(work, ref)):
        found = [
            (loan_id, receipt)
            for loan_id in work.aggregates.mandates.get(item.mandate_ref or "", ())
            for receipt in work.loan(loan_id).receipts
            if receipt.source == "debit" and receipt.amount_minor == minor
        ]
    return [
        (loan_id, receipt)
        for loan_id, receipt in found
        if work.loan(loan_id).currency == line.currency and returnable(receipt) > 0
    ]


def _returned_receipt(work: Work, line: StatementLine, item: LineItem) -> Found | None:
    """The one payment that came back; of two that fit alike none is taken.

    Two executions of one order are one payer's money for one installment: the surplus goes back
    rather than what pays the installment.
    """
    ref = item.end_to_end_id or ""
    if ref in work.aggregates.orders:
        loan_id = work.aggregates.orders[ref]
        if work.loan(loan_id).currency == line.currency:
            infer_execution(work, loan_id, ref, -item.amount_minor)
            _raise_to(work, loan_id, ref, -item.amount_minor)
        found = candidates(work, line, item)
        return min(found, key=lambda pair: _fit(pair[1], line, item), default=None)
    ranked = sorted(candidates(work, line, item), key=lambda pair: _rank(pair[1], line, item))
    ranks = [_rank(receipt, line, item) for _, receipt in ranked]
    alike = ranks[1:2] == ranks[:1]
    return None if not ranked or alike else ranked[0]


def _raise_to(work: Work, loan_id: str, order_no: str, minor: int) -> None:
    """More has come back of an order's payment, which only its return tells, than is known of."""
    _, attempt = find(work, loan_id, order_no)
    receipt = receipts_of_order(work, loan_id, order_no)[0]
    back = receipt.return_settled_minor + minor
    raise_inferred(work, loan_id, receipt.id, back, attempt.amount_minor)


def _rank(receipt: Receipt, line: StatementLine, item: LineItem) -> tuple[bool, bool]:
    """The better the lower: a return reported and not yet proven, a booking that the bank names."""
    refs = {name for name in (item.tx_id, line.servicer_ref) if name}
    reported = receipt.returned_minor - receipt.return_settled_minor
    return reported < -item.amount_minor, receipt.bank_ref not in refs


def _fit(receipt: Receipt, line: StatementLine, item: LineItem) -> tuple[bool, ...]:
    """Between payments of one order: their rank, then what waits in suspense, then the amount."""
    minor = -item.amount_minor
    other = receipt.amount_minor != minor
    return (*_rank(receipt, line, item), receipt.waiting_minor < minor, other)
