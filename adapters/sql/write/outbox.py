"""Delivers what was committed: at least once, streams apart; within a stream as the topic says.

Of an ordered topic only the first undelivered message of a stream is ever claimed, so a later one
cannot pass it. A claim is a lease: should this process die while delivering, another takes the
message when the lease has passed. Leases and back-off run on the wall clock, `not_before` on the
books' clock.

A message that could not be delivered in all the tries of its topic becomes a dead letter: it stays
in the table with its last error, has a case (`adapters.sql.write.deadletters`), and no longer holds
up its stream. Every failure is logged. The owner of the books removes what was delivered long ago.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import structlog
from sqlalchemy import bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.elements import ColumnElement

from adapters.sql.engine import is_postgres
from adapters.sql.read.looking import look
from adapters.sql.readrows import read_message
from adapters.sql.schema.tables import UNDELIVERED, outbox
from adapters.sql.schema.types import Instant
from adapters.sql.write.deadletters import DeadLetters
from domain.kernel.message import Topic
from domain.registry import TOPICS
from ports.books import Books
from ports.clock import Clock
from ports.outbox import Dispatcher, OutboxRow

_KEY = outbox.c.id == bindparam("key_id")
_DELIVERED = (
    update(outbox)
    .where(_KEY)
    .values(
        delivered_at=bindparam("new_at"),
        claimed_until=None,
        last_error=None,
        # One that was a dead letter has a case, which ends now.
        case_due=case((outbox.c.deaths > 0, "resolve")),
    )
)
_FAILED = (
    update(outbox)
    .where(_KEY)
    .values(
        tries=outbox.c.tries + 1,
        retry_at=bindparam("new_retry"),
        claimed_until=None,
        last_error=bindparam("new_error"),
    )
)
_DIED = _FAILED.values(
    dead_at=bindparam("new_at", type_=Instant()), deaths=outbox.c.deaths + 1, case_due="open"
)

_LONGEST_LOOK = timedelta(seconds=30)
"""The longest wait between two tries while the database cannot be reached."""
_FIRST_LOOK = timedelta(milliseconds=500)
_log = structlog.get_logger(__name__)


def _kind(error: Exception) -> str:
    return type(error).__name__


def wall() -> datetime:
    """Wall time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pace:
    """How the relay works. `lease` must outlast a batch: batch / parallel x deliver_within.

    How often and how soon a message is tried again, its topic says.
    """

    batch: int = 64
    parallel: int = 16
    deliver_within: timedelta = timedelta(seconds=10)
    lease: timedelta = timedelta(seconds=60)
    look_every: timedelta = timedelta(milliseconds=500)
    report_every: timedelta = timedelta(seconds=5)


@dataclass(slots=True)
class _Outcomes:
    """What became of the messages of one batch, not yet written."""

    delivered: list[int] = field(default_factory=list)
    failed: list[tuple[OutboxRow, str]] = field(default_factory=list)


