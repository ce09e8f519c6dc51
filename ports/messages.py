"""What operators ask about messages of the outbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.kernel.message import MessageState
from ports.paging import Page


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as it lies in the outbox.

    Attributes:
        tries: failures since it was written, or since it was last ordered to be tried again.
        error: the kind of the last error.
        case: the key of the case that a dead letter has.
        payload: what it carries: plain JSON values, nothing personal.
    """

    id: int
    topic: str
    stream: str
    state: MessageState
    queued_at: datetime | None
    not_before: datetime | None
    tries: int
    retry_at: datetime | None
    delivered_at: datetime | None
    dead_at: datetime | None
    dropped_at: datetime | None
    error: str
    case: str
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages are listed; what is None does not narrow."""

    topic: str | None = None
    state: MessageState | None = None


class MessageQueries(Protocol):
    """Questions about the outbox."""

    async def messages(self, wanted: MessageFilter, after: str, limit: int) -> Page[KeptMessage]:
        """Messages in the order in which they were written.

        Raises:
            InvalidInput: an unknown topic, no cursor of this list, or a limit out of range.
        """
        ...

    async def message(self, message_id: int) -> KeptMessage | None:
        """One message; None if there is none, or it was removed after its delivery."""
        ...
