"""Dead letters of the outbox: their cases, and what people order about them."""

from dataclasses import replace
from typing import assert_never

from domain.case.case import Case, Resolution
from domain.case.deadletter import (
    AnyMessageOrder,
    DropMessage,
    RecordDeadLetter,
    RecordRedelivery,
    RetryMessage,
    letter_key,
    message_of,
)
from domain.case.decide import resolved
from domain.case.kinds import CaseKind
from domain.case.lifecycle import CaseEvent
from domain.kernel.change import Done, LetterFate, Refusal
from domain.kernel.order import refusal_of_form
from domain.loan.aggregate import NoticeState
from domain.loan.change import Change
from domain.loan.decide.driving import notice_became
from domain.loan.decide.work import Work


def record_dead_letter(work: Work, command: RecordDeadLetter) -> Change:
    """Open the case of a message that is not tried any more.

    A message to a borrower counts as failed, so that the next channel of the plan follows.
    """
    key = letter_key(command.message)
    text = (
        f"message {command.message} ({command.topic}) was not delivered in {command.tries} tries, "
        f"{command.error}: {command.meaning}"
    )
    if command.notice:
        notice_became(work, command.notice, NoticeState.FAILED)
    case = work.cases.get(key)
    if case is not None:
        work.move_case(replace(case, text=text), CaseEvent.AMENDED, text)
    else:
        loan = work.loans.get(command.loan_id)
        about = (loan.id, command.number) if loan is not None else (None, None)
        work.open_case(Case(key, CaseKind.DEAD_LETTER, text, loan_id=about[0], number=about[1]))
    return work.finish(Done(note="dead letter"), case=key)


def record_redelivery(work: Work, command: RecordRedelivery) -> Change:
    """End the case of a message that was delivered after all."""
    key = letter_key(command.message)
    work.close_case(key)
    return work.finish(Done(note="delivered"), case=key)


def order_about_letter(work: Work, order: AnyMessageOrder) -> Change | Refusal:
    """Have a dead letter tried again, or drop it.

    Of very many dead letters not each has its case yet: such a one may be ordered about as well.
    """
    message, case = message_of(order.case), work.case(order.case)
    if message is None:
        return Refusal("message.unknown", f"{order.case} is no message of the outbox")
    if case is not None and not case.is_open:
        return Refusal("message.ended", "it was delivered, or dropped")
    if refusal := refusal_of_form(order):
        return refusal
    match order:
        case RetryMessage():
            work.put_letter(message, LetterFate.RETRIED)
            if case is not None:
                acted = case if case.acted_at is not None else replace(case, acted_at=work.at)
                work.move_case(acted, CaseEvent.NOTED, "tried again")
            return work.finish(Done(note="tried again"), case=order.case)
        case DropMessage():
            work.put_letter(message, LetterFate.DROPPED)
            if case is not None:
                ended = resolved(case, work.at, Resolution.ACCEPTED)
                work.move_case(ended, CaseEvent.RESOLVED, "dropped")
            return work.finish(Done(note="dropped"), case=order.case)
        case _:
            assert_never(order)
