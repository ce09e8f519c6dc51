"""Money of a portion between suspense and what was paid ahead."""

from dataclasses import replace

from domain.loan import bookings
from domain.loan.decide.work import Work


def draw(work: Work, loan_id: str, payment_id: str, minor: int) -> None:
    """Have so much of a portion in suspense, from what was paid ahead where that is short."""
    short = minor - work.portion(loan_id, payment_id).waiting_minor
    if short > 0:
        move_ahead(work, loan_id, payment_id, -short)


def move_ahead(work: Work, loan_id: str, payment_id: str, minor: int) -> None:
    """Move minor units of a portion from suspense to what was paid ahead; negative: back."""
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    moved = replace(
        portion,
        waiting_minor=portion.waiting_minor - minor,
        advance_minor=portion.advance_minor + minor,
    )
    work.post(bookings.to_advance(loan, portion, moved, work.today(loan_id)))
    work.put_portion(loan_id, moved)
