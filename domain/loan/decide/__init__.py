"""Decisions about loans: pure, aggregates and a command in, a change or a refusal out.

One file per family of commands; `HANDLERS` says which function decides which command.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from domain.case.deadletter import MESSAGE_ORDERS, RecordDeadLetter, RecordRedelivery
from domain.kernel.change import Done, Refusal
from domain.kernel.command import Command
from domain.kernel.subject import Subject
from domain.loan.boarding import BoardLoan
from domain.loan.change import Aggregates, Change
from domain.loan.command import InstallmentCommand
from domain.loan.commands import (
    ORDERS,
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
from domain.loan.decide.deadletters import (
    order_about_letter,
    record_dead_letter,
    record_redelivery,
)
from domain.loan.decide.driving import (
    intend_debit,
    queue_reminder,
    record_delivery_report,
    renew_send,
    review,
)
from domain.loan.decide.filing import record_filed
from domain.loan.decide.linecases import suggest_match
from domain.loan.decide.lines import book_line
from domain.loan.decide.mandates import order_mandate, record_mandate_ended, spread_bars
from domain.loan.decide.orders import give_order, raise_operator
from domain.loan.decide.outcomes import record_unsent
from domain.loan.decide.refunding import move_refund
from domain.loan.decide.refundrequests import request_refund
from domain.loan.decide.remitting import record_remitted
from domain.loan.decide.reports import record_outcome, record_return
from domain.loan.decide.settingoff import set_off
from domain.loan.decide.tasks import (
    end_statement_break,
    record_statement_break,
    record_unparsed_event,
)
from domain.loan.decide.work import Work
from domain.loan.filing import RecordFiled
from domain.loan.mandates import MANDATE_ORDERS, RecordMandateEnded
from domain.loan.matching import SuggestMatch
from domain.loan.remitting import RecordRemitted, SetOff
from domain.loan.unparsed import RecordUnparsedEvent
from domain.loan.view import INSTALLMENT, installment_of
from domain.payout.commands import RequestRefund
from domain.statement.broken import EndStatementBreak, RecordStatementBreak

__all__ = ["HANDLERS", "decide", "reported_again", "reread", "work_on"]

Handler = Callable[[Work, Any], Change | Refusal]
HANDLERS: Mapping[type[Command], Handler] = MappingProxyType(
    {
        BoardLoan: board_loan,
        RollDay: roll_day,
        QueueReminder: queue_reminder,
        IntendDebit: intend_debit,
        Review: review,
        RenewSend: renew_send,
        RecordOutcome: record_outcome,
        RecordUnsent: record_unsent,
        RecordFiled: record_filed,
        RecordReturn: record_return,
        RecordDeliveryReport: record_delivery_report,
        BookLine: book_line,
        RecordUnparsedEvent: record_unparsed_event,
        RecordStatementBreak: record_statement_break,
        EndStatementBreak: end_statement_break,
        SuggestMatch: suggest_match,
        RecordMandateEnded: record_mandate_ended,
        **dict.fromkeys(MANDATE_ORDERS.values(), order_mandate),
        RecordRemitted: record_remitted,
        SetOff: set_off,
        RequestRefund: request_refund,
        RecordDeadLetter: record_dead_letter,
        RecordRedelivery: record_redelivery,
        RaiseOperator: raise_operator,
        **dict.fromkeys(MESSAGE_ORDERS.values(), order_about_letter),
        **dict.fromkeys(ORDERS.values(), give_order),
    }
)
"""The function that decides each command."""


def decide(aggregates: Aggregates, command: Command) -> Change | Refusal:
    """What a command changes. Evidence always gives a change; orders may be refused."""
    if isinstance(command, InstallmentCommand):
        loan = aggregates.loans.get(command.loan_id)
        if loan is None or not 1 <= command.number <= len(loan.installments):
            if command.evidence:
                return Change(Done(note="unknown installment"))
            return Refusal("installment.unknown", f"no {command.loan_id}/{command.number}")
    return work_on(HANDLERS[type(command)], aggregates, command)


def work_on(handler: Handler, aggregates: Aggregates, command: Command) -> Change | Refusal:
    """What a handler, of this noun or another, makes of a command."""
    return handler(_work(aggregates, command), command)


def reread(aggregates: Aggregates, subject: Subject | None) -> Change:
    """What another reading of a known fact changes: nothing but a case, so that a person looks."""
    is_item = subject is not None and subject.kind == INSTALLMENT
    about = installment_of(subject) if subject is not None and is_item else None
    return _work(aggregates, None).finish(Done(note="already known, read differently"), about)


def reported_again(aggregates: Aggregates, command: Command, subject: Subject | None) -> Change:
    """What evidence under another id changes that says what is known: nothing, or a return a case.

    `subject`: what the first report was about.
    """
    if isinstance(command, RecordReturn):
        return return_reported_again(_work(aggregates, command), command)
    return Change(Done(note="already known"), subject=subject)


def _work(aggregates: Aggregates, command: Command | None) -> Work:
    """A decision on what a command names, to be worked out."""
    return Work(
        aggregates,
        close_out=close_out,
        settle_bars=spread_bars,
        command=command,
        move_refund=move_refund,
    )
