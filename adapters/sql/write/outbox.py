"""Delivers what was committed: at least once, in order within a stream, streams apart.

Only the first undelivered message of a stream is ever claimed, so a later one cannot pass it. A
claim is a lease: should this process die while delivering, another takes the message when the
lease has passed. Leases and back-off run on the wall clock, `not_before` on the books' clock.

A message that could not be delivered after many tries becomes a dead letter: it stays in the table
with its last error, is logged, counted and shown by `acquit doctor`, and no longer holds up its
stream. Every failure is logged. What was delivered long ago is removed.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.elements import ColumnElement

from adapters.sql.engine import is_postgres
from adapters.sql.read.looking import look
from adapters.sql.rows import read_message
from adapters.sql.schema.tables import UNDELIVERED, outbox
from adapters.sql.schema.types import Instant
from ports.clock import Clock
from ports.outbox import Dispatcher, OutboxRow

_KEY = outbox.c.id == bindparam("key_id")
_DELIVERED = (
    update(outbox)
    .where(_KEY)
    .values(delivered_at=bindparam("new_at"), claimed_until=None, last_error=None)
)
_FAILED = (
    update(outbox)
    .where(_KEY)
    .values(
        tries=outbox.c.tries + 1,
        retry_at=bindparam("new_retry"),
        claimed_until=None,
        last_error=bindparam("new_error"),
        dead_at=bindparam("new_dead_at", type_=Instant()),
    )
)


_LONGEST_LOOK = timedelta(seconds=30)
"""The longest wait between two tries while the database cannot be reached."""
_log = structlog.get_logger(__name__)


def _kind(error: Exception) -> str:
    return type(error).__name__


def wall() -> datetime:
    """Wall time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pace:
    """How the relay works. `lease` must outlast a batch: batch / parallel x deliver_within.

    `tries_most` tries take most of a day; healing then brings drivers the views that they missed.
    """

    batch: int = 64
    parallel: int = 16
    deliver_within: timedelta = timedelta(seconds=10)
    lease: timedelta = timedelta(seconds=60)
    first_retry: timedelta = timedelta(milliseconds=500)
    last_retry: timedelta = timedelta(minutes=5)
    look_every: timedelta = timedelta(milliseconds=500)
    tries_most: int = 250
    keep_delivered: timedelta = timedelta(days=30)
    prune_every: timedelta = timedelta(hours=6)
    prune_batch: int = 1_000

    def retry_after(self, tries: int) -> timedelta:
        """How long a message waits after its failure number `tries` + 1."""
        doubled: timedelta = self.first_retry * 2 ** min(tries, 20)
        return min(doubled, self.last_retry)


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
        pace: batch sizes, leases and back-off.
        wall_clock: tests give another.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        dispatchers: Mapping[str, Dispatcher],
        *,
        pace: Pace | None = None,
        wall_clock: Callable[[], datetime] = wall,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._dispatchers = dict(dispatchers)
        self._pace = pace or Pace()
        self._wall = wall_clock
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
            if self._dispatchers:
                group.create_task(self._run_pruning(), name="outbox-prune")

    async def sweep(self, limit: int = 500) -> int:
        """Deliver what is due and left over; the number of messages delivered."""
        counts = [await self._deliver(topic, limit) for topic in self._dispatchers]
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
                wait = min(self._pace.retry_after(lost), _LONGEST_LOOK)
                await asyncio.sleep(wait.total_seconds())
            else:
                lost = 0
            try:
                async with asyncio.timeout(self._pace.look_every.total_seconds()):
                    await kicked.wait()
            except TimeoutError:
                continue

    async def prune(self) -> int:
        """Remove what was delivered long ago, a batch at a time; the number of messages removed."""
        before = self._clock.now() - self._pace.keep_delivered
        old = (
            select(outbox.c.id)
            .where(outbox.c.delivered_at < before)
            .order_by(outbox.c.id)
            .limit(self._pace.prune_batch)
        )
        removed = 0
        while not self._stopping.is_set():
            async with self._engine.begin() as conn:
                ids = list((await conn.execute(old)).scalars())
                if ids:
                    await conn.execute(delete(outbox).where(_KEY), [{"key_id": i} for i in ids])
            removed += len(ids)
            if len(ids) < self._pace.prune_batch:
                break
        return removed

    async def _run_pruning(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.prune()
            except Exception as error:  # noqa: BLE001  (nothing depends on it: tried again later)
                _log.warning("outbox_not_pruned", error=_kind(error))
            try:
                async with asyncio.timeout(self._pace.prune_every.total_seconds()):
                    await self._stopping.wait()
            except TimeoutError:
                continue

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
        earlier = outbox.alias("earlier")
        passed = select(earlier.c.id).where(
            earlier.c.stream == outbox.c.stream,
            earlier.c.delivered_at.is_(None),
            earlier.c.dead_at.is_(None),
            earlier.c.id < outbox.c.id,
        )
        return (
            UNDELIVERED,
            outbox.c.topic == topic,
            or_(outbox.c.not_before.is_(None), outbox.c.not_before <= self._clock.now()),
            or_(outbox.c.retry_at.is_(None), outbox.c.retry_at <= wall_now),
            or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= wall_now),
            ~passed.exists(),
        )

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
        if outcomes.failed:
            wall_now, pace = self._wall(), self._pace
            await conn.execute(
                _FAILED,
                [
                    {
                        "key_id": row.id,
                        "new_retry": wall_now + pace.retry_after(row.tries),
                        "new_error": error,
                        "new_dead_at": now if self._is_dead(row) else None,
                    }
                    for row, error in outcomes.failed
                ],
            )

    def _is_dead(self, row: OutboxRow) -> bool:
        return row.tries + 1 >= self._pace.tries_most

    def _log_failure(self, row: OutboxRow, error: Exception) -> None:
        """Log a failure: what, which, how often; never the content of the message."""
        facts = {"topic": row.topic, "message_id": row.id, "stream": row.stream}
        tried = {"tries": row.tries + 1, "error": _kind(error), "exc_info": error}
        if self._is_dead(row):
            _log.error("outbox_message_dead_lettered", **facts, **tried)
        else:
            _log.warning("outbox_message_not_delivered", **facts, **tried)

    async def _send(self, topic: str, rows: Sequence[OutboxRow]) -> _Outcomes:
        """Give each row to the dispatcher, several at once; every row is of another stream."""
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
