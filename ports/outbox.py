"""Messages that leave after a commit: at least once, in order within a stream."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

TRACE = "trace"
"""Key of a message's body under which the trace of the commit that wrote it may travel."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A committed message. `id` is its idempotency key for the consumer."""

    id: int
    topic: str
    stream: str
    body: Mapping[str, object]
    not_before: datetime | None
    tries: int


class Dispatcher(Protocol):
    """Delivers the messages of one topic; delivering twice must do no harm."""

    async def deliver(self, row: OutboxRow) -> None:
        """Deliver, or raise: it will be tried again."""
        ...


class Outbox(Protocol):
    """Delivers what was committed."""

    async def sweep(self, limit: int = 500) -> int:
        """Deliver what is due and left over; the number of messages delivered."""
        ...

    async def pending(self) -> int:
        """Messages that are due now and not delivered."""
        ...
