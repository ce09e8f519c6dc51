"""Dead letters on both databases: cases open and end by themselves, orders change the outbox."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.messages import SqlMessages
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.pruning import prune_outbox
from adapters.sql.schema.tables import outbox
from adapters.sql.write import deadletters
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import OutboxRelay
from domain.case.deadletter import letter_key
from domain.errors import InvalidInput, InvariantBroken
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command
from domain.kernel.driver import WAKE
from domain.kernel.message import MessageState
from domain.loan.notice import NOTICE
from domain.registry import TOPICS
from ports.messages import MessageFilter
from ports.outbox import OutboxRow
from tests.support.booksbench import NOON, StillClock
from tests.support.doors import DropMessage, RetryMessage
from tests.support.memory import TESTER, board


class Carrier:
    """Delivers, unless a stream is down."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.got: list[str] = []

    async def deliver(self, row: OutboxRow) -> None:
        if row.stream in self.down:
            raise ConnectionError("away")
        self.got.append(row.stream)


@pytest.fixture
def carrier() -> Carrier:
    """Give a dispatcher that a test can break."""
    return Carrier()


@pytest_asyncio.fixture
async def relay(
    engine: AsyncEngine, clock: StillClock, books: SqlBooks, carrier: Carrier
) -> OutboxRelay:
    """Give a relay that gives up after one try, with books that take the cases."""
    await books.apply(board())
    async with engine.begin() as conn:
        await conn.execute(update(outbox).values(delivered_at=NOON))
    topics = {
        name: replace(topic, back_off=replace(topic.back_off, tries=1))
        for name, topic in TOPICS.items()
    }
    both = {WAKE.name: carrier, NOTICE.name: carrier}
    return OutboxRelay(engine, clock, both, books, topics=topics)


async def put(engine: AsyncEngine, topic: str, streams: Sequence[str]) -> list[int]:
    """Commit messages that nobody can read; their numbers."""
    rows = [
        {"topic": topic, "stream": stream, "body": "{}", "queued_at": NOON} for stream in streams
    ]
    async with engine.begin() as conn:
        await conn.execute(insert(outbox), rows)
        found = await conn.execute(select(outbox.c.id).where(outbox.c.stream.in_(streams)))
        return sorted(found.scalars())


async def ordered(books: SqlBooks, kind: type, message: int, name: str = "o") -> Applied:
    """Give an order about a message that must be allowed."""
    given: Any = {"id": f"{name}/{message}", "actor": TESTER, "reason": "a test"}
    answer = await books.apply(kind(case=letter_key(message), **given))
    assert isinstance(answer, Applied)
    return answer


async def test_a_dead_letter_has_a_case_until_it_is_delivered_by_order(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, relay: OutboxRelay, carrier: Carrier
) -> None:
    """The books open it with the death, and end it with the delivery; the chain holds the order."""
    carrier.down.add("bad")
    [message] = await put(engine, "wake", ["bad"])
    assert await relay.sweep() == 0
    [case] = (await queries.cases()).items
    assert (case.key, case.kind) == (letter_key(message), "dead_letter")
    kept = await SqlMessages(engine).message(message)
    assert kept is not None
    assert (kept.state, kept.case, kept.error) == (MessageState.DEAD, case.key, "ConnectionError")
    carrier.down.clear()
    assert await relay.sweep() == 0, "nobody has ordered it yet"
    await ordered(books, RetryMessage, message)
    assert await relay.sweep() == 1
    assert (await queries.cases()).items == ()
    ended = await queries.case(case.key)
    assert ended is not None
    assert ended.resolution == "cleared"
    kept = await SqlMessages(engine).message(message)
    assert kept is not None
    assert kept.state is MessageState.DELIVERED
    assert (await queries.verify()).faults == ()


async def test_a_message_that_dies_again_is_the_same_case(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, relay: OutboxRelay, carrier: Carrier
) -> None:
    """Ordered twice, and both times it failed: one case, and three deaths in the row."""
    carrier.down.add("bad")
    [message] = await put(engine, "wake", ["bad"])
    await relay.sweep()
    for name in ("first", "second"):
        await ordered(books, RetryMessage, message, name)
        await relay.sweep()
    assert [case.key for case in (await queries.cases()).items] == [letter_key(message)]
    async with engine.connect() as conn:
        assert (await conn.execute(select(outbox.c.deaths).order_by(outbox.c.id))).scalars().all()[
            -1
        ] == 3


async def test_a_dropped_letter_is_never_delivered_and_is_pruned_in_time(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    relay: OutboxRelay,
    carrier: Carrier,
    clock: StillClock,
) -> None:
    """A letter that waits for a decision is kept for ever; one that was dropped is not."""
    carrier.down |= {"bad", "worse"}
    dropped, waits = await put(engine, "wake", ["bad", "worse"])
    await relay.sweep()
    await ordered(books, DropMessage, dropped)
    carrier.down.clear()
    assert await relay.sweep() == 0
    assert [case.key for case in (await queries.cases()).items] == [letter_key(waits)]
    clock.ahead(timedelta(days=31))
    await prune_outbox(engine, clock.at - timedelta(days=30))
    page = await SqlMessages(engine).messages(MessageFilter(), "", 10)
    assert [item.id for item in page.items] == [waits]


async def refused(books: SqlBooks, kind: type, message: int, name: str) -> Refused:
    """Give an order about a message that must be refused."""
    given: Any = {"id": f"{name}/{message}", "actor": TESTER, "reason": "a test"}
    answer = await books.apply(kind(case=letter_key(message), **given))
    assert isinstance(answer, Refused)
    return answer


