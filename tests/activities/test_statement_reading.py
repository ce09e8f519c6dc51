"""A file is read on from the page that was booked last, whatever ended the try before."""

import dataclasses
from collections.abc import Sequence

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import statementreading
from activities.statements import BookedFile, StatementActivities, StatementOrder
from domain.kernel.change import Applied, Refused
from ports.archive import Reached
from tests.fakes.bulk import FakeArchive, FakeLedger, FakeReader, statement
from tests.support.doors import AnyCommand, BookLine

LINES, PAGE = 23, 2
"""Two statements of so many lines each: twelve pages, the last of them of one line."""
PAGES = 12
FILE = b"s1,s2"


class Crash(BaseException):
    """The worker is gone: nothing that it would do about an error is done."""


class Pages(FakeLedger):
    """Books that write down each page that is handed to them, and crash or fail on demand.

    Attributes:
        handed: (statement, number of its first line) of each page, in order.
        crash_at: the page, counted in this list from 0, after whose booking the worker is gone.
        poisoned: pages on which the first line fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self.handed: list[tuple[str, int]] = []
        self.crash_at: int | None = None
        self.poisoned: set[tuple[str, int]] = set()

    async def apply_many(
        self, commands: Sequence[AnyCommand]
    ) -> Sequence[Applied | Refused | Exception]:
        first = commands[0]
        assert isinstance(first, BookLine)
        page = (first.statement_id, int(first.line.id.rpartition("/")[2]))
        self.handed.append(page)
        answers = list(await super().apply_many(commands))
        if page in self.poisoned:
            del self.applied[first.id]
            answers[0] = RuntimeError("deadlock")
        if len(self.handed) - 1 == self.crash_at:
            raise Crash
        return answers


class Bench:
    """A file of two statements in an archive, and books to read it into."""

    def __init__(self) -> None:
        amounts = range(1, LINES + 1)
        first = statement("s1", 1, 0, *amounts)
        second = statement("s2", 2, sum(amounts), *amounts)
        self.archive, self.ledger = FakeArchive(), Pages()
        self.reader = FakeReader({"s1": first, "s2": second}, page_lines=PAGE)
        self.activities = StatementActivities(self.archive, self.reader, self.ledger)
        self.sha256 = self.archive.put(FILE)

    async def read(self, attempt: int = 1) -> BookedFile:
        """One try to read the file to its end."""
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=attempt)
        order = StatementOrder("t1", self.sha256)
        return await environment.run(self.activities.book, order)

    async def read_and_crash(self, at: int) -> None:
        """A try that ends with the worker, after it has booked so many pages more."""
        self.ledger.crash_at = len(self.ledger.handed) + at
        with pytest.raises(Crash):
            await self.read()
        self.ledger.crash_at = None

    def every_page(self) -> list[tuple[str, int]]:
        """Each page of the file once, in order."""
        return [(name, 1 + PAGE * number) for name in ("s1", "s2") for number in range(PAGES)]


@pytest.mark.parametrize("at", range(2 * PAGES))
async def test_of_a_crash_at_any_page_only_that_page_is_booked_again(at: int) -> None:
    """Booked, and gone before it is remembered: the next try begins with that very page."""
    bench = Bench()
    await bench.read_and_crash(at)
    booked = await bench.read(attempt=2)
    pages = bench.every_page()
    assert bench.ledger.handed == [*pages[: at + 1], *pages[at:]]
    assert (booked.lines, booked.statements, booked.faults) == (2 * LINES, 2, ())
    assert len(bench.ledger.applied) == 2 * LINES
    assert bench.archive.record("s2").lines == LINES


async def test_a_worker_that_dies_again_and_again_gets_to_the_end() -> None:
    """Each try books a page more and dies in the next: no try begins before the last one ended."""
    bench = Bench()
    for _ in range(2 * PAGES - 1):
        await bench.read_and_crash(1)
    await bench.read()
    assert len(bench.ledger.handed) == 2 * (2 * PAGES - 1) + 1
    assert len(bench.ledger.applied) == 2 * LINES


async def test_only_pages_with_lines_that_failed_are_tried_again() -> None:
    """The rest is booked first; then those pages, and the last one, which nothing comes after."""
    bench = Bench()
    bench.ledger.poisoned = {("s1", 5), ("s2", 1)}
    with pytest.raises(ApplicationError, match="2 lines failed, the first acc/s1/5: deadlock"):
        await bench.read()
    assert bench.ledger.handed == bench.every_page()
    bench.ledger.handed.clear()
    bench.ledger.poisoned = {("s2", 1)}
    with pytest.raises(ApplicationError, match="1 lines failed"):
        await bench.read(attempt=2)
    assert bench.ledger.handed == [("s1", 5), ("s2", 1), ("s2", 23)]
    bench.ledger.handed.clear()
    bench.ledger.poisoned = set()
    await bench.read(attempt=3)
    assert bench.ledger.handed == [("s2", 1), ("s2", 23)]
    assert len(bench.ledger.applied) == 2 * LINES


async def test_a_line_that_failed_is_not_lost_in_a_crash_after_it() -> None:
    """Its page is read again with the page that was in hand, though it lies before it."""
    bench = Bench()
    bench.ledger.poisoned = {("s1", 5)}
    await bench.read_and_crash(6)
    bench.ledger.handed.clear()
    bench.ledger.poisoned = set()
    await bench.read(attempt=2)
    assert bench.ledger.handed == [("s1", 5), *bench.every_page()[6:]]
    assert len(bench.ledger.applied) == 2 * LINES


async def test_where_too_many_pages_failed_the_rest_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is remembered has a limit; beyond it nothing counts as read, so nothing is lost."""
    monkeypatch.setattr(statementreading, "AGAIN_MOST", 2)
    bench = Bench()
    bench.ledger.poisoned = {("s1", 1), ("s1", 5), ("s1", 9)}
    with pytest.raises(ApplicationError, match="3 lines failed"):
        await bench.read()
    bench.ledger.handed.clear()
    bench.ledger.poisoned = set()
    await bench.read(attempt=2)
    assert bench.ledger.handed == [("s1", 1), ("s1", 5), *bench.every_page()[4:]]
    assert len(bench.ledger.applied) == 2 * LINES


