"""Messages leave after the commit: at least once, in order within a stream, streams apart."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from adapters.sql.read.queries import SqlQueries
from adapters.sql.rows import Row
from adapters.sql.schema.pruning import prune_outbox
from adapters.sql.schema.tables import outbox
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import OutboxRelay, Pace
from domain.kernel.driver import WAKE
from domain.kernel.message import Topic
from domain.registry import TOPICS
from ports.outbox import OutboxRow
from tests.support.booksbench import NOON, StillClock
from tests.support.memory import RULES, board


class Recorder:
    """Keeps what it was given; refuses streams in `down`, hangs on streams in `stuck`."""

    def __init__(self) -> None:
        self.got: list[OutboxRow] = []
        self.down: set[str] = set()
        self.stuck: set[str] = set()

    async def deliver(self, row: OutboxRow) -> None:
        await asyncio.sleep(0)
        if row.stream in self.down:
            raise ConnectionError("away")
        if row.stream in self.stuck:
            await asyncio.sleep(60)
        self.got.append(row)

    def bodies(self, stream: str) -> list[object]:
        return [row.body["n"] for row in self.got if row.stream == stream]


class Wall:
    """A wall clock that tests move."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def dispatcher() -> Recorder:
    """Give a dispatcher that works until it is stopped."""
    return Recorder()


@pytest.fixture
def wall() -> Wall:
    """Give the clock of leases and back-off."""
    return Wall()


@pytest.fixture
def relay(engine: AsyncEngine, clock: StillClock, dispatcher: Recorder, wall: Wall) -> OutboxRelay:
    """Give a relay for the topic `wake`."""
    pace = Pace(batch=4, deliver_within=timedelta(seconds=1))
    return OutboxRelay(engine, clock, {"wake": dispatcher}, pace=pace, wall_clock=wall)


def _row(topic: str, stream: str, number: int, not_before: datetime | None = None) -> Row:
    """A message as it lies in the outbox, with a number for a body."""
    body = json.dumps({"n": number})
    return {
        "topic": topic, "stream": stream, "body": body, "queued_at": NOON, "not_before": not_before,
    }  # fmt: skip


def tried(topic: Topic[Any], tries: int) -> dict[str, Topic[Any]]:
    """The topics, of which one gives up after so many tries."""
    return {**TOPICS, topic.name: replace(topic, back_off=replace(topic.back_off, tries=tries))}


async def put(engine: AsyncEngine, *messages: tuple[str, int], topic: str = "wake") -> None:
    """Commit messages (stream, number)."""
    rows = [_row(topic, stream, number) for stream, number in messages]
    async with engine.begin() as conn:
        await conn.execute(insert(outbox), rows)


async def test_a_stream_leaves_in_order_and_each_message_once(
    engine: AsyncEngine, relay: OutboxRelay, dispatcher: Recorder
) -> None:
    """More messages than a batch, two streams mixed: each stream arrives in its order."""
    await put(engine, *((f"s{n % 2}", n) for n in range(12)))
    assert await relay.pending() == 12
    assert await relay.sweep() == 12
    assert dispatcher.bodies("s0") == [0, 2, 4, 6, 8, 10]
    assert dispatcher.bodies("s1") == [1, 3, 5, 7, 9, 11]
    assert await relay.sweep() == 0
    assert await relay.pending() == 0


async def test_a_failing_stream_waits_and_holds_up_no_other(
    engine: AsyncEngine, relay: OutboxRelay, dispatcher: Recorder, wall: Wall
) -> None:
    """A later message never passes an earlier one of its stream; other streams go on."""
    dispatcher.down.add("bad")
    await put(engine, ("bad", 1), ("good", 1), ("bad", 2), ("good", 2))
    assert await relay.sweep() == 2
    dispatcher.down.clear()
    assert await relay.sweep() == 0
    assert await relay.pending() == 2
    wall.at += timedelta(seconds=1)
    assert await relay.sweep() == 2
    assert dispatcher.bodies("bad") == [1, 2]
    assert [row.tries for row in dispatcher.got if row.stream == "bad"] == [1, 0]


async def test_a_crowd_of_failing_streams_does_not_hide_a_good_one(
    engine: AsyncEngine, relay: OutboxRelay, dispatcher: Recorder
) -> None:
    """One sweep looks past a whole batch of failures."""
    dispatcher.down = {f"bad{n}" for n in range(9)}
    await put(engine, *((f"bad{n}", n) for n in range(9)), ("good", 1))
    assert await relay.sweep() == 1


