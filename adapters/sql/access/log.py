"""The log of refusals, decisions and changed rights: implements `ports.access.AccessLog`."""

import uuid
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.read.looking import look
from adapters.sql.read.reader import Key, cut, page_of
from adapters.sql.schema.tables import access_log
from ports.access import AccessEvent
from ports.paging import Page

_KEY: Key = ((access_log.c.at, datetime), (access_log.c.id, str))


class SqlAccessLog:
    """Writes lines; nothing changes them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def record(self, event: AccessEvent) -> None:
        """See the port."""
        async with self._engine.begin() as conn:
            await write_event(conn, event)

    async def events(self, after: str, limit: int) -> Page[AccessEvent]:
        """See the port."""
        page = page_of("access log", select(access_log), _KEY, after, limit)
        async with look(self._engine) as conn:
            found = (await conn.execute(page)).fetchall()
        rows, cursor = cut("access log", found, len(_KEY), limit)
        items = (
            AccessEvent(row.at, row.who, row.door, row.what, row.about, row.outcome, row.rule)
            for row in rows
        )
        return Page(tuple(items), cursor)


async def write_event(conn: AsyncConnection, event: AccessEvent) -> None:
    """Write a line within the transaction of what it says."""
    values = {
        "id": uuid.uuid4().hex,
        "at": event.at,
        "who": event.who[:120],
        "door": event.door,
        "what": event.what[:60],
        "about": event.about[:320],
        "outcome": event.outcome,
        "rule": event.rule[:80],
    }
    await conn.execute(insert(access_log).values(**values))
