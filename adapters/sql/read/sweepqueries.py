"""Reads what is due and what must run: implements `ports.sweepqueries.SweepQueries`."""

from datetime import date, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true

from adapters.sql.read.looking import look
from adapters.sql.read.reader import SqlReader
from adapters.sql.readrows import read_view
from adapters.sql.schema.tables import RUNNING, SWEPT, UNDELIVERED, loans, outbox, subjects
from domain.kernel.subject import Subject
from domain.kernel.view import View
from ports.sweepqueries import Due


class SqlSweepQueries(SqlReader):
    """Gives views as they were stored with the last write of each subject."""

    async def loans_to_roll(
        self, day: date, after: str, limit: int, timezone: str | None = None
    ) -> tuple[str, ...]:
        """Loans whose `next_roll_on` is at or before `day`, in order of id, after `after`."""
        rows = await self._rows(
            select(loans.c.id)
            .where(loans.c.next_roll_on <= day, loans.c.id > after, *_in(timezone))
            .order_by(loans.c.id)
            .limit(limit)
        )
        return tuple(row.id for row in rows)

    async def due_actions(self, now: datetime, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver whose next action is at or before `now`."""
        return await self._views(_actions(now), limit)

    async def due_swept(
        self, kind: str, now: datetime, after: tuple[datetime | None, str], limit: int
    ) -> tuple[Due, ...]:
        """Subjects of a kind that are not final, have no driver, and are to act by `now`."""
        at, key = subjects.c.next_action_at, subjects.c.key
        since, last = after
        later = true() if since is None else or_(at > since, and_(at == since, key > last))
        due = select(subjects.c.kind, key, at, subjects.c.view).where(
            SWEPT, subjects.c.kind == kind, at <= now, later
        )
        rows = await self._rows(due.order_by(at, key).limit(limit))
        return tuple(
            Due(Subject(row.kind, row.key), row.next_action_at, _readable(row)) for row in rows
        )

    async def next_instant(self) -> datetime | None:
        """The least instant after now of the coming actions and the outbox's `not_before`."""
        now = self._clock.now()
        action = select(func.min(subjects.c.next_action_at)).where(
            RUNNING, subjects.c.next_action_at > now
        )
        message = select(func.min(outbox.c.not_before)).where(
            UNDELIVERED, outbox.c.not_before > now
        )
        async with look(self._engine) as conn:
            found = [(await conn.execute(statement)).scalar() for statement in (action, message)]
        return min((instant for instant in found if instant is not None), default=None)

    async def next_roll(self, timezone: str | None = None) -> date | None:
        """The least `next_roll_on` of all loans, or of those of one time zone."""
        rows = await self._rows(select(func.min(loans.c.next_roll_on)).where(*_in(timezone)))
        found: date | None = rows[0][0]
        return found

    async def lagging(self, now: datetime, quiet_s: int, limit: int) -> tuple[View[Any], ...]:
        """Subjects with a running driver, unchanged with a due action for `quiet_s` seconds.

        A change younger than `quiet_s` does not count: the message about it may be on its way.
        """
        since = now - timedelta(seconds=quiet_s)
        return await self._views(_actions(since).where(subjects.c.changed_at <= since), limit)

    async def unfinished(self, after: Subject, limit: int) -> tuple[View[Any], ...]:
        """Opened and not final subjects in order of (kind, key): drivers that must exist."""
        kind, key = subjects.c.kind, subjects.c.key
        later = or_(kind > after.kind, and_(kind == after.kind, key > after.key))
        return await self._views(_RUNNING.where(later).order_by(kind, key), limit)


_RUNNING = select(subjects.c.kind, subjects.c.view).where(RUNNING)


def _readable(row: Row[Any]) -> View[Any] | None:
    """The view of a row; None where it holds what this build does not know."""
    try:
        return read_view(row.kind, row.view)
    except ValidationError:
        return None


def _actions(until: datetime) -> Select[Any]:
    at = subjects.c.next_action_at
    return _RUNNING.where(at <= until).order_by(at, subjects.c.kind, subjects.c.key)


def _in(timezone: str | None) -> list[ColumnElement[bool]]:
    return [] if timezone is None else [loans.c.timezone == timezone]
