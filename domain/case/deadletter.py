"""The commands about dead letters: messages of the outbox that are not tried any more.

Each has a case, by whose key orders name it. The case ends when the message is delivered after all,
or by the order to drop it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from domain.case.commands import CaseOrder
from domain.kernel.change import LetterFate
from domain.kernel.command import Command, Scope
from domain.kernel.message import Letter, MessageState

_KEY = "outbox/"
_DIGITS_MOST = 18


def letter_key(message: int) -> str:
    """The key of the case of a message of the outbox."""
    return f"{_KEY}{message}"


def message_of(case: str) -> int | None:
    """The message whose case has this key; None if it is the key of another kind of case."""
    number = case.removeprefix(_KEY)
    if not (case.startswith(_KEY) and number.isascii() and number.isdigit()):
        return None
    message = int(number[:_DIGITS_MOST])
    return message if letter_key(message) == case else None


def letter_after(fate: LetterFate) -> Letter:
    """A dead letter after an order."""
    retried = fate is LetterFate.RETRIED
    return Letter(MessageState.WAITING if retried else MessageState.DROPPED, has_died=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDeadLetter(Command):
    """A message was tried to the last and not delivered: a case, so that a person looks.

    Attributes:
        message: its id in the outbox. `death` counts how often it became a dead letter so far.
        error: the kind of the last error, never its text.
        meaning: what that means and what to do, in words.
        loan_id, number: what it is about; empty and None where it is about no loan.
        notice: the message to a borrower that was not sent; empty of any other message.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["record_dead_letter"] = "record_dead_letter"
    message: int
    death: int
    topic: str
    error: str
    tries: int
    meaning: str
    loan_id: str = ""
    number: int | None = None
    notice: str = ""

    def scope(self) -> Scope:
        """Its case, and what it is about."""
        return Scope(
            loans=(self.loan_id,) if self.loan_id else (),
            messages=(self.notice,) if self.notice else (),
            cases=(letter_key(self.message),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRedelivery(Command):
    """A message that was a dead letter has been delivered: its case ends."""

    evidence: ClassVar[bool] = True

    kind: Literal["record_redelivery"] = "record_redelivery"
    message: int

    def scope(self) -> Scope:
        """Its case."""
        return Scope(cases=(letter_key(self.message),))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOrder(CaseOrder):
    """An order on a dead letter, by the key that its case has or would have."""

    def scope(self) -> Scope:
        """The message and its case."""
        message = message_of(self.case)
        return Scope(cases=(self.case,), letters=() if message is None else (message,))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryMessage(MessageOrder):
    """Have a dead letter tried again, as often as a new message."""

    story: ClassVar[str] = "message tried again"

    kind: Literal["retry_message"] = "retry_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropMessage(MessageOrder):
    """Give a dead letter up for good: it is never delivered, and its case ends."""

    story: ClassVar[str] = "message dropped"

    kind: Literal["drop_message"] = "drop_message"


AnyMessageOrder = RetryMessage | DropMessage
MESSAGE_ORDERS: Mapping[str, type[AnyMessageOrder]] = MappingProxyType(
    {item.pinned(): item for item in get_args(AnyMessageOrder)}
)
"""Every order on a dead letter by its kind."""
