"""Money on its way back to its payer: how a refund moves what stands of its payment in loans."""

from collections.abc import Iterable
from dataclasses import replace

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.ledger.entry import Posting
from domain.loan.aggregate import Match
from domain.loan.bookings import moved_items
from domain.loan.change import Lacks
from domain.loan.decide.work import Work
from domain.money import amount_text
from domain.payment.portion import Portion, RefundPart, RefundStage
from domain.payout.decide import give_up
from domain.payout.lifecycle import PayoutEvent
from domain.payout.payout import Payout


def move_refund(work: Work, payout: Payout, stage: RefundStage | None) -> tuple[Posting, ...]:
    """Bring what a refund takes of its payment to a stage; None: it waits again.

    Gives what is posted of it. What waits again pays what the payer owes back of it first.
    """
    refund = payout.refunded
    postings: list[Posting] = []
    for loan_id, _ in refund.parts:
        loan, was = work.loan(loan_id), work.portion(loan_id, refund.payment)
        now = _staged(was, payout.key, stage) if stage is not None else _freed(was, payout.key)
        moved = moved_items(loan, was, now)
        postings += [replace(posting, payout=payout.key) for posting in moved]
        work.put_portion(loan_id, now)
        follow_owed_back(work, loan_id, now.id)
    return tuple(postings)


def reserve(work: Work, loan_id: str, payment_id: str, part: RefundPart) -> None:
    """Set money aside that waits: nothing else is paid with it."""
    was = work.portion(loan_id, payment_id)
    waiting = was.waiting_minor - part.minor
    work.put_portion(loan_id, replace(was, waiting_minor=waiting, refunds=(*was.refunds, part)))


def cancel_reserved(work: Work, loan_id: str, why: str) -> None:
    """Cancel the refunds of a loan's money that were not instructed: it may be owed now.

    Raises:
        Lacks: the command does not name one of them, and is to be decided again with it.
    """
    keys = dict.fromkeys(
        part.payout
        for portion in work.loan(loan_id).portions
        for part in portion.refunds
        if part.stage is RefundStage.RESERVED
    )
    if lacks := keys.keys() - work.payouts.keys():
        raise Lacks(payouts=lacks)
    for key in keys:
        give_up(work, work.payouts[key], PayoutEvent.CANCELLED, why)


def ordered_refund(work: Work, matches: Iterable[Match]) -> str:
    """A refund that was ordered of the money of some matches; empty where there is none."""
    parts = (
        part for match in matches for part in work.portion(match.loan_id, match.payment).refunds
    )
    return next((p.payout for p in parts if p.stage is not RefundStage.RESERVED), "")


def follow_owed_back(work: Work, loan_id: str, payment_id: str) -> None:
    """Have a case say what a payer owes back: refunds and returns beyond what was paid."""
    loan, portion = work.loan(loan_id), work.portion(loan_id, payment_id)
    minor = portion.owed_back_minor
    said = amount_text(minor, loan.currency)
    work.follow_amount(
        Case(
            f"owed_back/{portion.id}/{loan.id}",
            CaseKind.RECEIVABLE,
            f"{said} of payment {portion.id} were refunded and came back to the payer besides",
            loan_id=loan.id,
            number=portion.number or 1,
            payment=portion.id,
            amount_minor=minor,
            currency=loan.currency,
            code="refunded_and_returned",
        )
    )


def _staged(portion: Portion, key: str, stage: RefundStage) -> Portion:
    refunds = (
        part._replace(stage=stage) if part.payout == key else part for part in portion.refunds
    )
    return replace(portion, refunds=tuple(refunds))


def _freed(portion: Portion, key: str) -> Portion:
    """The portion without a refund; what of that the payer does not owe back waits again."""
    minor = sum(part.minor for part in portion.refunds if part.payout == key)
    kept = tuple(part for part in portion.refunds if part.payout != key)
    return replace(
        portion, refunds=kept, waiting_minor=portion.waiting_minor + portion.freed(minor)
    )
