"""A command writes the rows that it changed, however many installments its loan has."""

from datetime import date
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from domain.kernel.subject import Subject
from tests.support.booksbench import StillClock, confirm, intend, line, order_of, present, roll
from tests.support.doors import Hold
from tests.support.memory import RULES, TESTER, board, schedule

PERIODS = 12


class Written:
    """Counts the rows of `subjects` that are updated."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.rows = 0
        event.listen(engine.sync_engine, "before_cursor_execute", self._on_execute)

    def _on_execute(self, *seen: Any) -> None:
        _conn, _cursor, statement, parameters, _context, many = seen
        if statement.startswith("UPDATE subjects"):
            self.rows += len(parameters) if many else 1

    def since(self) -> int:
        """Rows since the last look."""
        found, self.rows = self.rows, 0
        return found


def hold(number: int, name: str = "1") -> Hold:
    """An order about one installment."""
    return Hold(id=f"h/{number}/{name}", actor=TESTER, reason="asked", loan_id="L1", number=number)


async def _board_and_open(books: SqlBooks, clock: StillClock) -> None:
    """Board a long loan, and let all its installments fall due."""
    plan = schedule([(10000, 100)] * PERIODS)
    await books.apply(board(lines=plan))
    for due in [item.due_on for item in plan]:
        clock.to(due)
        await books.apply(roll("L1", due))


async def test_an_order_writes_the_installment_that_it_is_about(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """A hold on one of twelve opened installments updates one row."""
    await _board_and_open(books, clock)
    written = Written(engine)
    assert isinstance(await books.apply(hold(3)), Applied)
    assert written.since() == 1


async def test_an_order_writes_as_little_after_a_restart(
    engine: AsyncEngine, books: SqlBooks, clock: StillClock
) -> None:
    """A process that reads the loan anew knows which views are stored already."""
    await _board_and_open(books, clock)
    async with SqlBooks(engine, clock, RULES) as fresh:
        written = Written(engine)
        assert isinstance(await fresh.apply(hold(3)), Applied)
        assert written.since() == 1


async def test_a_finished_installment_is_not_written_again(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """What happens to the second installment leaves the row of the closed first one alone."""
    order_no = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    await books.apply(confirm(order_no, 10100))
    await books.apply(line(order_no, 10100, day=date(2026, 3, 10)))
    clock.to(date(2026, 3, 20))
    await books.apply(roll("L1", date(2026, 3, 20)))
    loan = await queries.loan("L1")
    assert loan is not None
    assert loan.installment(1).state.value == "CLOSED"
    written = Written(engine)
    assert isinstance(await books.apply(hold(2)), Applied)
    assert written.since() == 1


async def test_lists_show_what_the_view_of_each_installment_is_now(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Rows that were left alone hold the views that are worked out anew, but for their instant."""
    await _board_and_open(books, clock)
    await books.apply(hold(3))
    views = await queries.unfinished(Subject("", ""), 100)
    assert len(views) == PERIODS
    for view in views:
        now = await queries.view(view.subject)
        assert now is not None
        shown = (view.state, view.version, view.detail.hold, view.missing, view.labels.amount_minor)
        assert shown == (
            now.state,
            now.version,
            now.detail.hold,
            now.missing,
            now.labels.amount_minor,
        )
