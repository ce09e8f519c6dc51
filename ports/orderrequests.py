"""Orders that wait for a second person, and amounts that count against limits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.access.approval import Request
from domain.access.preview import Preview
from domain.access.review import Needed, Spent
from ports.access import AccessEvent
from ports.paging import Page


@dataclass(frozen=True, slots=True)
class Weighed:
    """What of an order counts against limits. An order without amount weighs nothing."""

    command_id: str
    requester: str
    loan_id: str
    kind: str
    currency: str
    amount_minor: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with the preview that its requester saw."""

    request: Request
    preview: Preview


class OrderRequests(Protocol):
    """Keeps requests; each change is compared with the state that it was decided on."""

    async def take(
        self, weighed: Weighed, ask: Callable[[Spent], Needed], request: Callable[[Needed], Asked]
    ) -> Asked | Needed:
        """Count an order against its limits, and keep a request where it needs a second person.

        The sums and what is kept are of one transaction, so that two orders at once do not pass
        where one after the other would not. An order that was taken before is found again.

        Returns:
            The request, or what was found where no second person is needed.

        Raises:
            InvalidInput: the requester has too many requests that wait.
        """
        ...

    async def drop(self, command_id: str) -> None:
        """Count an order no longer: the books have refused it."""
        ...

    async def request(self, request_id: str) -> Asked | None:
        """One request."""
        ...

    async def of_command(self, command_id: str) -> Asked | None:
        """The request of an order, by the id of its command."""
        ...

    async def requests(
        self, state: str, portfolios: frozenset[str], after: str, limit: int
    ) -> Page[Asked]:
        """Requests of a state in these portfolios, the oldest first."""
        ...

    async def decide(self, before: Request, now: Request, event: AccessEvent) -> bool:
        """Keep a decision; False where somebody has decided meanwhile.

        One that is refused, void or expired counts against limits no longer.
        """
        ...
