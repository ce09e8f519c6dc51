"""Questions about the outbox on SQL: implements `ports.messages.MessageQueries`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.looking import look
from adapters.sql.read.reader import Key, cut, page_of
from adapters.sql.readrows import read_message
from adapters.sql.schema.outboxtable import state_of
from adapters.sql.schema.tables import DEAD, UNDELIVERED, outbox
from domain.case.deadletter import letter_key
from domain.errors import InvalidInput
from domain.kernel.message import MessageState
from domain.registry import TOPICS
from ports.messages import KeptMessage, MessageFilter
from ports.outbox import TRACE
from ports.paging import Page

_LIST = "messages"
_KEY: Key = ((outbox.c.id, int),)
_STATES: Mapping[MessageState, ColumnElement[bool]] = MappingProxyType(
    {
        MessageState.WAITING: UNDELIVERED,
        MessageState.DEAD: DEAD,
        MessageState.DROPPED: outbox.c.dropped_at.is_not(None),
        MessageState.DELIVERED: outbox.c.delivered_at.is_not(None),
    }
)


class SqlMessages:
    """Implements `ports.messages.MessageQueries`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def messages(self, wanted: MessageFilter, after: str, limit: int) -> Page[KeptMessage]:
        """See the port."""
        if wanted.topic is not None and wanted.topic not in TOPICS:
            raise InvalidInput("topic", wanted.topic, f"one of {', '.join(TOPICS)}")
        asked = select(outbox)
        if wanted.topic is not None:
            asked = asked.where(outbox.c.topic == wanted.topic)
        if wanted.state is not None:
            asked = asked.where(_STATES[wanted.state])
        page = page_of(_LIST, asked, _KEY, after, limit)
        async with look(self._engine) as conn:
            found = (await conn.execute(page)).fetchall()
        rows, cursor = cut(_LIST, found, len(_KEY), limit)
        return Page(tuple(_kept(row) for row in rows), cursor)

    async def message(self, message_id: int) -> KeptMessage | None:
        """See the port."""
        async with look(self._engine) as conn:
            found = await conn.execute(select(outbox).where(outbox.c.id == message_id))
            row = found.first()
        return None if row is None else _kept(row)


def _kept(row: Row[Any]) -> KeptMessage:
    body = read_message(row.body)
    return KeptMessage(
        id=row.id,
        topic=row.topic,
        stream=row.stream,
        state=state_of(row),
        queued_at=row.queued_at,
        not_before=row.not_before,
        tries=row.tries,
        retry_at=row.retry_at,
        delivered_at=row.delivered_at,
        dead_at=row.dead_at,
        dropped_at=row.dropped_at,
        error=row.last_error or "",
        case=letter_key(row.id) if row.deaths else "",
        payload={name: value for name, value in body.items() if name != TRACE},
    )
