"""Controls over the statements of an account are cases, which end when what they lacked comes."""

import dataclasses
from collections.abc import AsyncIterator
from datetime import date, timedelta
from itertools import permutations

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.statementcontrols import StatementControls
from activities.statements import BookedFile, StatementActivities, StatementOrder
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.statements.anyfile import StatementFileReader
from domain.case.case import ByHand
from domain.kernel.command import Actor
from domain.statement.statement import LineItem, Statement, StatementLine
from ports.archive import StatementRecord
from tests.adapters.statements import camt_writer
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock
from tests.support.doors import ResolveCase
from tests.support.memory import RULES

JAN = date(2026, 1, 5)


class Bank:
    """Gives files to the books and looks at the cases about statements."""

    def __init__(self, engine: AsyncEngine, clock: StillClock, books: SqlBooks) -> None:
        self.archive, self.books = SqlArchive(engine, clock), books
        self.queries = SqlQueries(engine, clock, RULES)
        self.activities = StatementActivities(self.archive, StatementFileReader(), books)

    async def give(self, *statements: Statement, text: str = "") -> BookedFile:
        """Have a file booked; `text` makes another file of the same statements."""
        content = camt_writer.document(*statements) + text.encode()
        order = StatementOrder("t1", await self.archive.keep("statement", in_parts(content)))
        return await ActivityEnvironment().run(self.activities.book, order)

    async def cases(self) -> dict[str, str]:
        """Texts of the open cases about statements, by key without the kind's first word."""
        found = (await self.queries.cases()).items
        return {
            case.key.removeprefix("statement_"): case.text
            for case in found
            if case.kind.startswith("statement_")
        }


@pytest_asyncio.fixture
async def bank(engine: AsyncEngine, clock: StillClock) -> AsyncIterator[Bank]:
    """Give a bank with empty books."""
    async with SqlBooks(engine, clock, RULES) as books:
        yield Bank(engine, clock, books)


def line(minor: int, ref: str, on: date, account: str = "A") -> StatementLine:
    item = LineItem(f"E-{ref}", None, None, minor)
    return StatementLine("", account, on, on, minor, "CNY", ref, items=(item,))


def day(
    number: int, opening: int, closing: int, *minors: int, ref: str = "", account: str = "A"
) -> Statement:
    """The statement of the day of this number; lines of the amounts, or one that makes it sound."""
    on = JAN + timedelta(days=number - 1)
    lines = tuple(
        line(minor, f"R{number}{ref}{place}", on, account)
        for place, minor in enumerate(minors or (closing - opening,))
    )
    name = f"S{number}"
    return Statement(name, account, "CNY", number, on, opening, closing, lines, period=(on, on))


GAP3 = "gap/A/S3/2026-01-07/2026-01-07"


async def test_a_gap_is_a_case_until_the_missing_statement_comes(bank: Bank) -> None:
    """Statement 3 after 1: a case about number and balance; 2 ends it, though it comes last."""
    await bank.give(day(1, 0, 100))
    await bank.give(day(3, 150, 180))
    text = "sequence_gap: S3 (stated 3, counted 2); "
    text += "chain_broken: S3 (stated 1.50 CNY, counted 1.00 CNY)"
    assert await bank.cases() == {GAP3: text}
    await bank.give(day(2, 100, 150))
    assert await bank.cases() == {}
    assert (await bank.queries.verify()).faults == ()


async def test_the_order_of_files_does_not_matter(bank: Bank) -> None:
    """Each of six accounts gets three files in another order: no case is left, no money lost."""
    days = (day(1, 0, 5), day(2, 5, 9), day(3, 9, 20))
    for name, order in zip("ABCDEF", permutations(days), strict=True):
        for statement in order:
            lines = tuple(dataclasses.replace(it, account=name) for it in statement.lines)
            await bank.give(dataclasses.replace(statement, account=name, lines=lines))
    assert await bank.cases() == {}
    balances = {it.account: it.minor for it in (await bank.queries.balances("bank/")).items}
    assert balances == {f"bank/{name}": 20 for name in "ABCDEF"}


