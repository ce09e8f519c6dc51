"""A loan learns that its shares were remitted, or that a payout of them came back."""

from dataclasses import replace

from domain.kernel.change import Done
from domain.loan.change import Change
from domain.loan.decide.work import Work
from domain.loan.payables import with_moves
from domain.loan.remitting import RecordRemitted
from domain.payment.portion import ShareFate, ShareItem


def record_remitted(work: Work, command: RecordRemitted) -> Change:
    """Write which shares reached their payee into the portions; nothing is posted.

    The installments that were paid are looked at: one that lacked only this is closed. What a
    payout that came back had paid is due again, and an installment that was closed stays so.
    """
    loan = work.loans.get(command.loan_id)
    if loan is None:
        return work.finish(Done(note="unknown loan"))
    for payment in dict.fromkeys(item.payment for item in command.items):
        portion = work.portion(loan.id, payment)
        sign = -1 if command.returned else 1
        parts = {
            ShareItem(item.number, item.component, command.party, command.place): sign * item.minor
            for item in command.items
            if item.payment == payment
        }
        moves = with_moves(portion.moves, ShareFate.REMITTED, parts, command.payout)
        work.put_portion(loan.id, replace(portion, moves=moves))
    for number in dict.fromkeys(item.number for item in command.items):
        work.touch(loan.id, number)
    return work.finish(Done(note="due again" if command.returned else "remitted"))
