"""The cases of dead letters of the outbox: opened, and ended once the message is delivered."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.payloads import read_payload
from adapters.sql.read.looking import look
from adapters.sql.readrows import read_message
from adapters.sql.schema.tables import DEAD, outbox
from domain.case.deadletter import RecordDeadLetter, RecordRedelivery
from domain.kernel.command import Actor, Command
from domain.kernel.message import About, Topic
from ports.books import Books

OPEN_MOST = 200
"""Dead letters of one topic that have an open case at a time; the others wait for theirs."""
_ACTOR = Actor("system", "outbox")
_BATCH = 50
_KEY = outbox.c.id == bindparam("key_id")
_DONE = update(outbox).where(_KEY, outbox.c.case_due == bindparam("key_due")).values(case_due=None)
_log = structlog.get_logger(__name__)


class DeadLetters:
    """Opens the case of each dead letter, and ends it once the message is delivered.

    The row of a message says what is to be done about its case until the books have it: a process
    that dies between the two leaves it to the next. What the books do not take is logged, tried
    again later, and holds up no other.
    """

    def __init__(self, engine: AsyncEngine, books: Books, topics: Mapping[str, Topic[Any]]) -> None:
        self._engine, self._books, self._topics = engine, books, topics

    async def report(self) -> int:
        """Open and end what is due; how many cases."""
        done = 0
        for row in await self._due():
            try:
                await self._books.apply(self._command(row))
                async with self._engine.begin() as conn:
                    await conn.execute(_DONE, [{"key_id": row.id, "key_due": row.case_due}])
                done += 1
            except Exception as error:  # noqa: BLE001  (one letter must not hold up the others)
                _log.warning(
                    "outbox_case_not_reported", message_id=row.id, error=type(error).__name__
                )
        return done

    async def _due(self) -> Sequence[Row[Any]]:
        """Rows whose case is due, the oldest first: at most a batch of each topic and kind."""
        found: list[Row[Any]] = []
        async with look(self._engine) as conn:
            for statement in self._asked():
                found += (await conn.execute(statement.order_by(outbox.c.id))).fetchall()
            room: dict[str, int] = {}
            for topic in sorted({row.topic for row in found if row.case_due == "open"}):
                shown = select(func.count()).where(
                    DEAD, outbox.c.topic == topic, outbox.c.case_due.is_(None)
                )
                room[topic] = OPEN_MOST - int((await conn.execute(shown)).scalar_one())
        return [row for row in found if row.case_due != "open" or _taken(room, row.topic)]

    def _asked(self) -> Iterator[Any]:
        for topic in self._topics:
            for due in ("open", "resolve"):
                of_topic = (outbox.c.topic == topic, outbox.c.case_due == due)
                yield select(outbox).where(*of_topic).limit(_BATCH)

    def _command(self, row: Row[Any]) -> Command:
        if row.case_due == "resolve":
            name = f"outbox/{row.id}/delivered"
            return RecordRedelivery(id=name, actor=_ACTOR, message=row.id)
        topic = self._topics[row.topic]
        about = self._about(row)
        return RecordDeadLetter(
            id=f"outbox/{row.id}/dead/{row.deaths}",
            actor=_ACTOR,
            message=row.id,
            death=row.deaths,
            topic=row.topic,
            error=row.last_error or "",
            tries=row.tries,
            meaning=topic.when_dead,
            loan_id=about.loan_id,
            number=about.number,
            notice=about.notice,
        )

    def _about(self, row: Row[Any]) -> About:
        """What the message is about; nothing if it cannot be read, which may be why it is dead."""
        topic = self._topics[row.topic]
        try:
            return topic.about(read_payload(topic, read_message(row.body)))
        except (ValidationError, KeyError, ValueError):
            return About()


def _taken(room: dict[str, int], topic: str) -> bool:
    room[topic] -= 1
    return room[topic] >= 0
