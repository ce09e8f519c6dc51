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
from domain.kernel.message import Letter, MessageState
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
        case = Case(key, CaseKind.DEAD_LETTER, text, about[0], about[1], code=command.error)
        work.open_case(case)
    return work.finish_case(Done(note="dead letter"), key)


def record_redelivery(work: Work, command: RecordRedelivery) -> Change:
    """End the case of a message that was delivered after all."""
    key = letter_key(command.message)
    work.close_case(key)
    return work.finish_case(Done(note="delivered"), key)


def order_about_letter(work: Work, order: AnyMessageOrder) -> Change | Refusal:
    """Have a dead letter tried again, or drop it.

    Of very many dead letters not each has its case yet: such a one may be ordered about as well.
    """
    message = message_of(order.case)
    if message is None:
        return Refusal("message.unknown", f"{order.case} is no message of the outbox")
    letter = work.aggregates.letters.get(message)
    if refusal := refusal_of_form(order) or _refused(message, letter, order):
        return refusal
    case = work.cases.get(order.case)
    match order:
        case RetryMessage():
            work.put_letter(message, LetterFate.RETRIED)
            if case is not None:
                acted = case if case.acted_at is not None else replace(case, acted_at=work.at)
                work.move_case(acted, CaseEvent.NOTED, "tried again")
            return work.finish_case(Done(note="tried again"), order.case)
        case DropMessage():
            work.put_letter(message, LetterFate.DROPPED)
            if case is not None:
                ended = resolved(case, work.at, Resolution.ACCEPTED)
                work.move_case(ended, CaseEvent.RESOLVED, "dropped")
            return work.finish_case(Done(note="dropped"), order.case)
        case _:
            assert_never(order)


def _refused(message: int, letter: Letter | None, order: AnyMessageOrder) -> Refusal | None:
    """Why an order does not fit what has become of the message, if it does not.

    One that was a dead letter and is being tried again may be dropped.
    """
    if letter is None:
        why = "none has this number, or it was removed after it had been delivered or dropped"
        return Refusal("message.unknown", f"message {message} is not in the outbox: {why}")
    match letter.state:
        case MessageState.DEAD:
            return None
        case MessageState.WAITING:
            if letter.has_died and isinstance(order, DropMessage):
                return None
            why = "is waiting to be delivered; only a dead letter can be tried again"
            if isinstance(order, DropMessage):
                why = "is waiting to be delivered; only what was a dead letter can be dropped"
            return Refusal("message.waiting", f"message {message} {why}")
        case MessageState.DELIVERED:
            return Refusal("message.ended", f"message {message} was delivered")
        case MessageState.DROPPED:
            return Refusal("message.ended", f"message {message} was dropped by order")
        case _:
            assert_never(letter.state)
