"""Delivers what was committed: at least once, in order within a stream, streams apart.

Only the first undelivered message of a stream is ever claimed, so a later one cannot pass it. A
claim is a lease: should this process die while delivering, another takes the message when the
lease has passed. Leases and back-off run on the wall clock, `not_before` on the books' clock.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.elements import ColumnElement

from adapters.sql.engine import is_postgres
from adapters.sql.looking import look
from adapters.sql.rows import read_message
from adapters.sql.tables import outbox
from ports.clock import Clock
from ports.outbox import Courier, OutboxRow

_LEFT = outbox.c.delivered_at.is_(None)
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
    )
)


def wall() -> datetime:
    """Wall time, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Pace:
    """How the relay works. `lease` must outlast a batch: batch / parallel x deliver_within."""

    batch: int = 64
    parallel: int = 16
    deliver_within: timedelta = timedelta(seconds=10)
    lease: timedelta = timedelta(seconds=60)
    first_retry: timedelta = timedelta(milliseconds=500)
    last_retry: timedelta = timedelta(minutes=5)
    look_every: timedelta = timedelta(milliseconds=500)

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
        couriers: by topic; messages of other topics are left for a process that has them.
        pace: batch sizes, leases and back-off.
        wall_clock: tests give another.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        couriers: Mapping[str, Courier],
        *,
        pace: Pace | None = None,
        wall_clock: Callable[[], datetime] = wall,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._couriers = dict(couriers)
        self._pace = pace or Pace()
        self._wall = wall_clock
        self._kicks = {topic: asyncio.Event() for topic in self._couriers}
        self._stopping = asyncio.Event()

    def kick(self) -> None:
        """Something was committed: deliver now. Cheap, never waits."""
        for event in self._kicks.values():
            event.set()

    def stop(self) -> None:
        """Let `run` end after what it is delivering."""
        self._stopping.set()
        self.kick()

    async def run(self) -> None:
        """Deliver until `stop`; each topic by itself, so that a slow one holds up no other."""
        async with asyncio.TaskGroup() as group:
            for topic in self._couriers:
                group.create_task(self._run_topic(topic), name=f"outbox-{topic}")

    async def sweep(self, limit: int = 500) -> int:
        """Deliver what is due and left over; the number of messages delivered."""
        counts = [await self._deliver(topic, limit) for topic in self._couriers]
        return sum(counts)

    async def pending(self) -> int:
        """Messages that are due now and not delivered, whatever their topic."""
        due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= self._clock.now())
        async with look(self._engine) as conn:
            count = await conn.execute(select(func.count()).select_from(outbox).where(_LEFT, due))
            return int(count.scalar_one())

    async def _run_topic(self, topic: str) -> None:
        kicked = self._kicks[topic]
        while not self._stopping.is_set():
            kicked.clear()
            try:
                await self._deliver(topic, self._pace.batch * 100)
            except Exception:  # noqa: BLE001  (the database is away: look again later)
                await asyncio.sleep(self._pace.look_every.total_seconds())
            try:
                async with asyncio.timeout(self._pace.look_every.total_seconds()):
                    await kicked.wait()
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
        """In one transaction: write what became of the last batch, and claim the next."""
        nothing_to_write = not outcomes.delivered and not outcomes.failed
        if nothing_to_write and (limit == 0 or not await self._any(topic)):
            return ()
        async with self._engine.begin() as conn:
            await self._mark(conn, outcomes)
            return await self._claim(conn, topic, limit) if limit else ()

    async def _any(self, topic: str) -> bool:
        """Whether something may leave: asked without a write lock, which SQLite has only one of."""
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
            earlier.c.id < outbox.c.id,
        )
        return (
            _LEFT,
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
                    }
                    for row, error in outcomes.failed
                ],
            )

    async def _send(self, topic: str, rows: Sequence[OutboxRow]) -> _Outcomes:
        """Give each row to the courier, several at once; every row is of another stream."""
        outcomes, courier = _Outcomes(), self._couriers[topic]
        places = asyncio.Semaphore(self._pace.parallel)

        async def deliver(row: OutboxRow) -> None:
            async with places:
                try:
                    async with asyncio.timeout(self._pace.deliver_within.total_seconds()):
                        await courier.deliver(row)
                except Exception as error:  # noqa: BLE001  (tried again; the kind of error is kept)
                    outcomes.failed.append((row, type(error).__name__))
                else:
                    outcomes.delivered.append(row.id)

        await asyncio.gather(*(deliver(row) for row in rows))
        return outcomes
