"""Lines of one file that fail alike: cases for the first, items of one case for all further ones.

Each item keeps its own amount, is cleared by what explains its line, and the last ends the case.
"""

import dataclasses
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.statements import LINE_TRIES, StatementActivities, StatementOrder
from adapters.sql.engine import is_postgres
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import case_items, cases, outbox
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.deciding import Domain
from adapters.sql.write.lookup import lookups
from domain.case.item import ALIKE_MOST
from domain.kernel.change import Refusal
from domain.loan.change import Aggregates, Change
from domain.loan.decide import decide
from domain.statement.statement import LineItem, Statement, StatementLine
from domain.story.events import Moved
from ports.casefilter import CaseFilter
from tests.fakes.bulk import FakeReader
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock, apply_all, line, roll
from tests.support.doors import AnyCommand, BookLine, RecordPayment
from tests.support.explaining import Explain
from tests.support.memory import RULES, TESTER, board
from tests.support.stories import WHOLE, effects

DUE = date(2026, 3, 10)
FILE = "f" * 64
CASE = f"items/unmatched_line/CNY/{FILE}"
PAGE = 500


def strangers(first: int, last: int, file: str = FILE, minor: int = 10100) -> list[BookLine]:
    """Lines of one file that nothing explains, by their numbers."""
    return [
        replace(line(f"T-{number}", minor, day=DUE, name=f"{number:06}"), file=file)
        for number in range(first, last)
    ]


def name_of(number: int) -> str:
    return f"ACCT-FUNDER-1-CNY/S1/{number:06}"


def pay(number: int, installment: int = 1) -> RecordPayment:
    """A transfer that was reported with the reference of one of the lines."""
    return RecordPayment(
        id=f"pay/{number}",
        actor=TESTER,
        reason="reported by the borrower",
        loan_id="L1",
        number=installment,
        reference=f"T-{number}",
        amount_minor=10100,
        currency="CNY",
        value_on=DUE,
    )


async def counted(engine: AsyncEngine, table: object, *where: object) -> int:
    async with engine.connect() as conn:
        asked = select(func.count()).select_from(table).where(*where)  # type: ignore[arg-type]
        return int((await conn.execute(asked)).scalar_one())


async def flood(books: SqlBooks, many: int, file: str = FILE) -> None:
    """Book so many lines that nothing explains, in pages as the reader of statements does."""
    for first in range(0, many, PAGE):
        for answer in await books.apply_many(strangers(first, min(first + PAGE, many), file)):
            assert not isinstance(answer, Exception), answer


async def bounded(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, many: int, memory_most: int
) -> None:
    """Have many lines booked; the cases, messages, commits and memory that this took."""
    await flood(books, PAGE)
    tracemalloc.start()
    commits = books.counters.commits
    await flood(books, many)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert books.counters.commits - commits <= many / 200 + 1
    assert used < memory_most, used
    assert await counted(engine, cases) == ALIKE_MOST + 1
    assert await counted(engine, outbox) == 0, "no workflow is started"
    assert await counted(engine, case_items) == many - ALIKE_MOST
    case = await queries.case(CASE)
    assert case is not None
    assert (case.items, case.items_ever) == (many - ALIKE_MOST, many - ALIKE_MOST)
    assert case.amount_minor == 10100 * (many - ALIKE_MOST)


async def test_very_many_lines_that_fail_alike_are_a_bounded_number_of_cases(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries
) -> None:
    """201 cases, no workflow, a commit for hundreds of lines; each line waits for itself."""
    many = 2_000
    await bounded(engine, books, queries, many, 64_000_000)
    waiting = [one for one in (await queries.balances("suspense/line/")).items if one.minor]
    assert len(waiting) == many
    assert {one.minor for one in waiting} == {-10100}
    assert (await queries.verify()).faults == ()


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_a_hundred_thousand_lines_that_fail_alike_are_a_bounded_number_of_cases(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries
) -> None:
    """As above at full size, in the memory of the small one: it does not grow with the file."""
    await bounded(engine, books, queries, 100_000, 64_000_000)