async def test_an_order_about_a_message_that_is_not_dead_is_refused_and_changes_nothing(
    engine: AsyncEngine, books: SqlBooks, relay: OutboxRelay, carrier: Carrier, clock: StillClock
) -> None:
    """It waits, was delivered, or was removed since: the refusal says which, and of what number."""
    [message] = await put(engine, "wake", ["good"])
    waits = await refused(books, DropMessage, message, "waits")
    assert (waits.rule, f"message {message} is waiting" in waits.reason) == (
        "message.waiting",
        True,
    )
    assert await relay.sweep() == 1
    for kind, name in ((RetryMessage, "again"), (DropMessage, "off")):
        ended = await refused(books, kind, message, name)
        assert (ended.rule, ended.reason) == ("message.ended", f"message {message} was delivered")
    assert await relay.sweep() == 0
    assert carrier.got == ["good"]
    clock.ahead(timedelta(days=31))
    await prune_outbox(engine, clock.at - timedelta(days=30))
    gone = await refused(books, DropMessage, message, "gone")
    assert (gone.rule, f"message {message} is not in" in gone.reason) == ("message.unknown", True)
    assert (await refused(books, DropMessage, 10**18 - 1, "far")).rule == "message.unknown"


async def test_of_two_orders_in_one_group_the_second_finds_what_the_first_did(
    engine: AsyncEngine, books: SqlBooks, relay: OutboxRelay, carrier: Carrier
) -> None:
    """A letter is dropped once, by whoever orders it first."""
    carrier.down.add("bad")
    [message] = await put(engine, "wake", ["bad"])
    await relay.sweep()
    given: Any = {"actor": TESTER, "reason": "a test", "case": letter_key(message)}
    first, second = await books.apply_many(
        [DropMessage(id="first", **given), DropMessage(id="second", **given)]
    )
    assert isinstance(first, Applied)
    assert isinstance(second, Refused)
    assert second.rule == "message.ended"


async def test_a_case_that_the_books_cannot_take_holds_up_no_other(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    relay: OutboxRelay,
    carrier: Carrier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other gets its case at once; the first has its own as soon as the books take it."""
    carrier.down |= {"a", "b"}
    first, second = await put(engine, "wake", ["a", "b"])
    apply = books.apply

    async def refusing(command: Command) -> object:
        if getattr(command, "message", None) == first:
            raise InvariantBroken("a test")
        return await apply(command)

    with monkeypatch.context() as patched:
        patched.setattr(SqlBooks, "apply", lambda _self, command: refusing(command))
        await relay.sweep()
    assert [case.key for case in (await queries.cases()).items] == [letter_key(second)]
    await relay.sweep()
    assert {case.key for case in (await queries.cases()).items} == {
        letter_key(first),
        letter_key(second),
    }


async def test_of_very_many_dead_letters_only_so_many_have_a_case_at_a_time(
    engine: AsyncEngine,
    books: SqlBooks,
    queries: SqlQueries,
    relay: OutboxRelay,
    carrier: Carrier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An outage fills no queue of people; those that have none yet can be ordered about as well."""
    monkeypatch.setattr(deadletters, "OPEN_MOST", 3)
    streams = [f"s{number}" for number in range(5)]
    carrier.down |= set(streams)
    ids = await put(engine, "wake", streams)
    for _ in range(2):
        await relay.sweep()
    assert [case.key for case in (await queries.cases()).items] == [
        letter_key(one) for one in ids[:3]
    ]
    carrier.down.clear()
    await ordered(books, RetryMessage, ids[0])
    await ordered(books, DropMessage, ids[3])
    assert await relay.sweep() == 1
    await relay.sweep()
    open_cases = {case.key for case in (await queries.cases()).items}
    assert open_cases == {letter_key(ids[number]) for number in (1, 2, 4)}


async def test_messages_without_an_order_do_not_wait_for_each_other(
    engine: AsyncEngine, clock: StillClock, carrier: Carrier
) -> None:
    """A reminder that cannot be sent holds up none behind it, even of its own stream."""

    class Once(Carrier):
        async def deliver(self, row: OutboxRow) -> None:
            if not self.got and not self.down:
                self.down.add(row.stream)
                raise ConnectionError("away")
            self.got.append(row.stream)

    for topic, delivered in ((WAKE, 0), (NOTICE, 1)):
        await put(engine, topic.name, [f"{topic.name}/1", f"{topic.name}/1"])
        relay = OutboxRelay(engine, clock, {topic.name: Once()})
        assert await relay.sweep() == delivered


async def test_messages_are_listed_in_pages_by_topic_and_state(
    engine: AsyncEngine, relay: OutboxRelay, carrier: Carrier
) -> None:
    """Walking while messages are added yields each earlier one once."""
    carrier.down.add("bad")
    await put(engine, "wake", ["bad", "one", "two"])
    await relay.sweep()
    await put(engine, "notice", [f"n{number}" for number in range(5)])
    asked, found, after = SqlMessages(engine), [], ""
    while True:
        page = await asked.messages(MessageFilter(topic="notice"), after, 2)
        found += [item.stream for item in page.items]
        if not (after := page.after):
            break
        if len(found) == 2:
            await put(engine, "notice", ["late"])
    assert found == ["n0", "n1", "n2", "n3", "n4", "late"]
    for state, streams in ((MessageState.DEAD, ["bad"]), (MessageState.DROPPED, [])):
        page = await asked.messages(MessageFilter(state=state), "", 9)
        assert [item.stream for item in page.items] == streams
    for field, wanted, after, limit in (
        ("topic", MessageFilter(topic="song"), "", 9),
        ("after", MessageFilter(), "no-cursor", 9),
        ("after", MessageFilter(), "WyJvdGhlciIsIDFd", 9),
        ("limit", MessageFilter(), "", 0),
    ):
        with pytest.raises(InvalidInput) as fault:
            await asked.messages(wanted, after, limit)
        assert fault.value.field == field