async def test_a_dispatcher_that_hangs_is_abandoned(
    engine: AsyncEngine, relay: OutboxRelay, dispatcher: Recorder
) -> None:
    """Time-outs count as failures: the message stays and is tried again later."""
    dispatcher.stuck.add("slow")
    await put(engine, ("slow", 1), ("good", 1))
    assert await relay.sweep() == 1
    assert await relay.pending() == 1


@pytest.mark.parametrize(("share", "seconds"), [(0.0, 1), (0.5, 1.5), (1.0, 2)])
async def test_waits_between_tries_are_spread(
    engine: AsyncEngine, clock: StillClock, dispatcher: Recorder, wall: Wall, *, share: float,
    seconds: float,
) -> None:  # fmt: skip
    """After the third failure: two seconds, of which the drawn share of one half is left out."""
    relay = OutboxRelay(engine, clock, {"wake": dispatcher}, wall_clock=wall, share=lambda: share)
    dispatcher.down.add("bad")
    await put(engine, ("bad", 1))
    for _ in range(3):
        await relay.sweep()
        async with engine.connect() as conn:
            retry_at = (await conn.execute(select(outbox.c.retry_at))).scalar_one()
        wait = retry_at - wall.at
        wall.at = retry_at
    assert wait == timedelta(seconds=seconds)


async def test_nothing_leaves_before_its_time(
    engine: AsyncEngine, relay: OutboxRelay, dispatcher: Recorder, clock: StillClock
) -> None:
    """`not_before` is read on the books' clock, which the sandbox moves."""
    async with engine.begin() as conn:
        await conn.execute(insert(outbox), [_row("wake", "s", 1, NOON + timedelta(hours=1))])
    assert await relay.pending() == 0
    assert await relay.sweep() == 0
    clock.ahead(timedelta(hours=1))
    assert await relay.pending() == 1
    assert await relay.sweep() == 1


async def test_other_topics_are_left_for_others(engine: AsyncEngine, relay: OutboxRelay) -> None:
    """A process without a dispatcher for a topic does not touch its messages."""
    await put(engine, ("s", 1), topic="notice")
    assert await relay.sweep() == 0
    assert await relay.pending() == 1


async def test_two_relays_at_once_deliver_each_message_once(
    engine: AsyncEngine, clock: StillClock, dispatcher: Recorder, wall: Wall
) -> None:
    """Claims keep two processes from delivering the same message, and streams in order."""
    await put(engine, *((f"s{n % 7}", n) for n in range(70)))
    pace = Pace(batch=3)
    relays = [
        OutboxRelay(engine, clock, {"wake": dispatcher}, pace=pace, wall_clock=wall)
        for _ in range(2)
    ]
    while sum(await asyncio.gather(*(relay.sweep() for relay in relays))):
        pass
    assert sorted(row.id for row in dispatcher.got) == sorted({row.id for row in dispatcher.got})
    assert len(dispatcher.got) == 70
    for stream in range(7):
        assert dispatcher.bodies(f"s{stream}") == list(range(stream, 70, 7))


async def test_what_was_committed_before_a_crash_is_delivered_after_it(
    engine: AsyncEngine, clock: StillClock, relay: OutboxRelay, dispatcher: Recorder
) -> None:
    """Books without a relay (it died first) leave rows that the next sweep finds."""
    async with SqlBooks(engine, clock, RULES) as books:
        clock.at = datetime(2026, 3, 4, 4, tzinfo=UTC)
        await books.apply(board())
    opener = OutboxRelay(engine, clock, {"open": dispatcher})
    assert await opener.sweep() == 1
    view = dispatcher.got[0].body["view"]
    assert isinstance(view, dict)
    assert view["subject"] == {"kind": "installment", "key": "L1/1"}


async def test_a_message_claimed_by_a_dead_process_is_delivered_when_its_lease_ends(
    engine: AsyncEngine, relay: OutboxRelay, dispatcher: Recorder, wall: Wall
) -> None:
    """Killed between claim and mark: nobody else takes it early, somebody takes it later."""
    await put(engine, ("s", 1))
    lease = update(outbox).values(claimed_until=wall.at + timedelta(seconds=60))
    async with engine.begin() as conn:
        await conn.execute(lease)
    assert await relay.sweep() == 0
    wall.at += timedelta(seconds=60)
    assert await relay.sweep() == 1


