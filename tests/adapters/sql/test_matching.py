"""A payment and its bank line find each other: in any order, by any process, on both databases."""

import asyncio
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.tables import chain_head
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied, Refused
from domain.loan.view import installment
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
from tests.support.doors import AnyCommand, MatchLine, RecordPayment, UndoMatch, WithdrawPayment
from tests.support.memory import RULES, TESTER, board

DUE = date(2026, 3, 10)
LINE = line("T-1", 10100, day=DUE)


def payment(loan_id: str = "L1", command_id: str = "pay-1") -> RecordPayment:
    """A transfer of the whole first installment under one reference."""
    return RecordPayment(
        id=command_id,
        actor=TESTER,
        reason="reported by the borrower",
        loan_id=loan_id,
        number=1,
        reference="T-1",
        amount_minor=10100,
        currency="CNY",
        value_on=DUE,
    )


async def test_a_batch_line_without_items_proves_the_orders_of_its_batch(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """The line names only the batch: which orders are in it stands in the books."""
    order_no = order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))
    await apply_all(books, [confirm(order_no, 10100)])
    named = line(order_no, 10100, day=DUE)
    batch = replace(named.line, items=(), batch_ref=f"BATCH-{order_no}", batch_count=1)
    await apply_all(books, [replace(named, line=batch)])
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.state == "SETTLED"
    assert (await queries.balances("suspense/line/")).items == ()


async def due(books: SqlBooks, clock: StillClock, *loans: str) -> None:
    """Board loans and let their first installment fall due."""
    await apply_all(books, [board(name) for name in loans])
    clock.to(DUE)
    await apply_all(books, [roll(name, DUE) for name in loans])


async def state_of(queries: SqlQueries, loan_id: str = "L1") -> str:
    """State of the first installment."""
    view = await queries.view(installment(loan_id, 1))
    assert view is not None
    return view.state


async def waiting(queries: SqlQueries) -> dict[str, int]:
    """What waits on lines, by account."""
    return {b.account: b.minor for b in (await queries.balances("suspense/line/")).items if b.minor}


@pytest.mark.parametrize("together", [True, False], ids=["one-group", "two-groups"])
@pytest.mark.parametrize("line_first", [True, False], ids=["line-first", "payment-first"])
async def test_a_payment_and_its_line_settle_in_either_order(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, *, together: bool, line_first: bool
) -> None:
    """One group or two, the line before its payment or after it: settled, and nothing waits."""
    await due(books, clock, "L1")
    commands: list[AnyCommand] = [LINE, payment()] if line_first else [payment(), LINE]
    for group in [commands] if together else [[command] for command in commands]:
        await apply_all(books, group)
    assert (await state_of(queries), await waiting(queries)) == ("SETTLED", {})
    assert (await queries.verify()).faults == ()


async def test_a_line_is_found_again_by_new_books(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """What waits is in the database, not in a process; a part that is matched does not wait."""
    await due(books, clock, "L1")
    await books.apply(LINE)
    async with SqlBooks(engine, clock, RULES) as others:
        await others.apply(payment())
        assert (await state_of(queries), await waiting(queries)) == ("SETTLED", {})
        undo = UndoMatch(
            id="u-1",
            actor=TESTER,
            reason="of another payer",
            loan_id="L1",
            number=1,
            line=LINE.line.id,
            reference="T-1",
        )
        assert isinstance(await others.apply(undo), Applied)
    assert await state_of(queries) == "CLEARING"
    assert list((await waiting(queries)).values()) == [-10100]
    gone = WithdrawPayment(
        id="w-1", actor=TESTER, reason="none", loan_id="L1", number=1, reference="T-1"
    )
    assert isinstance(await books.apply(gone), Applied)
    match = MatchLine(
        id="m-1",
        actor=TESTER,
        reason="found the payer",
        loan_id="L1",
        number=1,
        line=LINE.line.id,
        reference="T-2",
        amount_minor=10100,
    )
    assert isinstance(await books.apply(match), Applied)
    assert (await state_of(queries), await waiting(queries)) == ("SETTLED", {})
    assert (await queries.verify()).faults == ()


async def at_once(
    engine: AsyncEngine, clock: StillClock, *commands: AnyCommand
) -> list[Applied | Refused]:
    """Give each command to books of its own; all have looked before the first of them writes."""
    rivals = [SqlBooks(engine, clock, RULES) for _ in commands]
    async with engine.begin() as gate:
        await gate.execute(select(chain_head).with_for_update())
        pairs = zip(rivals, commands, strict=True)
        work = [asyncio.ensure_future(books.apply(command)) for books, command in pairs]
        await asyncio.sleep(0.5)
    results = await asyncio.wait_for(asyncio.gather(*work), 30)
    for books in rivals:
        await books.close()
    return list(results)


async def test_a_line_and_its_payment_at_the_same_moment_meet(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Two processes, neither of which saw the other's: the second begins anew and matches."""
    await due(books, clock, "L1")
    results = await at_once(engine, clock, LINE, payment())
    assert all(isinstance(result, Applied) for result in results)
    assert (await state_of(queries), await waiting(queries)) == ("SETTLED", {})
    assert (await queries.verify()).faults == ()


async def test_one_payment_recorded_on_two_loans_at_once_is_taken_by_one(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """One transfer is one loan's; whoever comes second is refused by name."""
    await due(books, clock, "L1", "L2")
    results = await at_once(engine, clock, payment(), payment("L2", "pay-2"))
    assert sorted(type(result).__name__ for result in results) == ["Applied", "Refused"]
    refused = next(result for result in results if isinstance(result, Refused))
    assert refused.rule == "payment.reference"
    assert sorted([await state_of(queries), await state_of(queries, "L2")]) == ["CLEARING", "DUE"]


async def test_the_same_line_in_two_files_waits_once(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A line that is read again under another command changes nothing of what waits."""
    await due(books, clock, "L1")
    await books.apply(LINE)
    again = await books.apply(replace(LINE, id="line/again", statement_id="S2"))
    assert isinstance(again, Applied)
    await books.apply(payment())
    assert await waiting(queries) == {}


async def test_one_reference_pays_two_loans_and_an_early_line_of_it_finds_its_payment(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Both loans know RENT: each payment has an id of its own, distinguished by amount and day."""
    await due(books, clock, "L1", "L2")
    rent = replace(payment(), reference="RENT", amount_minor=10100)
    other = replace(payment("L2", "pay-2"), reference="RENT", value_on=date(2026, 3, 9))
    early = line("RENT", 10100, day=DUE)
    await apply_all(books, [early])
    assert await waiting(queries)
    for command in (rent, other):
        assert isinstance(await books.apply(command), Applied)
    loans = [await queries.loan(name) for name in ("L1", "L2")]
    paid = [portion for loan in loans if loan is not None for portion in loan.portions]
    assert len({portion.id for portion in paid}) == 2
    assert [portion.is_proven for portion in paid] == [True, False]
    assert not await waiting(queries)
