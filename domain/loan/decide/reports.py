"""What a rail reports of an order, and the lines that may have waited for it."""

from domain.debit.attempt import Attempt
from domain.loan.change import Change
from domain.loan.commands import RecordOutcome, RecordReturn
from domain.loan.decide.attempts import find
from domain.loan.decide.lines import book_batch_again
from domain.loan.decide.outcomes import INQUIRY, apply_outcome
from domain.loan.decide.returns import apply_return
from domain.loan.decide.tasks import unknown_order
from domain.loan.decide.waitingreturns import book_returns_again
from domain.loan.decide.work import Work


def record_outcome(work: Work, command: RecordOutcome) -> Change:
    """What a rail said about an order, whichever way it came."""
    loan_id = work.aggregates.orders.get(command.order_no)
    if loan_id is None:
        return unknown_order(work, command.rail, command.order_no)
    number, attempt = find(work, loan_id, command.order_no)
    proves = _conclusive(work, attempt, command)
    apply_outcome(
        work, loan_id, number, attempt, command.outcome, command.source, conclusive=proves
    )
    if command.outcome.batch_ref:
        book_batch_again(work, command.outcome.batch_ref)
    book_returns_again(work, command.order_no)
    return work.done(loan_id, number, command.outcome.status.value)


def record_return(work: Work, command: RecordReturn) -> Change:
    """Apply a rail's report of a return, and book the bank lines that came before it."""
    loan_id = work.aggregates.orders.get(command.order_no)
    if loan_id is None:
        return unknown_order(work, command.rail, command.order_no)
    number, _ = find(work, loan_id, command.order_no)
    note = apply_return(work, loan_id, command)
    book_returns_again(work, command.order_no)
    return work.done(loan_id, number, note)


def _conclusive(work: Work, attempt: Attempt, command: RecordOutcome) -> bool:
    """Whether *not found* proves anything: an inquiry that left after the rail's query window."""
    window = work.rules.rail(attempt.rail).query_window
    asked_at = min(command.asked_at or work.at, work.at)
    return command.source == INQUIRY and asked_at >= attempt.send_until + window
