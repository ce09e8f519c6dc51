"""Controls of an account wait for files of it that are kept and not read, but not for ever."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.collecting import Collected, Collector
from activities.statementcontrols import StatementControls
from activities.statements import StatementActivities, StatementOrder
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.statements.anyfile import StatementFileReader
from ports.archive import WAIT_MOST
from tests.adapters.sql.test_statement_controls import GAP3, day
from tests.adapters.statements import camt_writer
from tests.fakes.sources import FakeSource
from tests.support.booksbench import StillClock
from tests.support.memory import RULES


class Queue:
    """A starter whose readings are run by the test, in whatever order."""

    def __init__(self) -> None:
        self.orders: list[StatementOrder] = []

    async def start_statement(self, tenant: str, sha256: str, account: str = "") -> bool:
        """Put a reading into the queue."""
        self.orders.append(StatementOrder(tenant, sha256, account))
        return True


class Bench:
    """A source of account A, its collector, and real books."""

    def __init__(self, engine: AsyncEngine, clock: StillClock, books: SqlBooks) -> None:
        self.clock, self.queue, self.source = clock, Queue(), FakeSource("A")
        self.archive = SqlArchive(engine, clock)
        self.queries = SqlQueries(engine, clock, RULES)
        self.activities = StatementActivities(self.archive, StatementFileReader(), books)
        self.controls = StatementControls(self.archive, books)
        self.collector = Collector({"A": self.source}, self.archive, books, self.queue, self.clock)

    async def collect(self, *contents: bytes) -> list[StatementOrder]:
        """Offer files, have them taken in one look, and give the readings that it started."""
        for place, content in enumerate(contents):
            self.source.offer(f"{len(self.queue.orders)}-{place}", content, date(2026, 1, 5))
        before = len(self.queue.orders)
        await self.collector.collect("t1", "A", date(2026, 1, 31), Collected())
        started = self.queue.orders[before:]
        assert len(started) == len(contents)
        self.source.files.clear()
        return started

    async def read(self, order: StatementOrder) -> None:
        """Read one file as its workflow does."""
        environment = ActivityEnvironment()
        await environment.run(self.activities.survey, order)
        await environment.run(self.activities.book, order)

    async def breaks(self) -> int:
        """How many cases about statements were ever opened or ended."""
        commands = (await self.queries.counts())["commands"]
        return commands.get("record_statement_break", 0) + commands.get("end_statement_break", 0)

    async def cases(self) -> list[str]:
        """Keys of the open cases about statements, without the kind's first word."""
        found = [it.key for it in (await self.queries.cases()).items]
        return [key.removeprefix("statement_") for key in found if key.startswith("statement_")]


@pytest_asyncio.fixture
async def bench(engine: AsyncEngine, clock: StillClock) -> AsyncIterator[Bench]:
    """Give a bank whose files are read in the order that the test says."""
    async with SqlBooks(engine, clock, RULES) as books:
        yield Bench(engine, clock, books)


FIRST = camt_writer.document(day(1, 0, 100))
SECOND = camt_writer.document(day(2, 100, 150))
THIRD = camt_writer.document(day(3, 150, 180))


async def test_the_later_of_two_files_read_first_opens_no_case(bench: Bench) -> None:
    """3 is read before 2, which the same look has kept: no case is opened and ended for that."""
    (first,) = await bench.collect(FIRST)
    await bench.read(first)
    earlier, later = await bench.collect(SECOND, THIRD)
    await bench.read(later)
    await bench.read(earlier)
    assert await bench.breaks() == 0
    balance = {it.account: it.minor for it in (await bench.queries.balances("bank/")).items}
    assert balance == {"bank/A": 180}


async def test_a_gap_that_waited_is_found_by_the_last_file_that_is_read(bench: Bench) -> None:
    """What lacks when all files are in is a case, though the file that lacks it was read before."""
    far = [camt_writer.document(day(n, 1000 + n, 1001 + n)) for n in range(100, 145)]
    (first,) = await bench.collect(FIRST)
    await bench.read(first)
    orders = await bench.collect(THIRD, *far)
    for order in orders:
        await bench.read(order)
    assert GAP3 in await bench.cases()


async def test_a_refused_file_holds_up_no_control(bench: Bench) -> None:
    """The earlier file cannot be read: the gap is a case at once, and stays one at later looks."""
    (first,) = await bench.collect(FIRST)
    await bench.read(first)
    broken, later = await bench.collect(SECOND[:-40], THIRD)
    await bench.read(later)
    assert await bench.cases() == []
    with pytest.raises(ApplicationError):
        await bench.read(broken)
    assert sorted(await bench.cases()) == sorted([GAP3, f"refused/{broken.sha256}"])


async def test_a_file_that_nobody_reads_holds_up_no_control_for_longer_than_an_hour(
    bench: Bench,
) -> None:
    """Its worker is gone: the look of every few minutes finds the gap when the hour is over."""
    (first,) = await bench.collect(FIRST)
    await bench.read(first)
    _, later = await bench.collect(SECOND, THIRD)
    await bench.read(later)
    bench.clock.at += WAIT_MOST - timedelta(seconds=1)
    assert await bench.controls.look("A") == 0
    bench.clock.at += timedelta(seconds=1)
    assert await bench.controls.look("A") == 1
    assert await bench.cases() == [GAP3]
    assert await bench.controls.look("A") == 0


async def test_files_that_never_stop_coming_hold_up_no_control(bench: Bench) -> None:
    """One is always kept and unread: what was read an hour ago is judged all the same."""
    (first,) = await bench.collect(FIRST)
    await bench.read(first)
    _, later = await bench.collect(SECOND, THIRD)
    await bench.read(later)
    bench.clock.at += WAIT_MOST
    await bench.collect(camt_writer.document(day(9, 1, 2)))
    assert await bench.controls.look("A") == 1
    assert await bench.cases() == [GAP3]


async def test_a_file_of_another_account_is_refused_whatever_source_brings_it(
    bench: Bench,
) -> None:
    """The folder of account A holds a statement of B: a case, no line; handed in for B it reads."""
    (order,) = await bench.collect(camt_writer.document(day(1, 0, 100, account="B")))
    assert order.account == "A"
    with pytest.raises(ApplicationError, match="handed in for A") as refused:
        await bench.read(order)
    assert refused.value.type == "StatementRefused"
    assert await bench.cases() == [f"refused/{order.sha256}"]
    assert (await bench.queries.balances("bank/")).items == ()
    await bench.read(StatementOrder("t1", order.sha256, "B"))
    balance = {it.account: it.minor for it in (await bench.queries.balances("bank/")).items}
    assert balance == {"bank/B": 100}
