"""Statement files as banks give them, taken into real books: every booking counts once."""

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.statements import LINE_TRIES, BookedFile, StatementActivities, StatementOrder
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.deciding import Domain
from adapters.statements.anyfile import StatementFileReader
from domain.kernel.change import Refusal
from domain.loan.change import Aggregates, Change
from domain.loan.decide import decide
from domain.statement.statement import LineItem, Statement, StatementLine
from ports.archive import Reached, StatementRecord
from tests.adapters.statements import camt_writer
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock
from tests.support.doors import AnyCommand, BookLine
from tests.support.memory import RULES

JAN = date(2026, 1, 5)
POISON = 666


def moody(aggregates: Aggregates, command: AnyCommand) -> Change | Refusal:
    """Fail on a line of one amount, as a decision with a fault in it would."""
    if isinstance(command, BookLine) and command.line.amount_minor == POISON:
        raise RuntimeError("no such line was thought of")
    return decide(aggregates, command)


class Bank:
    """Gives files to the books and looks at what stands in them."""

    def __init__(self, engine: AsyncEngine, clock: StillClock, books: SqlBooks) -> None:
        self.archive = SqlArchive(engine, clock)
        self.queries = SqlQueries(engine, clock, RULES)
        self.books = books
        self.activities = StatementActivities(self.archive, StatementFileReader(), books)

    async def give(self, *statements: Statement, attempt: int = 1) -> BookedFile:
        """Have a file read and booked."""
        return await self.send(camt_writer.document(*statements), attempt)

    async def send(self, content: bytes, attempt: int = 1) -> BookedFile:
        """Have the bytes of a file surveyed and booked."""
        order = StatementOrder("t1", await self.archive.keep("statement", in_parts(content)))
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=attempt)
        await environment.run(self.activities.survey, order)
        return await environment.run(self.activities.book, order)

    async def balances(self) -> dict[str, int]:
        """What the books hold on each bank account."""
        sums: Counter[str] = Counter()
        async for posting in self.queries.journal():
            kind, _, account = posting.account.partition("/")
            if kind == "bank":
                sums[account] += posting.minor
        return dict(sums)

    async def cases(self) -> list[str]:
        """Kinds of the open cases."""
        return sorted(case.kind for case in (await self.queries.cases()).items)


@pytest_asyncio.fixture
async def bank(engine: AsyncEngine, clock: StillClock) -> AsyncIterator[Bank]:
    """Give a bank with empty books, whose decisions fail on one amount."""
    async with SqlBooks(engine, clock, RULES, domain=Domain(decide=moody)) as books:
        yield Bank(engine, clock, books)


def line(minor: int, ref: str | None = None, day: date = JAN, e2e: str = "E1") -> StatementLine:
    item = LineItem(e2e, None, None, minor)
    return StatementLine("", "A", day, day, minor, "CNY", ref, items=(item,))


def day(
    name: str, opening: int | None, closing: int | None, *lines: StatementLine, on: date = JAN
) -> Statement:
    return Statement(name, "A", "CNY", None, on, opening, closing, lines, period=(on, on))


@pytest.mark.parametrize("ref", ["SR-1", None])
async def test_a_day_and_its_month_count_one_booking_once(bank: Bank, ref: str | None) -> None:
    """With and without the bank's reference: 101.00 at the bank are 101.00 in the books."""
    booking = line(10100, ref)
    await bank.give(day("D5", 0, 10100, booking))
    month = day("M1", 0, 10100, dataclasses.replace(booking, text="reported in other words"))
    month = dataclasses.replace(month, period=(date(2026, 1, 1), date(2026, 1, 31)))
    again = await bank.give(month)
    assert await bank.balances() == {"A": 10100}
    assert (again.lines, again.known_before, again.faults) == (1, 1, ())


async def test_a_statement_under_a_new_number_counts_once(bank: Bank) -> None:
    """A bank that issues a day again under another id has not moved the money twice."""
    await bank.give(day("S1", 0, 10100, line(10100)))
    await bank.give(day("S1-corrected", 0, 10100, line(10100)))
    assert await bank.balances() == {"A": 10100}
    assert len(await bank.archive.statements("A")) == 2


