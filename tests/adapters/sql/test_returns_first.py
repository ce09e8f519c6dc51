"""A line of a return that comes before its order's news is booked with it, by any process."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Applied
from domain.loan.view import installment
from domain.statement.statement import LineItem
from tests.adapters.sql.test_matching import at_once, state_of, waiting
from tests.support.booksbench import StillClock, confirm, intend, line, order_of, roll
from tests.support.doors import BookLine, RecordReturn
from tests.support.memory import RULES, TESTER, board

DUE = date(2026, 3, 10)
SHARED = Mandate("M-1", "simbank", "merchant-1", "acct-1", date(2026, 1, 1))
ORDERED = 10100


async def orders(books: SqlBooks, queries: SqlQueries, clock: StillClock) -> list[str]:
    """Two loans under one mandate whose first debits are out."""
    loans = ("L1", "L2")
    for loan in loans:
        await books.apply(board(loan, mandate=SHARED))
    clock.to(DUE)
    found = []
    for loan in loans:
        await books.apply(roll(loan, DUE))
        view = await queries.view(installment(loan, 1))
        assert view is not None
        assert view.next_action is not None
        found.append(order_of(await intend(books, loan, 1, view.next_action.key)))
    return found


def return_line(minor: int, name: str = "back", order_no: str | None = None) -> BookLine:
    """A line of a return that names its order, or nothing but the mandate."""
    named = line("nobody", -minor, day=DUE, name=name)
    item = LineItem(order_no, "M-1", None, -minor, 0, "AM04")
    return replace(named, line=replace(named.line, items=(item,)))


def report(order_no: str, minor: int) -> RecordReturn:
    """The rail reports a return of an order."""
    return RecordReturn(
        id=f"return/{order_no}",
        actor=TESTER,
        rail="simbank",
        order_no=order_no,
        bank_ref=None,
        amount_minor=minor,
        outcome_class=OutcomeClass.NSF,
        code="AM04",
        returned_on=DUE,
    )


async def test_a_return_that_names_only_the_mandate_is_found_by_its_report(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """New books look up the line, and then every loan under the mandate that it names."""
    first, _ = await orders(books, queries, clock)
    await books.apply(return_line(5050))
    assert len(await waiting(queries)) == 1
    async with SqlBooks(engine, clock, RULES) as others:
        await others.apply(confirm(first, ORDERED))
        await others.apply(report(first, 5050))
    assert await waiting(queries) == {}
    assert (await queries.verify()).faults == ()


@pytest.mark.parametrize("is_first_confirmed", [True, False])
async def test_of_two_orders_under_a_mandate_that_fit_alike_none_is_taken(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, *, is_first_confirmed: bool
) -> None:
    """A whole debit came back, and each of two may be it: as soon as both are known, it waits."""
    first, second = await orders(books, queries, clock)
    known, news = (first, second) if is_first_confirmed else (second, first)
    await books.apply(confirm(known, ORDERED))
    await books.apply(confirm(news, ORDERED))
    await books.apply(return_line(ORDERED))
    await books.apply(confirm(news, ORDERED, by="webhook"))
    assert len(await waiting(queries)) == 1


async def test_a_return_and_the_news_of_its_order_at_the_same_moment_meet(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Two processes, neither of which saw the other's: the second begins anew and books both."""
    first, _ = await orders(books, queries, clock)
    results = await at_once(engine, clock, return_line(ORDERED), confirm(first, ORDERED))
    assert all(isinstance(result, Applied) for result in results)
    assert await waiting(queries) == {}
    assert await state_of(queries) == "RETRYING"
    assert (await queries.verify()).faults == ()
