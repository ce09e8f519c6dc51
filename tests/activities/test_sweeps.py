"""The day's bulk work: pages, cursors, failures that do not spread, files that are new."""

import dataclasses
import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities import collecting, sweeps
from activities.sweeps import SweepActivities, SweepOrder
from domain.errors import InvalidInput
from ports.archive import StatementRecord
from ports.statementsource import SourceUnavailable, StatementFile
from tests.fakes.bulk import FakeArchive, FakeLedger, FakeOutbox, FakeQueries, FakeStarter
from tests.fakes.clock import FakeClock
from tests.fakes.sources import FakeSource
from tests.support.doors import RecordStatementBreak, RollDay

DAY = date(2026, 12, 1)
ACCOUNTS = ("acc",)


class Bench:
    def __init__(self, loans: int = 0) -> None:
        self.ledger, self.archive, self.starter = FakeLedger(), FakeArchive(), FakeStarter()
        self.queries = FakeQueries([f"L-{number:04d}" for number in range(loans)])
        self.source = FakeSource()
        self.clock = FakeClock()
        self.activities = SweepActivities(
            self.ledger,
            self.queries,
            {"acc": self.source},
            self.archive,
            FakeOutbox(7),
            self.starter,
            self.clock,
        )


async def test_roll_visits_every_loan_once_with_an_id_for_loan_and_day() -> None:
    """Three pages of loans: one RollDay each, under an id that a second sweep repeats."""
    bench = Bench(loans=2 * sweeps.PAGE + 1)
    rolled = await ActivityEnvironment().run(bench.activities.roll, SweepOrder("t1", DAY, "UTC"))
    assert (rolled.loans, rolled.failed) == (2 * sweeps.PAGE + 1, 0)
    first = bench.ledger.applied[f"roll/L-0000/{DAY}"]
    assert isinstance(first, RollDay)
    assert first.day == DAY
    assert len(bench.ledger.applied) == rolled.loans


async def test_loan_that_fails_does_not_stop_the_others() -> None:
    """A poisoned loan is counted; the rest of its page and the later pages are rolled."""
    bench = Bench(loans=sweeps.PAGE + 5)
    bench.ledger.fails = {f"roll/L-0003/{DAY}"}
    rolled = await ActivityEnvironment().run(bench.activities.roll, SweepOrder("t1", DAY))
    assert (rolled.loans, rolled.failed) == (sweeps.PAGE + 4, 1)


async def test_second_try_goes_on_from_the_cursor_of_the_first() -> None:
    """After a crash the heartbeat's cursor and counts are taken up; nothing is rolled twice."""
    bench = Bench(loans=10)
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, heartbeat_details=[[DAY.isoformat(), 8, 0, "L-0007"]]
    )
    rolled = await environment.run(bench.activities.roll, SweepOrder("t1", DAY))
    assert rolled.loans == 10
    assert len(bench.ledger.applied) == 2


async def test_day_of_a_scheduled_sweep_is_today_where_the_product_lives() -> None:
    """Without a day the sweep takes the local date by the clock of the books, not the server's."""
    bench = Bench(loans=1)
    bench.clock.offset = datetime(2026, 12, 1, 17, 0, tzinfo=UTC) - bench.clock.now()
    rolled = await ActivityEnvironment().run(
        bench.activities.roll, SweepOrder("t1", timezone="Asia/Shanghai")
    )
    assert rolled.day == DAY + timedelta(days=1)


async def test_new_files_are_kept_and_started_once() -> None:
    """A file is fetched once and started until it was read; its reading is started once."""
    bench = Bench()
    bench.source.offer("f1", b"s1", DAY)
    bench.source.offer("f2", b"s2", DAY)
    order = SweepOrder("t1", DAY, accounts=ACCOUNTS)
    first = await ActivityEnvironment().run(bench.activities.collect, order)
    again = await ActivityEnvironment().run(bench.activities.collect, order)
    assert (first.offered, first.started) == (2, 2)
    assert (again.offered, again.started) == (2, 0)
    assert bench.source.opened == ["f1", "f2"]


async def test_source_that_is_down_is_named_in_the_report() -> None:
    """A source that cannot be reached is a fault in words, and others are still asked."""
    bench = Bench()

    async def down(*_: object) -> tuple[StatementFile, ...]:
        raise SourceUnavailable("connect")

    bench.source.offered = down  # type: ignore[method-assign, assignment]
    order = SweepOrder("t1", DAY, accounts=(*ACCOUNTS, "nobodys"))
    collected = await ActivityEnvironment().run(bench.activities.collect, order)
    assert collected.faults == (
        "acc: statement source unavailable: connect",
        "nobodys: no source of statements",
    )


async def test_file_that_differs_from_its_announcement_is_kept_and_said() -> None:
    """What came is evidence under its own hash; that it is not what was announced is a fault."""
    bench = Bench()
    bench.source.offer("f1", b"s1", DAY, announced="0" * 64)
    collected = await ActivityEnvironment().run(
        bench.activities.collect, SweepOrder("t1", DAY, accounts=ACCOUNTS)
    )
    assert collected.started == 1
    assert len(collected.faults) == 1


async def test_deliver_empties_the_outbox() -> None:
    """The sweep delivers what was left over."""
    assert await ActivityEnvironment().run(Bench().activities.deliver) == 7


async def test_a_file_that_is_too_large_stops_nobody() -> None:
    """It is a fault and a case; later files are collected."""
    bench = Bench()
    for name in ("f1", "f2", "f3"):
        bench.source.offer(name, name.encode(), DAY)
    bench.source.broken["f1"] = InvalidInput("file", "over 64 bytes", "at most 64 bytes")
    order = SweepOrder("t1", DAY, accounts=ACCOUNTS)
    collected = await ActivityEnvironment().run(bench.activities.collect, order)
    assert collected.faults == ("f1: file: 'over 64 bytes' is refused: at most 64 bytes",)
    assert bench.starter.started == [hashlib.sha256(name).hexdigest() for name in (b"f2", b"f3")]
    cases = [c for c in bench.ledger.applied.values() if isinstance(c, RecordStatementBreak)]
    assert [case.subject for case in cases] == ["acc/f1"]


async def test_files_that_are_known_take_no_place_from_new_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The limit of one sweep counts what is fetched, and says what waits for the next."""
    monkeypatch.setattr(collecting, "FILES_MOST", 2)
    bench = Bench()
    for name in ("f1", "f2", "f3", "f4", "f5"):
        bench.source.offer(name, name.encode(), DAY)
    for content in (b"f1", b"f2"):
        sha256 = hashlib.sha256(content).hexdigest()
        known = StatementRecord(content.decode(), "acc", "CNY", 1, DAY, 0, 0, 0, sha256, ())
        bench.archive.put(content)
        await bench.archive.record_statement(known, ends_file=True)
    order = SweepOrder("t1", DAY, accounts=ACCOUNTS)
    collected = await ActivityEnvironment().run(bench.activities.collect, order)
    assert bench.starter.started == [hashlib.sha256(name).hexdigest() for name in (b"f3", b"f4")]
    assert collected.faults == ("1 files of acc wait for the next look",)
