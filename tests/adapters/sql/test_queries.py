"""The queries answer what the driver, the sweeps and the command line ask, and nothing more."""

from dataclasses import astuple, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.postings import ITEM_KEY, items_statement
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.reader import page_of
from adapters.sql.write.books import SqlBooks
from domain.errors import InvalidInput
from domain.kernel.change import Applied
from domain.kernel.subject import Subject
from domain.loan.view import installment
from domain.story.events import LeftNothing, RefusedBy, StoryEvent
from ports.archive import StatementRecord
from tests.support.booksbench import (
    StillClock,
    apply_all,
    confirm,
    intend,
    line,
    order_of,
    present,
    roll,
)
from tests.support.doors import Cancel, RaiseOperator, WriteOff
from tests.support.explaining import Explain
from tests.support.memory import TESTER, board
from tests.support.stories import names, story


async def test_every_loan_is_on_the_books_whether_or_not_a_day_is_to_come(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """A loan whose installments are all called off has no day to roll and is still audited."""
    await apply_all(books, [board("L0"), board("L1")])
    for number in (1, 2, 3):
        order = Cancel(
            id=f"c{number}", actor=TESTER, reason="called off", loan_id="L0", number=number
        )
        assert isinstance(await books.apply(order), Applied)
    assert await queries.loans("", 10) == ("L0", "L1")
    assert await queries.loans("", 1) == ("L0",)
    assert await queries.loans("L0", 10) == ("L1",)
    assert await queries.loans_to_roll(date.max, "", 10) == ("L1",)


async def test_loans_to_roll_come_in_pages_by_id(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Nobody is asked for twice and nobody is left out; what was rolled is not asked for again."""
    names = [f"L{index}" for index in range(5)]
    await apply_all(books, [board(name) for name in names])
    first = await queries.next_roll()
    assert first is not None
    assert await queries.loans_to_roll(first - timedelta(1), "", 10) == ()
    assert await queries.loans_to_roll(first, "", 2) == ("L0", "L1")
    assert await queries.loans_to_roll(first, "L1", 10) == ("L2", "L3", "L4")
    clock.to(first)
    await books.apply(roll("L0", first))
    assert await queries.loans_to_roll(first, "", 10) == ("L1", "L2", "L3", "L4")


async def test_actions_are_found_when_due_and_drivers_when_they_lag(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A due action is listed; it lags only after the quiet time, and not once it was performed."""
    action = await present(books, queries, clock, "L1")
    due = await queries.due_actions(clock.at, 10)
    assert [(view.labels.loan_id, view.labels.number) for view in due] == [("L1", 1)]
    assert await queries.lagging(clock.at, 300, 10) == ()
    clock.ahead(timedelta(minutes=10))
    assert len(await queries.lagging(clock.at, 300, 10)) == 1
    await intend(books, "L1", 1, action)
    assert await queries.lagging(clock.at, 300, 10) == ()
    later = await queries.next_instant()
    assert later is not None
    assert later > clock.at
    assert await queries.due_actions(clock.at, 10) == ()


async def test_unfinished_installments_are_those_with_a_driver(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Opened and not final, in order of loan and number, in pages."""
    await present(books, queries, clock, "L1")
    await present(books, queries, clock, "L2")
    found = await queries.unfinished(Subject("", ""), 10)
    assert [(view.labels.loan_id, view.labels.number) for view in found] == [("L1", 1), ("L2", 1)]
    rest = await queries.unfinished(installment("L1", 1), 10)
    assert [view.labels.loan_id for view in rest] == ["L2"]


async def test_a_story_tells_refusals_in_their_place(books: SqlBooks, queries: SqlQueries) -> None:
    """What was asked and refused is reported between what happened before and after."""
    await books.apply(board())
    order = WriteOff(id="w", actor=TESTER, reason="gone", loan_id="L1", number=1)
    await books.apply(order)
    reported = await story(queries, "L1", 1)
    assert names(reported) == ["boarded", "write_off"]
    [refused] = reported[-1].effects
    assert isinstance(refused, RefusedBy)
    assert refused.rule == "lifecycle.written_off"
    assert reported[-1].actor == "test/t1"
    assert (await queries.counts())["refusals"]
    assert len(names(await story(queries, "L1"))) == 4
    assert await story(queries, "nobody") == ()


async def test_what_changed_nothing_is_reported_with_its_answer(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A report that leaves neither move nor entry says at least what was reported."""
    action = await present(books, queries, clock, "L1")
    news = confirm(order_of(await intend(books, "L1", 1, action)), 10100)
    await books.apply(news)
    assert isinstance(await books.apply(replace(news, id="again")), Applied)
    last = (await story(queries, "L1", 1))[-1]
    assert (last.command_id, last.effects) == ("again", (LeftNothing(1, "confirmed"),))


async def test_a_story_is_read_in_pages(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Walked event by event while more is booked, each earlier event comes once and whole."""
    action = await present(books, queries, clock, "L1")
    await books.apply(confirm(order_of(await intend(books, "L1", 1, action)), 10100))
    for number in (1, None):
        whole = await story(queries, "L1", number)
        assert len(whole) > 2
        found: list[StoryEvent] = []
        after = ""
        while True:
            page = await queries.story("L1", number, after, 1)
            found += page.items
            if not (after := page.after):
                break
            order = WriteOff(
                id=f"w/{number}/{len(found)}", actor=TESTER, reason="x", loan_id="L1", number=1
            )
            await books.apply(order) if len(found) < 3 else None
        assert tuple(found[: len(whole)]) == whole
        assert names(found[len(whole) :]) == ["write_off"] * 2
    with pytest.raises(InvalidInput, match="after"):
        await queries.story("L1", 1, "nowhere", 1)


async def test_open_cases_say_since_when_and_are_asked_for_by_loan(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Oldest first; those of another loan are left out, and those that ended everywhere."""
    await apply_all(books, [board("L1"), board("L2")])
    asked_at = []
    for loan in ("L2", "L1"):
        clock.ahead(timedelta(hours=1))
        asked_at.append(clock.at)
        asked = RaiseOperator(id=f"R-{loan}", actor=TESTER, reason="lost", loan_id=loan, number=1)
        assert isinstance(await books.apply(asked), Applied)
    found = (await queries.waiting()).items
    assert [(case.loan_id, case.opened_at) for case in found] == list(
        zip(("L2", "L1"), asked_at, strict=True)
    )
    assert (await queries.waiting("L1")).items == found[1:]
    assert (await queries.waiting("nobody")).items == ()


async def test_an_account_is_read_by_item_and_place(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Half of a payment is proven: the clearing has the rest, and the funder holds its part."""
    action = await present(books, queries, clock, "L1")
    order_no = order_of(await intend(books, "L1", 1, action))
    await books.apply(confirm(order_no, 10100))
    await books.apply(line(order_no, 5050, day=date(2026, 3, 10)))
    there, payment = "clearing/simbank", f"R-{order_no}"
    whose = ("CNY", "L1", 1)

    async def read(account: str) -> list[tuple[object, ...]]:
        found = (await queries.items(account, limit=10)).items
        assert {item.account for item in found} <= {account}
        return [astuple(item)[1:] for item in found]

    assert await read(there) == [(*whose, None, None, payment, there, 5050, None)]
    assert await read("payable/funder-1") == [
        (*whose, "principal", "funder-1", payment, there, -5050, None)
    ]
    own = "bank/ACCT-FUNDER-1-CNY"
    assert await read("held_by/funder-1") == [
        (*whose, "interest", "funder-1", payment, own, -100, None),
        (*whose, "principal", "funder-1", payment, own, -4950, None),
    ]
    # What was charged names no payment, and what a payment drew names it.
    assert await read("claim/funder-1") == [
        (*whose, part, "funder-1", name, None, minor, None)
        for part, minor in (("interest", 100), ("principal", 10000))
        for name, minor in ((None, -minor), (payment, minor))
    ]
    assert len((await queries.items("claim/funder-1", limit=3)).items) == 3
    assert (await queries.items("owed/L1/2/principal", limit=10)).items == ()


async def test_reading_an_account_by_item_reads_its_part_of_an_index(
    engine: AsyncEngine, books: SqlBooks
) -> None:
    """Not the journal."""
    await books.apply(board("L1"))
    statement = page_of("items", items_statement("payable/funder-1"), ITEM_KEY, "", 10)
    words = "EXPLAIN" if is_postgres(engine) else "EXPLAIN QUERY PLAN"
    async with engine.connect() as conn:
        if is_postgres(engine):  # which reads a small table through whatever indexes it has
            await conn.execute(text("SET enable_seqscan = off"))
        plan = " ".join(str(row) for row in await conn.execute(Explain(statement, words)))
    assert "ix_postings_account_item" in plan, plan


async def test_questions_about_nothing_have_empty_answers(
    queries: SqlQueries, engine: AsyncEngine
) -> None:
    """Books without a loan answer every question."""
    assert await queries.view(installment("L1", 1)) is None
    assert await queries.loan("L1") is None
    assert await queries.next_instant() is None
    assert await queries.next_roll() is None
    assert (await queries.cases()).items == ()
    assert (await queries.trail("R")).items == ()
    assert (await queries.balances()).items == ()
    assert [posting async for posting in queries.journal()] == []
    report = await queries.verify()
    assert (report.items, report.faults, report.head) == (0, (), "0" * 64)


async def test_a_view_is_none_for_a_number_that_the_loan_has_not(
    books: SqlBooks, queries: SqlQueries
) -> None:
    """Numbers count from one to the last installment."""
    await books.apply(board())
    assert await queries.view(installment("L1", 0)) is None
    assert await queries.view(installment("L1", 4)) is None
    assert await queries.view(installment("L1", 3)) is not None


async def test_each_time_zone_has_its_own_days(books: SqlBooks, queries: SqlQueries) -> None:
    """A sweep at one zone's midnight leaves loans of other zones alone."""
    await books.apply(board())
    day = await queries.next_roll("Asia/Shanghai")
    assert day is not None
    assert await queries.next_roll("America/New_York") is None
    assert await queries.loans_to_roll(day, "", 10, "Asia/Shanghai") == ("L1",)
    assert await queries.loans_to_roll(day, "", 10, "America/New_York") == ()


async def test_a_statement_is_remembered_once(engine: AsyncEngine, clock: StillClock) -> None:
    """The second reading of one statement says so; records come back by account and number."""
    archive = SqlArchive(engine, clock)
    record = StatementRecord("S2", "A", "CNY", 2, date(2026, 3, 2), 0, 5, 1, "f" * 64, ("gap",))
    first = StatementRecord("S1", "A", "CNY", 1, date(2026, 3, 1), 0, 0, 0, "e" * 64, ())
    other = StatementRecord("S1", "B", "CNY", None, None, 0, 0, 0, "d" * 64, ())
    items = (record, first, other)
    assert [await archive.record_statement(item, ends_file=True) for item in items] == [True] * 3
    assert not await archive.record_statement(record, ends_file=True)
    assert await archive.statements("A") == (first, record)
    assert await archive.statements() == (first, record, other)