class OutboxRelay:
    """Implements `ports.outbox.Outbox`; `run` delivers after each `kick` and every so often.

    Args:
        engine: of the books.
        clock: says when a `not_before` has come.
        dispatchers: by topic; messages of other topics are left for a process that has them.
        books: take the cases of dead letters; None: they wait for a process that has books.
        pace: batch sizes and leases.
        topics: their order and back-off.
        wall_clock, share: tests give others; `share` is the random part of a wait, see `BackOff`.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        dispatchers: Mapping[str, Dispatcher],
        books: Books | None = None,
        *,
        pace: Pace | None = None,
        topics: Mapping[str, Topic[Any]] = TOPICS,
        wall_clock: Callable[[], datetime] = wall,
        share: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._dispatchers = dict(dispatchers)
        self._pace = pace or Pace()
        self._topics = MappingProxyType({name: topics[name] for name in self._dispatchers})
        self._wall, self._share = wall_clock, share
        self._letters = None if books is None else DeadLetters(engine, books, self._topics)
        self._kicks = {topic: asyncio.Event() for topic in self._dispatchers}
        self._stopping = asyncio.Event()

    def kick(self) -> None:
        """Have `run` deliver now, after a commit that left messages. Never waits."""
        for event in self._kicks.values():
            event.set()

    def stop(self) -> None:
        """Let `run` end after what it is delivering."""
        self._stopping.set()
        self.kick()

    async def run(self) -> None:
        """Deliver until `stop`; each topic by itself, so that a slow one holds up no other."""
        async with asyncio.TaskGroup() as group:
            for topic in self._dispatchers:
                group.create_task(self._run_topic(topic), name=f"outbox-{topic}")
            if self._dispatchers and self._letters is not None:
                group.create_task(self._run_reports(self._letters), name="outbox-cases")

    async def sweep(self, limit: int = 500) -> int:
        """Deliver what is due and left over; the number of messages delivered."""
        counts = [await self._deliver(topic, limit) for topic in self._dispatchers]
        if self._letters is not None:
            await self._letters.report()
        return sum(counts)

    async def pending(self) -> int:
        """Messages that are due now and not delivered, whatever their topic."""
        due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= self._clock.now())
        async with look(self._engine) as conn:
            count = await conn.execute(
                select(func.count()).select_from(outbox).where(UNDELIVERED, due)
            )
            return int(count.scalar_one())

    async def _run_topic(self, topic: str) -> None:
        kicked, lost = self._kicks[topic], 0
        while not self._stopping.is_set():
            kicked.clear()
            try:
                await self._deliver(topic, self._pace.batch * 100)
            except Exception as error:  # noqa: BLE001  (the database is away: look again later)
                lost += 1
                _log.warning("outbox_not_read", topic=topic, error=_kind(error), times=lost)
                wait = min(_FIRST_LOOK * 2 ** min(lost, 10), _LONGEST_LOOK)
                await self._stopped(wait)
            else:
                lost = 0
            try:
                async with asyncio.timeout(self._pace.look_every.total_seconds()):
                    await kicked.wait()
            except TimeoutError:
                continue

    async def _run_reports(self, letters: DeadLetters) -> None:
        while not await self._stopped(self._pace.report_every):
            try:
                await letters.report()
            except Exception as error:  # noqa: BLE001  (the database is away: look again later)
                _log.warning("outbox_cases_not_read", error=_kind(error))

    async def _stopped(self, wait: timedelta) -> bool:
        """Wait, but not longer than until `stop`; whether it was called."""
        try:
            async with asyncio.timeout(wait.total_seconds()):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    async def _deliver(self, topic: str, limit: int) -> int:
        """Batches of one topic until nothing is left that may leave now, or `limit`."""
        delivered, taken, outcomes = 0, 0, _Outcomes()
        while rows := await self._turn(topic, outcomes, min(self._pace.batch, limit - taken)):
            outcomes = await self._send(topic, rows)
            delivered += len(outcomes.delivered)
            taken += len(rows)
        return delivered

    async def _turn(self, topic: str, outcomes: _Outcomes, limit: int) -> Sequence[OutboxRow]:
        """Write what became of the last batch and claim the next, in one transaction."""
        nothing_to_write = not outcomes.delivered and not outcomes.failed
        if nothing_to_write and (limit == 0 or not await self._any(topic)):
            return ()
        async with self._engine.begin() as conn:
            await self._mark(conn, outcomes)
            return await self._claim(conn, topic, limit) if limit else ()

    async def _any(self, topic: str) -> bool:
        """Whether something may leave; asked without a write lock, of which SQLite has only one."""
        if is_postgres(self._engine):
            return True
        async with look(self._engine) as conn:
            found = await conn.execute(select(outbox.c.id).where(*self._ready(topic)).limit(1))
            return found.first() is not None

    def _ready(self, topic: str) -> tuple[ColumnElement[bool], ...]:
        wall_now = self._wall()
        ready = (
            UNDELIVERED,
            outbox.c.topic == topic,
            or_(outbox.c.not_before.is_(None), outbox.c.not_before <= self._clock.now()),
            or_(outbox.c.retry_at.is_(None), outbox.c.retry_at <= wall_now),
            or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= wall_now),
        )
        if not self._topics[topic].ordered:
            return ready
        earlier = outbox.alias("earlier")
        passed = select(earlier.c.id).where(
            earlier.c.stream == outbox.c.stream,
            earlier.c.delivered_at.is_(None),
            earlier.c.dead_at.is_(None),
            earlier.c.id < outbox.c.id,
        )
        return (*ready, ~passed.exists())

    async def _claim(self, conn: AsyncConnection, topic: str, limit: int) -> Sequence[OutboxRow]:
        chosen = (
            select(outbox)
            .where(*self._ready(topic))
            .order_by(outbox.c.id)
            .limit(limit)
            .with_for_update(of=outbox, skip_locked=True)
        )
        rows = (await conn.execute(chosen)).fetchall()
        if rows:
            until = self._wall() + self._pace.lease
            claim = update(outbox).where(_KEY).values(claimed_until=bindparam("new_until"))
            await conn.execute(claim, [{"key_id": row.id, "new_until": until} for row in rows])
        return [
            OutboxRow(
                row.id, row.topic, row.stream, read_message(row.body), row.not_before, row.tries
            )
            for row in rows
        ]

    async def _mark(self, conn: AsyncConnection, outcomes: _Outcomes) -> None:
        now = self._clock.now()
        if outcomes.delivered:
            await conn.execute(
                _DELIVERED, [{"key_id": key, "new_at": now} for key in outcomes.delivered]
            )
        again = [(row, error) for row, error in outcomes.failed if not self._is_dead(row)]
        if again:
            wall_now = self._wall()
            await conn.execute(
                _FAILED,
                [
                    {
                        "key_id": row.id,
                        "new_retry": wall_now + self._wait(row),
                        "new_error": error,
                    }
                    for row, error in again
                ],
            )
        dead = [(row, error) for row, error in outcomes.failed if self._is_dead(row)]
        if dead:
            await conn.execute(
                _DIED,
                [
                    {"key_id": row.id, "new_retry": None, "new_error": error, "new_at": now}
                    for row, error in dead
                ],
            )

    def _wait(self, row: OutboxRow) -> timedelta:
        return self._topics[row.topic].back_off.wait(row.tries + 1, self._share())

    def _is_dead(self, row: OutboxRow) -> bool:
        return self._topics[row.topic].back_off.is_last(row.tries + 1)

    def _log_failure(self, row: OutboxRow, error: Exception) -> None:
        """Log a failure: what, which, how often; never the content of the message."""
        facts = {"topic": row.topic, "message_id": row.id, "stream": row.stream}
        tried = {"tries": row.tries + 1, "error": _kind(error), "exc_info": error}
        if self._is_dead(row):
            _log.error("outbox_message_dead_lettered", **facts, **tried)
        else:
            _log.warning("outbox_message_not_delivered", **facts, **tried)

    async def _send(self, topic: str, rows: Sequence[OutboxRow]) -> _Outcomes:
        """Give each row to the dispatcher, several at once; of a stream in order only its first."""
        outcomes, dispatcher = _Outcomes(), self._dispatchers[topic]
        places = asyncio.Semaphore(self._pace.parallel)

        async def deliver(row: OutboxRow) -> None:
            async with places:
                try:
                    async with asyncio.timeout(self._pace.deliver_within.total_seconds()):
                        await dispatcher.deliver(row)
                except Exception as error:  # noqa: BLE001  (tried again; the kind of error is kept)
                    self._log_failure(row, error)
                    outcomes.failed.append((row, _kind(error)))
                else:
                    outcomes.delivered.append(row.id)

        await asyncio.gather(*(deliver(row) for row in rows))
        return outcomes