async def test_equal_bookings_of_one_day_are_as_many_as_they_are(bank: Bank) -> None:
    """Two transfers alike in everything are two, also when a month tells of them again."""
    twice = (line(500), line(500))
    await bank.give(day("D5", 0, 1000, *twice))
    await bank.give(day("M1", 0, 1000, *twice))
    assert await bank.balances() == {"A": 1000}


async def test_ids_that_begin_anew_each_year_are_other_statements(bank: Bank) -> None:
    """001 of 2027 is booked and recorded beside 001 of 2026, and nothing is wrong with it."""
    new_year = date(2027, 1, 5)
    await bank.give(day("001", 0, 100, line(100)))
    booked = await bank.give(day("001", 100, 350, line(250, day=new_year), on=new_year))
    assert await bank.balances() == {"A": 350}
    assert (booked.statements_known_before, booked.known_before, booked.faults) == (0, 0, ())
    assert [record.closing_minor for record in await bank.archive.statements("A")] == [100, 350]


async def test_two_accounts_in_one_file_may_share_a_statement_id(bank: Bank) -> None:
    """Each account has its own 001."""
    first = day("001", 0, 100, line(100))
    booked = await bank.give(first, dataclasses.replace(first, account="B"))
    assert await bank.balances() == {"A": 100, "B": 100}
    assert (booked.statements, booked.statements_known_before) == (2, 0)


async def test_one_statement_twice_in_a_file_is_one_statement(bank: Bank) -> None:
    """The second is known, and the file is booked to its end."""
    first = day("001", 0, 100, line(100))
    booked = await bank.give(first, first, day("002", 100, 130, line(30, e2e="E2")))
    assert await bank.balances() == {"A": 130}
    assert (booked.statements, booked.statements_known_before, booked.faults) == (3, 1, ())


async def test_a_missing_closing_balance_is_not_zero(bank: Bank) -> None:
    """The next statement is not accused of opening at another balance."""
    next_day = date(2026, 1, 6)
    first = await bank.give(day("1", 0, None, line(100)))
    assert first.faults == ("closing_missing: 1",)
    second = await bank.give(day("2", 100, 130, line(30, day=next_day), on=next_day))
    assert second.faults == ()
    assert [item.closing_minor for item in await bank.archive.statements("A")] == [None, 130]


async def test_without_numbers_balances_are_compared_all_the_same(bank: Bank) -> None:
    """A statement that was lost shows in the opening balance of the next."""
    next_day = date(2026, 1, 7)
    await bank.give(day("1", 0, 100, line(100)))
    booked = await bank.give(day("3", 150, 180, line(30, day=next_day), on=next_day))
    assert booked.faults == ("chain_broken: 3 (stated 1.50 CNY, counted 1.00 CNY)",)


def page(number: int, opening: int, closing: int, *lines: StatementLine) -> Statement:
    name = "S1" if number == 1 else f"S1/p{number}"
    whole = day(name, opening, closing, *lines)
    return dataclasses.replace(whole, sequence=7, page=number, is_last_page=number == 2)


async def test_a_paged_statement_in_two_files_is_sound(bank: Bank) -> None:
    """Two pages with one electronic number and interim balances between them: nothing is wrong."""
    first = await bank.give(page(1, 0, 100, line(100)))
    second = await bank.give(page(2, 100, 130, line(30, e2e="E2")))
    assert (first.faults, second.faults) == ((), ())
    assert await bank.balances() == {"A": 130}


async def test_equal_bookings_on_two_pages_of_one_file_are_two(bank: Bank) -> None:
    """Pages of one file count on, so the second page's booking is not taken for the first's."""
    booked = await bank.give(page(1, 0, 100, line(100)), page(2, 100, 200, line(100)))
    assert await bank.balances() == {"A": 200}
    assert booked.faults == ()


def numbered(
    number: int | None, opening: int, closing: int, *lines: StatementLine, on: date = JAN
) -> Statement:
    """One of several statements of a day, with or without electronic numbers."""
    name = f"S{opening}-{closing}"
    return dataclasses.replace(day(name, opening, closing, *lines, on=on), sequence=number)


