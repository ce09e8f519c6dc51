"""Files of folders and servers are taken once and whole, whatever dies in between."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from activities import collecting
from activities.collecting import Collected, Collector
from adapters.sources.folder import Folder, FolderStatements
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.errors import InvalidInput
from ports.archive import Look, StatementRecord
from ports.statementsource import SourceUnavailable
from tests.fakes.bulk import FakeStarter
from tests.fakes.sources import FakeSource
from tests.support.booksbench import StillClock

DAY = date(2026, 3, 2)
SETTLE = timedelta(seconds=60)


class Bench:
    def __init__(
        self, engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries
    ) -> None:
        self.source = FakeSource(settle_s=60.0, done=[], aside=[])
        self.archive, self.starter, self.clock = SqlArchive(engine, clock), FakeStarter(), clock
        self.books, self.queries = books, queries

    async def look(self, *, later: timedelta = timedelta()) -> Collected:
        """Look at the source once more, after some time."""
        self.clock.at += later
        collector = Collector(
            {"acc": self.source}, self.archive, self.books, self.starter, self.clock
        )
        return await collector.collect("t1", "acc", DAY, Collected())

    async def cases(self) -> list[str]:
        return [case.key for case in (await self.queries.cases()).items]


@pytest.fixture
def bench(engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries) -> Bench:
    """Give a source that moves files, with real books behind it."""
    return Bench(engine, clock, books, queries)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_a_file_is_taken_when_it_has_stood_still(bench: Bench) -> None:
    """Not at the first look, not while it grows; once, and then it is moved."""
    bench.source.show("f", b"part")
    assert (await bench.look()).started == 0
    bench.source.show("f", b"part and more")
    assert (await bench.look(later=SETTLE)).started == 0
    assert (await bench.look(later=SETTLE / 2)).started == 0
    assert bench.source.opened == []
    taken = await bench.look(later=SETTLE / 2)
    assert (taken.offered, taken.started, taken.faults) == (1, 1, ())
    assert bench.starter.started == [sha256(b"part and more")]
    assert (bench.source.done, bench.source.opened) == (["f"], ["f"])
    assert await bench.archive.look_at("acc", {}) == {}


async def test_one_content_under_two_names_is_read_once(bench: Bench) -> None:
    """Both are moved, and so is one that comes again a year later."""
    for name in ("f", "g"):
        bench.source.show(name, b"same")
    await bench.look()
    await bench.look(later=SETTLE)
    assert bench.starter.started == [sha256(b"same")]
    record = StatementRecord("S", "acc", "CNY", 1, DAY, 0, 0, 0, sha256(b"same"), ())
    await bench.archive.record_statement(record, ends_file=True)
    bench.source.show("f", b"same")
    await bench.look()
    assert (await bench.look(later=SETTLE)).started == 0
    assert sorted(bench.source.done or ()) == ["f", "f", "g"]


async def test_a_file_that_stays_is_fetched_once(bench: Bench) -> None:
    """Where files are left at the source, its looks are remembered; other content is news."""
    bench.source.done = None
    bench.source.show("f", b"one")
    for _ in range(4):
        await bench.look(later=SETTLE)
    assert bench.source.opened == ["f"]
    bench.source.show("f", b"two")
    for _ in range(3):
        await bench.look(later=SETTLE)
    assert bench.starter.started == [sha256(b"one"), sha256(b"two")]


@pytest.mark.parametrize("dies", ["keep", "look", "start", "move"])
async def test_whoever_dies_in_between_loses_nothing_and_reads_nothing_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Before and after keeping, before starting, before moving: the next look goes on."""

    async def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    where: dict[str, tuple[object, str]] = {
        "keep": (bench.archive, "keep"),
        "look": (bench.archive, "looked"),
        "start": (bench.starter, "start_statement"),
        "move": (bench.source, "taken"),
    }
    bench.source.show("f", b"content")
    await bench.look()
    with monkeypatch.context() as patch:
        patch.setattr(*where[dies], killed)
        with pytest.raises(KeyboardInterrupt):
            await bench.look(later=SETTLE)
    assert bench.source.done == []
    await bench.look()
    assert bench.starter.started == [sha256(b"content")]
    assert bench.source.done == ["f"]


