"""A statement file that leaves something waiting is matched by sets once it is read."""

import dataclasses
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.matching import LineMatching, Matched
from activities.statements import StatementActivities, StatementOrder
from activities.statementwatch import StatementWatch, WatchOrder
from adapters.sql.match.matching import SqlMatching
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.statements.anyfile import StatementFileReader
from domain.loan.view import installment
from domain.matching.reference import creditor_reference
from domain.statement.statement import LineItem, Statement, StatementLine
from tests.adapters.statements import camt_writer
from tests.fakes.sources import in_parts
from tests.support.booksbench import StillClock, apply_all, confirm, intend, order_of, present, roll
from tests.support.memory import PRODUCT, RULES, board

DUE = date(2026, 3, 10)
OWED = 10100


class Counting(LineMatching):
    """Counts how often it is run."""

    runs = 0

    async def match(self) -> Matched:
        """Run, and count it."""
        self.runs += 1
        return await super().match()


async def due(books: SqlBooks, clock: StillClock) -> None:
    """Board a loan whose first installment falls due."""
    await apply_all(books, [board("L1")])
    clock.to(DUE)
    await apply_all(books, [roll("L1", DUE)])


def statement(item: LineItem) -> Statement:
    """A statement of one line with one item."""
    line = StatementLine(
        "",
        PRODUCT.account,
        DUE,
        DUE,
        item.amount_minor,
        "CNY",
        "SR-1",
        items=(item,),
    )
    return Statement(
        "S1", PRODUCT.account, "CNY", 1, DUE, 0, item.amount_minor, (line,), period=(DUE, DUE)
    )


async def read(engine: AsyncEngine, clock: StillClock, books: SqlBooks, item: LineItem) -> Counting:
    """Have a file of one line read; what matched it."""
    archive = SqlArchive(engine, clock)
    matching = Counting(SqlMatching(engine, clock, RULES), books)
    activities = StatementActivities(archive, StatementFileReader(), books, matching)
    content = camt_writer.document(statement(item))
    order = StatementOrder("t1", await archive.keep("statement", in_parts(content)))
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=1)
    await environment.run(activities.survey, order)
    await environment.run(activities.book, order)
    return matching


async def state(queries: SqlQueries) -> str:
    """State of the first installment."""
    view = await queries.view(installment("L1", 1))
    assert view is not None
    return view.state


async def test_a_file_with_the_reference_of_a_loan_pays_it(
    engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries
) -> None:
    """The line waits as it comes, and is applied before the reading of its file ends."""
    await due(books, clock)
    item = LineItem(None, None, None, OWED, remittance=(creditor_reference("L1"),))
    matching = await read(engine, clock, books, item)
    assert matching.runs == 1
    assert await state(queries) == "SETTLED"
    assert (await queries.waiting()).items == ()


async def test_a_file_whose_lines_name_their_orders_needs_no_run(
    engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries
) -> None:
    """Nothing waits, so the passes are not run and no statement more is spent."""
    await due(books, clock)
    order_no = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    await apply_all(books, [confirm(order_no, OWED)])
    matching = await read(engine, clock, books, LineItem(order_no, None, None, OWED))
    assert matching.runs == 0
    assert await state(queries) == "SETTLED"


class Failing(LineMatching):
    """A run that fails."""

    async def match(self) -> Matched:
        """Fail."""
        raise RuntimeError("no database")


@pytest.mark.parametrize("fails", [False, True])
async def test_the_watch_matches_what_waits_and_survives_a_run_that_fails(
    engine: AsyncEngine, clock: StillClock, books: SqlBooks, queries: SqlQueries, *, fails: bool
) -> None:
    """What came before its news is matched later on; a fault is reported and stops nothing."""
    await due(books, clock)
    item = LineItem(None, None, "BK-1", OWED)
    await read(engine, clock, books, item)
    order_no = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    reported = confirm(order_no, OWED)
    reported = replace(reported, outcome=replace(reported.outcome, bank_ref="BK-1"))
    await apply_all(books, [reported])
    of = Failing if fails else LineMatching
    matching = of(SqlMatching(engine, clock, RULES), books)
    archive = SqlArchive(engine, clock)
    watch = StatementWatch(None, None, archive, clock, (), (), {}, matching)  # type: ignore[arg-type]
    done = await ActivityEnvironment().run(watch.watch, WatchOrder("t1"))
    assert done.matched == (0 if fails else 1)
    assert len(done.faults) == int(fails)
    assert (await state(queries) == "SETTLED") is not fails
