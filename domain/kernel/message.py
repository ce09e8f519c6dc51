"""Messages that leave after a commit: their topics, what each topic carries, how long it is tried.

A topic is defined by the noun that sends it. `domain.registry.TOPICS` knows them all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Message:
    """A row for the outbox. `payload` is of the type that its topic carries.

    Messages of one `stream` leave in order where the topic says so.
    """

    topic: str
    stream: str
    payload: Any
    not_before: datetime | None = None


class MessageState(StrEnum):
    """How far a message of the outbox has come."""

    WAITING = "waiting"
    """It is still to be delivered."""
    DEAD = "dead"
    """It was tried to the last; a person decides."""
    DROPPED = "dropped"
    """It was dropped by order."""
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of the outbox as orders find it; `has_died`: it was a dead letter at least once."""

    state: MessageState
    has_died: bool


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about, as far as it is about a loan; `notice`: a message to the borrower.

    `number` is the installment, None for the whole loan.
    """

    loan_id: str = ""
    number: int | None = None
    notice: str = ""


@dataclass(frozen=True, slots=True)
class BackOff:
    """Waits between tries: they double from `first` up to `longest`; there are `tries` at most."""

    first: timedelta
    longest: timedelta
    tries: int

    def wait(self, failures: int, share: float) -> timedelta:
        """How long a message waits after `failures` failures, one or more.

        Half of the wait is fixed; `share` (from 0 to 1, drawn at random) of the other half is
        added, so that messages that failed together do not come again together.
        """
        whole: timedelta = min(self.first * 2 ** min(failures - 1, 30), self.longest)
        return whole / 2 + whole / 2 * share

    def is_last(self, failures: int) -> bool:
        """Whether a message that has failed so often is not tried again."""
        return failures >= self.tries


@dataclass(frozen=True, slots=True)
class Topic(Generic[P]):
    """A kind of message.

    Attributes:
        payload: the type of what its messages carry: plain values, nothing personal.
        about: what a message is about, from its payload.
        ordered: a message waits for the earlier ones of its stream, until they are delivered or
            dead letters. Otherwise the messages of the topic do not wait for each other.
        back_off: waits between tries, and how many there are.
        when_dead: what a dead letter means and what to do, for whoever takes its case.
    """

    name: str
    payload: type[P]
    about: Callable[[P], About]
    ordered: bool
    back_off: BackOff
    when_dead: str

    def message(self, stream: str, payload: P, not_before: datetime | None = None) -> Message:
        """A message of this topic."""
        return Message(self.name, stream, payload, not_before)
