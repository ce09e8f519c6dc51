"""Every decision of the books: pure, aggregates and a command in, a change or a refusal out.

One file per family; this door only sorts commands into them.
"""

from typing import assert_never

from domain.loan.boarding import BoardLoan
from domain.loan.change import Aggregates, Change, Done, Refusal
from domain.loan.command import InstallmentCommand, OrderCommand
from domain.loan.commands import (
    AnyCommand,
    BookLine,
    IntendDebit,
    QueueReminder,
    RaiseOperator,
    RecordDeliveryReport,
    RecordOutcome,
    RecordReturn,
    RecordUnsent,
    RenewSend,
    Review,
    RollDay,
)
from domain.loan.decide.again import return_reported_again
from domain.loan.decide.boarding import board_loan, roll_day
from domain.loan.decide.closing import close_out
from domain.loan.decide.driving import (
    intend_debit,
    queue_reminder,
    record_delivery_report,
    renew_send,
    review,
)
from domain.loan.decide.lines import book_line
from domain.loan.decide.orders import give_order, raise_operator
from domain.loan.decide.outcomes import record_unsent
from domain.loan.decide.reports import record_outcome
from domain.loan.decide.returns import record_return
from domain.loan.decide.tasks import record_statement_break, record_unparsed_event
from domain.loan.decide.work import Work
from domain.loan.unparsed import RecordUnparsedEvent
from domain.statement.broken import RecordStatementBreak

__all__ = ["decide", "reported_again", "reread"]


def decide(aggregates: Aggregates, command: AnyCommand) -> Change | Refusal:
    """What a command changes. Evidence always gives a change; orders may be refused."""
    if isinstance(command, InstallmentCommand):
        loan = aggregates.loans.get(command.loan_id)
        if loan is None or not 1 <= command.number <= len(loan.installments):
            if command.evidence:
                return Change(Done(note="unknown installment"))
            return Refusal("installment.unknown", f"no {command.loan_id}/{command.number}")
    work = Work(aggregates, close_out=close_out, from_driver=command.from_driver)
    return _sort(work, command)


def reread(aggregates: Aggregates, subject: tuple[str, int] | None) -> Change:
    """What another reading of a known fact changes: nothing but a case, so that a person looks."""
    return Work(aggregates, close_out=close_out).finish(
        Done(note="already known, read differently"), subject
    )


def reported_again(
    aggregates: Aggregates, command: AnyCommand, subject: tuple[str, int] | None
) -> Change:
    """What evidence under another id changes that says what is known: nothing, or a return a case.

    `subject`: the installment that the first report was about.
    """
    work = Work(aggregates, close_out=close_out)
    if isinstance(command, RecordReturn):
        return return_reported_again(work, command)
    return Change(Done(note="already known"), subject=subject)


def _sort(work: Work, command: AnyCommand) -> Change | Refusal:
    match command:
        case BoardLoan():
            return board_loan(work, command)
        case RollDay():
            return roll_day(work, command)
        case QueueReminder():
            return queue_reminder(work, command)
        case IntendDebit():
            return intend_debit(work, command)
        case Review():
            return review(work, command)
        case RenewSend():
            return renew_send(work, command)
        case RecordOutcome():
            return record_outcome(work, command)
        case RecordUnsent():
            return record_unsent(work, command)
        case RecordReturn():
            return record_return(work, command)
        case RecordDeliveryReport():
            return record_delivery_report(work, command)
        case BookLine():
            return book_line(work, command)
        case RecordUnparsedEvent():
            return record_unparsed_event(work, command)
        case RecordStatementBreak():
            return record_statement_break(work, command)
        case RaiseOperator():
            return raise_operator(work, command)
        case OrderCommand():
            return give_order(work, command)
        case _:
            assert_never(command)
