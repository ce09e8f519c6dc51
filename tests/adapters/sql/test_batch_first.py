"""A batch line that comes before its outcomes finds its orders: by any process, on any database."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from tests.adapters.sql.test_matching import at_once, state_of, waiting
from tests.support.booksbench import StillClock, apply_all, confirm, intend, line, order_of, present
from tests.support.doors import AnyCommand, BookLine, RecordOutcome
from tests.support.memory import RULES

DUE = date(2026, 3, 10)
BATCH = "B-77"


async def orders(books: SqlBooks, queries: SqlQueries, clock: StillClock, *loans: str) -> list[str]:
    """Boarded loans whose first debits are out, and nobody has said in which batch."""
    actions = [(loan, await present(books, queries, clock, loan)) for loan in loans]
    return [order_of(await intend(books, loan, 1, action)) for loan, action in actions]


def batch_line(count: int) -> BookLine:
    """The line of a batch without items."""
    named = line("nobody", 10100 * count, day=DUE)
    return replace(named, line=replace(named.line, items=(), batch_ref=BATCH, batch_count=count))


def named(order_no: str) -> RecordOutcome:
    """A success that names the batch."""
    said = confirm(order_no, 10100)
    return replace(said, outcome=replace(said.outcome, batch_ref=BATCH))


@pytest.mark.parametrize("together", [True, False], ids=["one-group", "three-groups"])
async def test_a_batch_line_waits_for_the_last_outcome_of_its_orders(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, *, together: bool
) -> None:
    """Two loans, one line, which comes first: both settle and nothing waits."""
    first, second = await orders(books, queries, clock, "L1", "L2")
    commands: list[AnyCommand] = [batch_line(2), named(first), named(second)]
    for group in [commands] if together else [[command] for command in commands]:
        await apply_all(books, group)
    assert [await state_of(queries, loan) for loan in ("L1", "L2")] == ["SETTLED", "SETTLED"]
    assert await waiting(queries) == {}
    assert (await queries.verify()).faults == ()


async def test_a_waiting_batch_line_is_found_by_new_books(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """What waits, and which orders were named before, is in the database and not in a process."""
    first, second = await orders(books, queries, clock, "L1", "L2")
    await apply_all(books, [named(first)])
    await apply_all(books, [batch_line(2)])
    async with SqlBooks(engine, clock, RULES) as others:
        await others.apply(named(second))
    assert [await state_of(queries, loan) for loan in ("L1", "L2")] == ["SETTLED", "SETTLED"]
    assert await waiting(queries) == {}
    assert (await queries.verify()).faults == ()


async def test_a_batch_line_and_its_outcome_at_the_same_moment_meet(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Two processes, neither of which saw the other's: the second begins anew and books both."""
    (order_no,) = await orders(books, queries, clock, "L1")
    results = await at_once(engine, clock, batch_line(1), named(order_no))
    assert all(isinstance(result, Applied) for result in results)
    assert (await state_of(queries), await waiting(queries)) == ("SETTLED", {})
    assert (await queries.verify()).faults == ()