async def test_two_files_read_at_once_leave_no_gap_behind(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3 is judged before 2 is recorded and 2 is never judged: the next look ends the case."""
    await bank.give(day(1, 0, 100))
    await bank.give(day(3, 150, 180))

    async def dies(*_: object) -> int:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(StatementControls, "look", dies)
        with pytest.raises(ConnectionError):
            await bank.give(day(2, 100, 150))
    assert list(await bank.cases()) == [GAP3]
    await StatementControls(bank.archive, bank.books).look("A")
    assert await bank.cases() == {}


async def test_a_statement_that_does_not_add_up_is_a_case_until_a_corrected_one_comes(
    bank: Bank,
) -> None:
    """Its lines are booked; the corrected version counts from then on, in the record too."""
    await bank.give(day(1, 0, 100, 90))
    key = "unbalanced/A/S1/2026-01-05/2026-01-05"
    assert await bank.cases() == {key: "balance_differs: S1 (stated 1.00 CNY, counted 0.90 CNY)"}
    await bank.give(day(1, 0, 90, 90))
    assert key not in await bank.cases()
    (record,) = await bank.archive.statements("A")
    assert (record.closing_minor, record.own, len(record.versions)) == (90, (), 2)


async def test_a_restated_statement_is_explained_by_the_next_one(bank: Bank) -> None:
    """A line was added; the next day opens at the new balance and the books hold both lines."""
    await bank.give(day(1, 0, 100, 100))
    await bank.give(day(1, 0, 130, 100, 30))
    restated = [key for key in await bank.cases() if key.startswith("restated/A/S1/")]
    assert len(restated) == 1
    await bank.give(day(2, 130, 140))
    assert await bank.cases() == {}
    first, second = await bank.archive.statements("A")
    assert (first.closing_minor, second.opening_minor) == (130, 130)


async def test_an_older_file_never_undoes_a_newer_fact(bank: Bank) -> None:
    """The older version comes last: the next statement proves the newer one, which stays."""
    await bank.give(day(1, 0, 130, 100, 30))
    await bank.give(day(2, 130, 140))
    booked = await bank.give(day(1, 0, 100, 100))
    assert booked.known_before == 1
    assert (await bank.archive.statements("A"))[0].closing_minor == 130
    assert await bank.cases() == {}  # the same look explains it
    balances = {it.account: it.minor for it in (await bank.queries.balances("bank/")).items}
    assert balances == {"bank/A": 140}


async def test_a_restated_statement_with_a_line_less_waits_for_a_person(bank: Bank) -> None:
    """The next day fits the later version, and the books hold a line that it does not tell of."""
    await bank.give(day(1, 0, 130, 100, 30))
    await bank.give(day(1, 0, 100, 100))
    await bank.give(day(2, 100, 110))
    assert [key.split("/")[0] for key in await bank.cases()] == ["restated"]
    assert (await bank.archive.statements("A"))[0].closing_minor == 100


async def test_the_same_version_in_another_file_is_no_news(bank: Bank) -> None:
    """The bank sends each version twice: one case, and it is not opened a second time."""
    first, again = day(1, 0, 100, 100), day(1, 0, 130, 100, 30)
    await bank.give(first)
    await bank.give(again)
    known = await bank.cases()
    for statement in (first, again):
        booked = await bank.give(statement, text="\n")
        assert (booked.faults, booked.statements_known_before) == ((), 1)
    assert await bank.cases() == known
    assert len(known) == 1


async def test_a_case_that_a_person_has_ended_is_not_opened_again_by_the_same(bank: Bank) -> None:
    """The bank has said that there is no statement 2: the next files do not ask again."""
    await bank.give(day(1, 0, 100))
    await bank.give(day(3, 150, 180))
    order = ResolveCase(
        id="r1",
        actor=Actor("operator", "ann"),
        reason="the bank confirms",
        case=f"statement_{GAP3}",
        resolution=ByHand.NO_FAULT,
    )
    await bank.books.apply(order)
    assert await bank.cases() == {}
    await bank.give(day(4, 180, 190))
    await StatementControls(bank.archive, bank.books).look("A")
    assert await bank.cases() == {}


async def test_a_bank_that_states_no_balances_is_one_case(bank: Bank) -> None:
    """Not one for each day; it ends with a later statement that has them."""
    for number in (1, 2, 3):
        bare = dataclasses.replace(day(number, 0, 10), closing_minor=None)
        await bank.give(bare)
    assert await bank.cases() == {"unbalanced/A/balances": "closing_missing: A"}
    await bank.give(day(4, 10, 20))
    assert await bank.cases() == {}


async def test_a_record_that_another_worker_changes_is_tried_again(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two versions are read at once: who comes second fails its try, and loses nothing."""
    await bank.give(day(1, 0, 100, 100))
    restate = bank.archive.restate

    async def late(before: StatementRecord, now: StatementRecord) -> bool:
        return await restate(dataclasses.replace(before, lines=7), now)

    with monkeypatch.context() as patch:
        patch.setattr(bank.archive, "restate", late)
        with pytest.raises(ApplicationError) as fault:
            await bank.give(day(1, 0, 130, 100, 30))
    assert fault.value.type == "RecordElsewhere"
    await bank.give(day(1, 0, 130, 100, 30))
    (record,) = await bank.archive.statements("A")
    assert len(record.versions) == 2


async def test_accounts_whose_names_begin_alike_do_not_end_each_others_cases(bank: Bank) -> None:
    """`A` and `A/B`: what comes for one is not what the other lacks."""
    for account in ("A", "A/B"):
        for statement in (day(1, 0, 100), day(3, 150, 180)):
            lines = tuple(dataclasses.replace(it, account=account) for it in statement.lines)
            await bank.give(dataclasses.replace(statement, account=account, lines=lines))
    await bank.give(day(2, 100, 150))
    assert list(await bank.cases()) == ["gap/A/B/S3/2026-01-07/2026-01-07"]


async def test_a_day_that_is_overdue_is_a_case_until_it_is_covered(bank: Bank) -> None:
    """One case for account and day, however often one looks; it ends by itself."""
    controls = StatementControls(bank.archive, bank.books)
    monday, tuesday = date(2026, 1, 5), date(2026, 1, 6)
    for _ in range(2):
        await controls.expect("A", [monday, tuesday], monday, tuesday)
    await controls.expect("A/B", [monday], monday, tuesday)
    days = ["missing/A/2026-01-05", "missing/A/2026-01-06", "missing/A/B/2026-01-05"]
    assert sorted(await bank.cases()) == days
    await controls.expect("A", [tuesday], monday, tuesday)
    assert sorted(await bank.cases()) == days[1:]
    await controls.expect("A", [], monday, monday)  # nobody has looked at Tuesday
    assert sorted(await bank.cases()) == days[1:]
