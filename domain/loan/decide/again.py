"""A return reported in the same words under another event: one return twice, or two alike."""

from domain.loan.change import Change
from domain.loan.commands import RecordReturn
from domain.loan.decide.attempts import find
from domain.loan.decide.disputes import TWICE, dispute_amount, is_proven, portions_of_order
from domain.loan.decide.reports import record_return
from domain.loan.decide.work import Work


def return_reported_again(work: Work, command: RecordReturn) -> Change:
    """Whatever lines tell of it counts; where none does, nothing is taken back and a case waits.

    Nothing in the report says whether the rail repeats itself or the same amount went back once
    more. Booked lines can be distinguished: a second line is a second return, and this its report.
    Once lines prove all that is known of the order, nothing is in doubt.
    """
    loan_id, minor = work.aggregates.orders.get(command.order_no), command.amount_minor
    known = [] if loan_id is None else portions_of_order(work, loan_id, command.order_no)
    if loan_id is None or any(
        work.payment(portion.id).unreported_minor >= minor for portion in known
    ):
        return record_return(work, command)
    number, _ = find(work, loan_id, command.order_no)
    can_be_two = any(portion.net_minor >= minor for portion in known)
    if can_be_two and not is_proven(work, loan_id, command.order_no):
        said = f"a return of {minor} was reported twice in the same words"
        dispute_amount(work, loan_id, number, command.order_no, said, TWICE)
    return work.done(loan_id, number, "already known")