@pytest.mark.parametrize("numbers", [(1, 2), (None, None)])
@pytest.mark.parametrize("files", ["one", "two", "turned"])
async def test_two_statements_of_one_day_tell_of_two_bookings(
    bank: Bank, files: str, numbers: tuple[int | None, int | None]
) -> None:
    """0 to 5.00 and 5.00 to 10.00 with equal lines are 10.00, also when the month tells of both."""
    first, second = (
        numbered(numbers[0], 0, 500, line(500)),
        numbered(numbers[1], 500, 1000, line(500)),
    )
    given: dict[str, list[tuple[Statement, ...]]] = {
        "one": [(first, second)],
        "two": [(first,), (second,)],
        "turned": [(second,), (first,)],
    }
    for _ in range(2):  # the second time nothing is new
        for file in given[files]:
            booked = await bank.give(*file)
            assert booked.faults == ()
        assert await bank.balances() == {"A": 1000}
    month = day("M1", 0, 1000, line(500), line(500))
    month = dataclasses.replace(month, period=(date(2026, 1, 1), date(2026, 1, 31)))
    assert (await bank.give(month)).known_before == 2
    assert await bank.balances() == {"A": 1000}


async def test_equal_lines_count_on_in_the_next_statement(bank: Bank) -> None:
    """One in the first, two in the second: three; the second's own second is not lost either."""
    await bank.give(numbered(1, 0, 500, line(500)))
    await bank.give(numbered(2, 500, 1500, line(500), line(500)))
    assert await bank.balances() == {"A": 1500}


async def test_a_reference_may_serve_two_statements_of_one_day(bank: Bank) -> None:
    """A bank that writes one reference on 5.00 and, in the next statement, on 7.00 means both."""
    await bank.give(numbered(1, 0, 500, line(500, "SR-1")))
    await bank.give(numbered(2, 500, 1200, line(700, "SR-1", e2e="E2")))
    assert await bank.balances() == {"A": 1200}
    assert "line_contradiction" not in await bank.cases()


async def test_the_next_day_may_bring_a_booking_of_the_day_before(bank: Bank) -> None:
    """Booked on the 5th, reported on the 6th, equal to one that was reported on the 5th."""
    await bank.give(numbered(1, 0, 500, line(500)))
    await bank.give(numbered(2, 500, 1000, line(500), on=date(2026, 1, 6)))
    assert await bank.balances() == {"A": 1000}


async def test_equal_bookings_on_two_pages_of_two_files_are_two(bank: Bank) -> None:
    """Each page comes in a file of its own: the second page's booking is not the first's."""
    await bank.give(page(1, 0, 100, line(100)))
    booked = await bank.give(page(2, 100, 200, line(100)))
    assert (booked.faults, await bank.balances()) == ((), {"A": 200})


async def test_a_day_that_ends_as_it_began_may_be_a_copy_and_is_reported(bank: Bank) -> None:
    """0 to 0 twice: a copy under another id, or another such day: not booked, and a case."""
    both = (line(500), line(-500, e2e="OUT"))
    await bank.give(day("S1", 0, 0, *both))
    booked = await bank.give(day("S2", 0, 0, *both))
    assert await bank.balances() == {"A": 0}
    assert booked.faults == ("known_lines: S2 and S1 (stated 2, counted 0)",)
    assert "statement_restated" in await bank.cases()


async def test_a_doubt_before_a_crash_is_a_doubt_after_it(bank: Bank) -> None:
    """The page with it is read again: of two lines in doubt on two pages, two are reported."""
    both = (line(500), line(-500, e2e="OUT"))
    await bank.give(day("S1", 0, 0, *both))
    reader = StatementFileReader(page_lines=1)
    bank.activities = StatementActivities(bank.archive, reader, bank.books)
    reach = bank.archive.reach

    async def crash(sha256: str, before: Reached | None, now: Reached) -> bool:
        await reach(sha256, before, now)
        raise ConnectionError(sha256)

    bank.archive.reach = crash  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await bank.give(day("S2", 0, 0, *both))
    bank.archive.reach = reach  # type: ignore[method-assign]
    booked = await bank.give(day("S2", 0, 0, *both), attempt=2)
    assert booked.faults == ("known_lines: S2 and S1 (stated 2, counted 0)",)