async def test_a_mark_that_was_lost_means_a_second_delivery_and_no_loss(
    engine: AsyncEngine,
    relay: OutboxRelay,
    dispatcher: Recorder,
    wall: Wall,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Delivered, then the database went away before it was written down: delivered again."""
    await put(engine, ("s", 1))

    async def lost(*_: object) -> None:
        raise ConnectionError("lost")

    with monkeypatch.context() as patched:
        patched.setattr(OutboxRelay, "_mark", _after_first(OutboxRelay._mark, lost))
        with pytest.raises(ConnectionError):
            await relay.sweep()
    assert dispatcher.bodies("s") == [1]
    wall.at += timedelta(seconds=60)
    assert await relay.sweep() == 1
    assert dispatcher.bodies("s") == [1, 1]
    assert dispatcher.got[0].id == dispatcher.got[1].id


def _after_first(first: object, later: object) -> object:
    calls = [first]

    async def step(*args: object) -> None:
        chosen = calls.pop() if calls else later
        await chosen(*args)  # type: ignore[operator]

    return step


async def test_books_kick_the_relay_right_after_the_commit(
    engine: AsyncEngine, clock: StillClock, dispatcher: Recorder
) -> None:
    """Delivery follows the reply at once, without waiting for the next look; `stop` ends it."""
    clock.at = datetime(2026, 3, 4, 4, tzinfo=UTC)
    relay = OutboxRelay(
        engine, clock, {"open": dispatcher}, pace=Pace(look_every=timedelta(seconds=30))
    )
    running = asyncio.create_task(relay.run())
    await asyncio.sleep(0.1)
    async with SqlBooks(engine, clock, RULES, kick=relay.kick) as books:
        await books.apply(board())
        async with asyncio.timeout(5):
            while not dispatcher.got:
                await asyncio.sleep(0.01)
    relay.stop()
    await asyncio.wait_for(running, 5)
    assert await relay.pending() == 0


async def test_every_failure_is_logged_without_what_the_message_says(
    engine: AsyncEngine, relay: OutboxRelay, dispatcher: Recorder
) -> None:
    """Which message, how often and why: nothing that cannot be delivered is passed over."""
    dispatcher.down.add("bad")
    await put(engine, ("bad", 1))
    with capture_logs() as logs:
        await relay.sweep()
    [line] = [entry for entry in logs if entry["event"] == "outbox_message_not_delivered"]
    assert (line["topic"], line["stream"], line["tries"]) == ("wake", "bad", 1)
    assert (line["error"], line["log_level"]) == ("ConnectionError", "warning")
    assert "body" not in line


async def test_a_message_that_cannot_be_delivered_becomes_a_visible_dead_letter(
    engine: AsyncEngine, clock: StillClock, dispatcher: Recorder, wall: Wall, queries: SqlQueries
) -> None:
    """After its last try it is logged and counted, kept, and its stream goes on without it."""
    dispatcher.down.add("bad")
    relay = OutboxRelay(engine, clock, {"wake": dispatcher}, topics=tried(WAKE, 3), wall_clock=wall)
    await put(engine, ("bad", 1), ("bad", 2))
    with capture_logs() as logs:
        for _ in range(3):
            assert await relay.sweep() == 0
            wall.at += timedelta(minutes=5)
    reported = [entry["event"] for entry in logs if entry["message_id"] == logs[0]["message_id"]]
    assert reported == ["outbox_message_not_delivered"] * 2 + ["outbox_message_dead_lettered"]
    dispatcher.down.clear()
    assert await relay.sweep() == 1
    assert dispatcher.bodies("bad") == [2]
    assert await relay.pending() == 0
    assert (await queries.counts())["outbox"] == {"left": 0, "delivered": 1, "dead": 1}


async def test_a_database_that_is_away_is_logged_by_the_relay(
    engine: AsyncEngine, clock: StillClock, dispatcher: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on, and says that it could not look."""

    async def away(*_: object) -> int:
        mine.stop()
        raise ConnectionError("away")

    mine = OutboxRelay(engine, clock, {"wake": dispatcher})
    monkeypatch.setattr(mine, "_deliver", away)
    with capture_logs() as logs:
        await asyncio.wait_for(mine.run(), 5)
    assert [entry["event"] for entry in logs] == ["outbox_not_read"]
    assert logs[0]["error"] == "ConnectionError"


async def test_what_was_delivered_long_ago_is_removed(
    engine: AsyncEngine, clock: StillClock, dispatcher: Recorder, queries: SqlQueries
) -> None:
    """In batches, and nothing that is young, that still waits or that is a dead letter."""
    relay = OutboxRelay(engine, clock, {"wake": dispatcher})
    await put(engine, *((f"s{n}", n) for n in range(5)))
    assert await relay.sweep() == 5
    keep = timedelta(days=30)
    assert await prune_outbox(engine, clock.at - keep, batch=2) == 0
    clock.ahead(timedelta(days=31))
    await put(engine, ("young", 1), ("s", 1))
    assert await relay.sweep() == 2
    await put(engine, ("waits", 1))
    assert await prune_outbox(engine, clock.at - keep, batch=2) == 5
    assert (await queries.counts())["outbox"] == {"left": 1, "delivered": 2, "dead": 0}