async def test_lines_known_before_are_counted_once_over_all_tries() -> None:
    """What a try before this one booked was not known before; what another file brought was."""
    bench = Bench()
    other = Bench()
    await other.read()
    known = {name: one for name, one in other.ledger.applied.items() if "/s1/" in name}
    bench.ledger.applied = known
    await bench.read_and_crash(PAGES + 2)
    assert bench.archive.progress[bench.sha256] == Reached(1, 1, known=LINES)
    booked = await bench.read(attempt=2)
    assert booked.known_before == LINES + PAGE  # of the page that was in hand it cannot be told


async def test_a_second_reader_of_one_file_stops() -> None:
    """A worker that was taken for dead and lives finds that another one has gone on."""
    bench = Bench()
    handed = bench.ledger.apply_many

    async def overtaken(commands: Sequence[AnyCommand]) -> object:
        if len(bench.ledger.handed) == 3:
            bench.archive.progress[bench.sha256] = Reached(0, 7)
        return await handed(commands)

    bench.ledger.apply_many = overtaken  # type: ignore[method-assign, assignment]
    with pytest.raises(ApplicationError, match="another worker") as stopped:
        await bench.read()
    assert (stopped.value.type, stopped.value.non_retryable) == ("ReadElsewhere", False)
    assert bench.archive.progress[bench.sha256] == Reached(0, 7)
    assert bench.archive.records == {}


async def test_a_file_that_was_read_begins_at_its_beginning() -> None:
    """Nothing of a reading is left when it has ended, so a copy is looked at whole."""
    bench = Bench()
    await bench.read()
    assert bench.archive.progress == {}
    bench.ledger.handed.clear()
    again = await bench.read()
    assert bench.ledger.handed == bench.every_page()
    assert (again.known_before, again.statements_known_before) == (2 * LINES, 2)


async def test_a_page_without_lines_is_passed_like_any_other() -> None:
    """A statement that reports nothing is recorded, and is no obstacle to what is behind it."""
    bench = Bench()
    bench.reader.known["s1"] = statement("s1", 1, 0)
    bench.reader.known["s2"] = dataclasses.replace(
        bench.reader.known["s2"], opening_minor=0, closing_minor=276
    )
    await bench.read_and_crash(3)
    bench.ledger.handed.clear()
    booked = await bench.read(attempt=2)
    assert bench.ledger.handed == bench.every_page()[PAGES + 3 :]
    assert (booked.statements, booked.lines, booked.faults) == (2, LINES, ())