async def test_a_file_that_cannot_be_taken_is_put_aside_with_a_case(bench: Bench) -> None:
    """The file behind it is taken; the case ends when another content comes under its name."""
    bench.source.show("a", b"too large")
    bench.source.show("b", b"good")
    bench.source.broken["a"] = InvalidInput("file", "over 4 bytes", "at most 4 bytes")
    await bench.look()
    done = await bench.look(later=SETTLE)
    assert done.faults == ("a: file: 'over 4 bytes' is refused: at most 4 bytes",)
    assert bench.starter.started == [sha256(b"good")]
    assert (bench.source.aside, await bench.cases()) == (["a"], ["statement_not_fetched/acc/a"])


async def test_a_refused_file_that_stays_is_not_fetched_again_until_it_changes(
    bench: Bench,
) -> None:
    """It cannot be moved: one fetch, one case; corrected in its place it is taken, case ended."""
    bench.source.show("a", b"too large")
    bench.source.broken["a"] = InvalidInput("file", "over 4 bytes", "at most 4 bytes")
    bench.source.stuck["a"] = SourceUnavailable("no right to do this")
    for _ in range(4):
        await bench.look(later=SETTLE)
    assert bench.source.opened == ["a"]
    assert await bench.cases() == ["statement_not_fetched/acc/a"]
    bench.source.show("a", b"good")
    bench.source.broken.clear()
    await bench.look()
    taken = await bench.look(later=SETTLE)
    assert bench.starter.started == [sha256(b"good")]
    assert await bench.cases() == []
    stays = "a: it is kept and stays where it is: statement source unavailable: no right to do this"
    assert taken.faults == (stays,)


async def test_a_full_disk_of_ours_is_a_fault_of_each_file(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is moved and nothing is lost; with room again it is taken."""
    bench.source.show("f", b"content")
    await bench.look()

    async def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(bench.archive, "keep", full)
        done = await bench.look(later=SETTLE)
    assert done.faults == ("f: it cannot be kept: No space left on device",)
    assert (await bench.look()).started == 1


async def test_a_source_with_more_files_than_a_look_fetches(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is told and comes with the next look."""
    monkeypatch.setattr(collecting, "FILES_MOST", 2)
    for name in ("a", "b", "c"):
        bench.source.show(name, name.encode())
    await bench.look()
    done = await bench.look(later=SETTLE)
    assert (done.started, done.faults) == (2, ("1 files of acc wait for the next look",))
    assert (await bench.look()).started == 1


async def test_what_became_of_a_file_is_not_said_of_one_that_has_changed_meanwhile(
    bench: Bench,
) -> None:
    """Two processes look: the one that took the old content does not mark the new one as taken."""
    old = (await bench.archive.look_at("acc", {"f": "1"}))["f"]
    await bench.archive.look_at("acc", {"f": "2"})
    await bench.archive.looked("acc", "f", Look(old.stamp, old.since, "a" * 64))
    look = (await bench.archive.look_at("acc", {"f": "2"}))["f"]
    assert (look.stamp, look.sha256) == ("2", None)
    assert (await bench.archive.look_at("other", {"f": "1"}))["f"].sha256 is None


async def test_a_real_folder_is_emptied_into_the_books(bench: Bench, tmp_path: Path) -> None:
    """A file in a folder is kept byte for byte and lies among the done ones."""
    folder = Folder(tmp_path / "in", done=tmp_path / "done", settle_s=60.0)
    folder.path.mkdir()
    (folder.path / "day.xml").write_bytes(b"statement")
    bench.source = FolderStatements("acc", folder)  # type: ignore[assignment]
    await bench.look()
    assert (await bench.look(later=SETTLE)).started == 1
    async with bench.archive.open(sha256(b"statement")) as source:
        assert source.read() == b"statement"
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["day.xml"]
    assert list(folder.path.iterdir()) == []


async def test_files_that_cannot_be_opened_hold_up_none_that_can(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as one look fetches fail each time: the look after the first takes the good one."""
    monkeypatch.setattr(collecting, "FILES_MOST", 3)
    for name in "abcd":
        bench.source.show(name, b"locked")
        bench.source.broken[name] = SourceUnavailable("no right to do this")
    bench.source.show("z", b"good")
    collector = Collector(
        {"acc": bench.source}, bench.archive, bench.books, bench.starter, bench.clock
    )
    await bench.look()
    bench.clock.at += SETTLE
    for _ in range(2):
        await collector.collect("t1", "acc", DAY, Collected())
    assert bench.starter.started == [sha256(b"good")]
    assert bench.source.opened[:5] == ["a", "b", "c", "d", "z"]
