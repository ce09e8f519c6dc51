"""What parties have to give back: shares that a payout took and that were taken back since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.loan import bookings
from domain.loan.aggregate import Loan
from domain.loan.payables import Key, lacking, lowered, receivable_items, with_moves
from domain.money import amount_text
from domain.payment.portion import Portion, ShareFate, ShareItem

if TYPE_CHECKING:
    from domain.loan.decide.work import Work


def book_taken_back(work: Work, loan_id: str, payment_id: str) -> tuple[Key, ...]:
    """Book what payouts have taken of a payment beyond what its parties are due of it by now.

    Gives the items of which parties are due less: what is taken of them must be known.
    """
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    before = work.aggregates.loans.get(loan_id)
    known = before.portion(payment_id) if before is not None else None
    if before is None or known is None:
        return ()
    lowers = lowered(loan, known, portion)
    if parts := lacking(loan, portion, lowers, work.taken_items) if lowers else {}:
        work.post(bookings.taken_back(loan, portion, parts, work.today(loan_id)))
        moves = with_moves(portion.moves, ShareFate.TAKEN_BACK, parts)
        work.put_portion(loan_id, replace(portion, moves=moves))
        follow_receivables(work, loan_id, payment_id, parts)
        for item in parts:
            work.touch(loan_id, item.number)
    return lowers


def follow_receivables(
    work: Work, loan_id: str, payment_id: str, parts: Mapping[ShareItem, int]
) -> None:
    """Have a case of each party say what it has to give back of a payment, as long as it does."""
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    left = receivable_items(loan, portion)
    for party in dict.fromkeys(item.party for item in parts):
        minor = sum(part for key, part in left.items() if key[4] == party)
        work.follow_amount(_receivable(loan, portion, party, minor))


def _receivable(loan: Loan, portion: Portion, party: str, minor: int) -> Case:
    said = amount_text(minor, loan.currency)
    return Case(
        f"give_back/{portion.id}/{loan.id}/{party}",
        CaseKind.RECEIVABLE,
        f"{said} of payment {portion.id} were paid out to {party} and taken back since",
        loan_id=loan.id,
        number=portion.number,
        payment=portion.id,
        amount_minor=minor,
        currency=loan.currency,
    )
