"""What sweeps, healing and the clock of a sandbox ask of the books: what is due, what must run.

These lists go on after a key of the caller's own, such as the last loan done: a sweep that was
broken off begins there again, days later if it must.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from domain.kernel.subject import Subject
from domain.kernel.view import View


@dataclass(frozen=True, slots=True)
class Due:
    """A subject whose action is due, since when, and its view; None where it cannot be read."""

    subject: Subject
    since: datetime
    view: View[Any] | None


class SweepQueries(Protocol):
    """Questions about many subjects at once, in pages."""

    async def loans_to_roll(
        self, day: date, after: str, limit: int, timezone: str | None = None
    ) -> tuple[str, ...]:
        """Loans whose `next_roll_on` is at or before `day`, in order of id, after `after`.

        With `timezone` only loans whose days begin at the midnight of that zone.
        """
        ...

    async def due_actions(self, now: datetime, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver whose next action is at or before `now`."""
        ...

    async def due_swept(
        self, kind: str, now: datetime, after: tuple[datetime | None, str], limit: int
    ) -> tuple[Due, ...]:
        """Subjects of a kind that are not final, have no driver, and are to act by `now`.

        In order of (instant, key), after the cursor `after`; None: from the beginning.
        """
        ...

    async def next_instant(self) -> datetime | None:
        """The least of the coming actions of running drivers and `not_before` of the outbox."""
        ...

    async def next_roll(self, timezone: str | None = None) -> date | None:
        """The least `next_roll_on` of all loans, or of those of one time zone."""
        ...

    async def lagging(self, now: datetime, quiet_s: int, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver, unchanged with a due action for `quiet_s` seconds."""
        ...

    async def unfinished(self, after: Subject, limit: int) -> tuple[View[Any], ...]:
        """Opened and not final subjects in order of (kind, key): drivers that must exist."""
        ...