async def test_an_item_ends_by_what_explains_its_line_and_the_last_ends_the_case(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Whichever way the lines are named; the reason stands with each item and with the case."""
    await apply_all(books, [board()])
    clock.to(DUE)
    await books.apply(roll("L1", DUE))
    await flood(books, ALIKE_MOST + 2)
    for number in (ALIKE_MOST, ALIKE_MOST + 1):
        case = await queries.case(CASE)
        assert case is not None
        assert case.is_open
        await apply_all(books, [pay(number)])
        items = {item.line: item for item in (await queries.case_items(CASE, "", 10)).items}
        assert not items[name_of(number)].is_open
        assert "explained" in items[name_of(number)].reason
    case = await queries.case(CASE)
    assert case is not None
    assert (case.is_open, case.items, case.items_ever, case.amount_minor) == (False, 0, 2, 0)
    assert case.resolution == "cleared"
    story = (await queries.history(case.subject, *WHOLE)).items
    told = [effect for _, effect in effects(story)]
    moves = [(one.event, one.detail) for one in told if isinstance(one, Moved)]
    assert [what for what, _ in moves] == ["case_opened", "case_resolved"], "items are listed apart"
    assert name_of(ALIKE_MOST + 1) in moves[-1][1]
    assert "explained" in moves[-1][1]
    assert (await queries.verify()).faults == ()


async def test_lines_of_the_file_that_come_after_its_items_ended_open_their_case_again(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """No line gets a case of its own again because others were explained meanwhile."""
    await apply_all(books, [board()])
    clock.to(DUE)
    await books.apply(roll("L1", DUE))
    await flood(books, ALIKE_MOST + 1)
    await apply_all(books, [pay(0), pay(ALIKE_MOST)])
    await apply_all(books, strangers(ALIKE_MOST + 1, ALIKE_MOST + 3))
    case = await queries.case(CASE)
    assert case is not None
    assert (case.is_open, case.generation, case.items, case.items_ever) == (True, 2, 2, 3)
    assert (await queries.verify()).faults == ()


async def test_the_same_file_again_adds_nothing(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries
) -> None:
    """By the same command, or as another reading of the line under another id."""
    await flood(books, ALIKE_MOST + 5)
    before = await queries.case(CASE)
    await flood(books, ALIKE_MOST + 5)
    again = strangers(ALIKE_MOST, ALIKE_MOST + 5)
    await apply_all(books, [replace(one, id=f"{one.id}/again") for one in again])
    other = strangers(0, ALIKE_MOST + 5, file="e" * 64)
    await apply_all(books, other)
    assert await queries.case(CASE) == before
    assert await counted(engine, cases) == ALIKE_MOST + 1


async def test_files_currencies_and_lines_that_name_a_loan_are_apart(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries
) -> None:
    """What is counted together is what failed alike in one file; a loan is never one of many."""
    await apply_all(books, [board()])
    await flood(books, ALIKE_MOST + 1)
    await apply_all(books, strangers(1000, 1001, file="e" * 64))
    [euro] = strangers(2000, 2001)
    await apply_all(books, [replace(euro, line=replace(euro.line, currency="EUR"))])
    [taken] = strangers(3000, 3001, minor=-500)
    item = LineItem(None, "M-L1", None, -500)
    await apply_all(books, [replace(taken, line=replace(taken.line, items=(item,)))])
    assert await counted(engine, case_items) == 1
    assert await counted(engine, cases) == ALIKE_MOST + 1 + 3
    found, _ = await queries.case_list(CaseFilter(loan_id="L1"), StillClock().now(), "", 10)
    [about] = found.items
    assert about.detail.line == name_of(3000)


async def test_two_processes_that_read_one_file_make_one_case_of_its_items(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Whoever comes second sees the case of the first, and none of its items is lost."""
    await flood(books, ALIKE_MOST)
    async with SqlBooks(engine, clock, RULES) as other:
        mine = strangers(ALIKE_MOST, ALIKE_MOST + 300)
        theirs = strangers(ALIKE_MOST + 100, ALIKE_MOST + 400)
        done = [*await books.apply_many(mine), *await other.apply_many(theirs)]
    assert not [answer for answer in done if isinstance(answer, Exception)]
    case = await queries.case(CASE)
    assert case is not None
    assert (case.items, await counted(engine, case_items)) == (400, 400)
    assert (await queries.verify()).faults == ()


async def test_items_are_listed_in_pages_and_a_changed_row_is_found(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """In order of line, each with its own amount and text; open ones alone where asked."""
    await apply_all(books, [board()])
    clock.to(DUE)
    await flood(books, ALIKE_MOST + 5)
    await apply_all(books, [pay(ALIKE_MOST + 1)])
    first = await queries.case_items(CASE, "", 2)
    rest = await queries.case_items(CASE, first.after, 10)
    assert rest.after == ""
    lines = [item.line for item in (*first.items, *rest.items)]
    assert lines == [name_of(ALIKE_MOST + number) for number in range(5)]
    assert {item.amount_minor for item in first.items} == {10100}
    assert first.items[0].line in first.items[0].text
    left = (await queries.case_items(CASE, "", 10, open_only=True)).items
    assert name_of(ALIKE_MOST + 1) not in {item.line for item in left}
    assert len(left) == 4
    async with engine.begin() as conn:
        await conn.execute(case_items.delete().where(case_items.c.line == lines[-1]))
    faults = (await queries.verify()).faults
    assert len(faults) == 1
    assert CASE in faults[0]


async def test_items_of_lines_are_found_by_an_index(engine: AsyncEngine, books: SqlBooks) -> None:
    """However many cases there are, a group of lines does not read them all."""
    if not is_postgres(engine):
        pytest.skip("asked of the planner of PostgreSQL")
    await flood(books, 600)
    asked = lookups(postgres=True).lock_cases
    async with engine.connect() as conn:
        await conn.exec_driver_sql("ANALYZE")
        await conn.exec_driver_sql("SET enable_seqscan = off")
        params = {name: ["x"] for name in ("loans", "lines", "keys")}
        found = await conn.execute(Explain(asked, "EXPLAIN"), params)
        plan = "\n".join(row[0] for row in found)
    assert "Seq Scan on cases" not in plan, plan
    assert "Seq Scan on case_items" not in plan, plan


# --- lines that the books do not take ------------------------------------------------------------

POISON = 666


def moody(aggregates: Aggregates, command: AnyCommand) -> Change | Refusal:
    """Fail on lines of one amount, as a decision with a fault in it would."""
    if isinstance(command, BookLine) and command.line.amount_minor == POISON and Moods.bad:
        raise RuntimeError("no such line was thought of")
    return decide(aggregates, command)


class Moods:
    """Whether the fault in the decision is still there."""

    bad = True


class Broken:
    """A file of lines that the books do not take, and who reads it."""

    def __init__(self, engine: AsyncEngine, clock: StillClock, books: SqlBooks, many: int) -> None:
        self.books, self.many = books, many
        lines = tuple(
            StatementLine(f"A/{DUE}/{number:06}", "A", DUE, DUE, POISON, "CNY", None)
            for number in range(many)
        )
        total = POISON * many
        statement = Statement("S1", "A", "CNY", 1, DUE, 0, total, lines, period=(DUE, DUE))
        self.archive = SqlArchive(engine, clock)
        reader = FakeReader({"s1": statement}, page_lines=100)
        self.activities = StatementActivities(self.archive, reader, books)

    async def read(self, attempt: int, run: str = "run-1") -> Sequence[str]:
        sha256 = await self.archive.keep("statement", in_parts(b"s1"))
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(
            environment.info, attempt=attempt, workflow_run_id=run
        )
        done = await environment.run(self.activities.book, StatementOrder("t1", sha256))
        return done.faults


@pytest_asyncio.fixture
async def broken(engine: AsyncEngine, clock: StillClock) -> AsyncIterator[Broken]:
    """Give a file of 450 lines that the books do not take."""
    Moods.bad = True
    async with SqlBooks(engine, clock, RULES, domain=Domain(decide=moody)) as books:
        yield Broken(engine, clock, books, 450)


async def test_lines_that_cannot_be_booked_are_items_until_they_are(
    engine: AsyncEngine, broken: Broken, queries: SqlQueries
) -> None:
    """On the last try each is kept; read again, nothing is added; booked, each is cleared."""
    assert await broken.read(LINE_TRIES) == ("lines_failed: 450 of 450 lines of S1",)
    assert await broken.read(LINE_TRIES) == ("lines_failed: 450 of 450 lines of S1",)
    assert await counted(engine, cases) == ALIKE_MOST + 1
    assert await counted(engine, case_items) == 450 - ALIKE_MOST
    [found] = [case for case in (await queries.cases()).items if case.items_ever]
    assert (found.kind, found.items) == ("line_failed", 250)
    assert found.amount_minor == 250 * POISON
    [item] = (await queries.case_items(found.key, "", 1)).items
    assert "RuntimeError" in item.text
    Moods.bad = False
    await broken.read(1, run="run-2")
    after = await queries.case(found.key)
    assert after is not None
    assert (after.is_open, after.items, after.items_ever) == (False, 0, 250)
    assert not [case for case in (await queries.cases()).items if case.kind == "line_failed"]
    assert (await queries.verify()).faults == ()


async def test_a_line_that_fails_again_after_it_was_ended_by_hand_stays_one_item(
    engine: AsyncEngine, broken: Broken, queries: SqlQueries
) -> None:
    """Read in another run, which fails too, a file names no line twice."""
    await broken.read(LINE_TRIES)
    before = await queries.cases()
    await broken.read(LINE_TRIES, run="run-2")
    assert await queries.cases() == before
    assert await counted(engine, case_items) == 250