async def test_a_whole_day_beside_its_parts_counts_nothing_twice(bank: Bank) -> None:
    """5.00 came, 5.00 went, 7.00 came: parts of the day, and then the day in one statement."""
    moves = (line(500), line(-500, e2e="OUT"), line(700, e2e="E2"))
    await bank.give(numbered(1, 0, 500, moves[0]))
    await bank.give(numbered(2, 500, 0, moves[1]))
    booked = await bank.give(numbered(3, 0, 700, *moves))
    assert await bank.balances() == {"A": 700}
    assert booked.faults == (
        "known_lines: S0-700 and S0-500 (stated 1, counted 0)",
        "known_lines: S0-700 and S500-0 (stated 1, counted 0)",
    )


async def test_a_statement_waits_for_one_that_is_being_read_and_has_equal_lines(bank: Bank) -> None:
    """Two files at once: a line of the first, not finished, is not taken for the second's."""
    first, second = numbered(1, 0, 500, line(500)), numbered(2, 500, 1000, line(500))
    record = bank.archive.record_statement
    bank.archive.record_statement = _crash  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await bank.give(first)
    bank.archive.record_statement = record  # type: ignore[method-assign]
    with pytest.raises(ApplicationError) as waits:
        await bank.give(second)
    assert (waits.value.type, waits.value.non_retryable) == ("LinesUnsettled", False)
    await bank.give(first)
    await bank.give(second, attempt=2)
    assert await bank.balances() == {"A": 1000}


async def test_a_statement_does_not_wait_for_ever(bank: Bank) -> None:
    """The other file is never finished: on the last try it is left to a person."""
    bank_record = bank.archive.record_statement
    bank.archive.record_statement = _crash  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await bank.give(numbered(1, 0, 500, line(500)))
    bank.archive.record_statement = bank_record  # type: ignore[method-assign]
    booked = await bank.give(numbered(2, 500, 1000, line(500)), attempt=LINE_TRIES)
    assert booked.faults == ("known_lines: S500-1000 and S0-500 (stated 1, counted 0)",)
    assert "statement_restated" in await bank.cases()


async def _crash(record: StatementRecord, *, ends_file: bool) -> bool:
    raise ConnectionError(record.statement_id)


async def test_a_statement_whose_last_page_lacks_is_reported_by_the_next(bank: Bank) -> None:
    """LastPgInd false, and then another statement: a page is missing."""
    next_day = date(2026, 1, 6)
    await bank.give(page(1, 0, 100, line(100)))
    booked = await bank.give(day("S2", 130, 150, line(20, day=next_day), on=next_day))
    assert booked.faults == ("page_missing: S1 (stated 2, counted 1)",)


async def test_a_restated_statement_is_a_case(bank: Bank) -> None:
    """The same statement with another closing balance is not passed over."""
    await bank.give(day("1", 0, 100, line(100, "SR-1")))
    booked = await bank.give(day("1", 0, 130, line(100, "SR-1"), line(30, "SR-2", e2e="E2")))
    assert booked.faults == ("restated: 1 (stated 130, counted 100)",)
    assert "statement_restated" in await bank.cases()
    assert await bank.balances() == {"A": 130}


async def test_a_line_that_cannot_be_booked_stops_no_other(bank: Bank) -> None:
    """Lines, statements and files behind it go on at once; after the last try it is a case."""
    bad = day("1", 0, POISON + 30, line(POISON, "SR-1"), line(30, "SR-2"))
    later = date(2026, 1, 6)
    good = day("2", POISON + 30, POISON + 50, line(20, day=later), on=later)
    with pytest.raises(ApplicationError) as failed:
        await bank.give(bad, good)
    assert failed.value.type == "LinesFailed"
    assert not failed.value.non_retryable
    assert await bank.balances() == {"A": 50}
    booked = await bank.give(bad, good, attempt=LINE_TRIES)
    assert booked.faults == ("lines_failed: 1 of 2 lines of 1",)
    assert "line_failed" in await bank.cases()
    assert len(await bank.archive.statements("A")) == 2


async def test_a_refused_file_is_a_case(bank: Bank) -> None:
    """What cannot be read is left to a person, by the file's hash and the rule that it breaks."""
    with pytest.raises(ApplicationError):
        await bank.send(b":20:STARTUMS\r\n:25:123\r\n:60F:C260105EUR1,00\r\n")
    (case,) = (await bank.queries.cases()).items
    assert case.kind == "statement_refused"
    assert ":62F:" in case.text
    assert await bank.balances() == {}
