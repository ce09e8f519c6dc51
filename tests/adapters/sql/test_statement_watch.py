"""The look of every few minutes: overdue days by calendar and clock; no fault holds up others."""

from datetime import UTC, date, datetime, time

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.collecting import Collector
from activities.statementcontrols import StatementControls
from activities.statementwatch import StatementWatch, Watched, WatchOrder
from adapters.calendars import load_calendar
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.statement.expected import Expected
from ports.archive import StatementRecord
from ports.statementsource import SourceUnavailable, StatementFile
from tests.fakes.bulk import FakeStarter
from tests.fakes.sources import FakeSource
from tests.support.booksbench import StillClock


class Bench:
    """A watch over account A, whose bank is in China, and B, whose bank is in Britain."""

    def __init__(
        self, engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries
    ) -> None:
        self.archive, self.clock, self.queries = SqlArchive(engine, clock), clock, queries
        self.source, self.starter = FakeSource("A"), FakeStarter()
        self.controls = StatementControls(self.archive, books)
        collector = Collector({"A": self.source}, self.archive, books, self.starter, clock)
        expected = {
            "A": Expected(
                "A", load_calendar("CN"), time(9), "Asia/Shanghai", since=date(2026, 9, 28)
            ),
            "B": Expected(
                "B", load_calendar("ENGLAND"), time(8), "Europe/London", since=date(2026, 10, 22)
            ),
        }
        self.watch = StatementWatch(
            collector, self.controls, self.archive, clock, ("A",), ("A", "C"), expected
        )

    async def look(self, at: datetime) -> Watched:
        self.clock.at = at
        return await ActivityEnvironment().run(self.watch.watch, WatchOrder("t1"))

    async def missing(self) -> list[str]:
        found = (await self.queries.cases()).items
        return sorted(
            case.key.removeprefix("statement_missing/")
            for case in found
            if case.kind == "statement_missing"
        )

    async def known(self, account: str, first: date, last: date) -> None:
        """A statement of these days has been read."""
        record = StatementRecord(
            f"S{first}", account, "CNY", None, last, 0, 0, 0, "a" * 64, (), 0, 0, first, last
        )
        await self.archive.record_statement(record, ends_file=False)


@pytest.fixture
def bench(engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries) -> Bench:
    """Give a watch over real books of each kind."""
    return Bench(engine, clock, books, queries)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


async def test_no_case_for_a_week_of_holidays_and_one_for_each_day_after_it(bench: Bench) -> None:
    """The national holiday of October 2026 has no statements; the day before it is due after it."""
    await bench.known("A", date(2026, 9, 28), date(2026, 9, 29))
    await bench.look(utc(10, 8, 0, 59))  # 8.59 in Shanghai, the first banking day again
    assert await bench.missing() == []
    done = await bench.look(utc(10, 8, 1))
    assert (await bench.missing(), done.cases) == (["A/2026-09-30"], 1)
    assert (await bench.look(utc(10, 8, 1, 5))).cases == 0
    await bench.known("A", date(2026, 9, 30), date(2026, 9, 30))
    assert (await bench.look(utc(10, 8, 1, 10))).cases == 1
    assert await bench.missing() == []


async def test_the_hour_is_the_banks_on_both_sides_of_a_change_of_clocks(bench: Bench) -> None:
    """Until 25 October 2026 eight in London is 7 UTC, from then on 8 UTC."""
    await bench.known("A", date(2026, 9, 1), date(2026, 10, 31))
    await bench.look(utc(10, 23, 6, 59))
    assert await bench.missing() == []
    await bench.look(utc(10, 23, 7))
    assert await bench.missing() == ["B/2026-10-22"]
    await bench.look(utc(10, 26, 7, 59))
    assert await bench.missing() == ["B/2026-10-22"]
    await bench.look(utc(10, 26, 8))
    assert await bench.missing() == ["B/2026-10-22", "B/2026-10-23"]


async def test_what_fails_for_one_account_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source of A is down and its controls fail: B's overdue day is a case all the same."""
    look = bench.controls.look

    async def down(*_: object) -> tuple[StatementFile, ...]:
        raise SourceUnavailable("connect")

    async def faulty(account: str) -> int:
        if account == "A":
            raise RuntimeError("a fault of ours")
        return await look(account)

    monkeypatch.setattr(bench.source, "offered", down)
    monkeypatch.setattr(bench.controls, "look", faulty)
    await bench.known("A", date(2026, 9, 1), date(2026, 10, 31))
    done = await bench.look(utc(10, 23, 7))
    assert done.faults == (
        "A: statement source unavailable: connect",
        "A: its controls could not be looked at; the log says why",
    )
    assert await bench.missing() == ["B/2026-10-22"]


async def test_files_of_a_watched_source_are_taken(bench: Bench) -> None:
    """Kept, started and counted; a fault of our own in it is named and nothing more."""
    bench.source.show("f", b"content")
    done = await bench.look(utc(9, 28, 1))
    assert (done.offered, done.started, len(bench.starter.started)) == (1, 1, 1)
    bench.source.broken["g"] = RuntimeError("a fault of ours")
    bench.source.show("g", b"other")
    done = await bench.look(utc(9, 28, 1, 5))
    assert done.faults == ("A: its files could not be looked at; the log says why",)
