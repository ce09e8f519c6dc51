"""Orders that wait in a file: rows of either database, before the cut and after it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import audit_on
from adapters.sql.schema.tables import attempts
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied, Done, Refused
from tests.support.booksbench import StillClock, apply_all, confirm, intend, line, present
from tests.support.doors import BookLine, RecordFiled, RecordPayment, WithdrawDebit
from tests.support.memory import RAIL, RULES, TESTER

FILES = replace(RULES, rails={"simbank": replace(RAIL, cuts=(time(16),))})
CUT = datetime(2026, 3, 10, 8, tzinfo=UTC)
"""16:00 in Shanghai on the due date."""
FILE = "simbank-20260310T0800"
DUE = date(2026, 3, 10)


@pytest_asyncio.fixture
async def books(engine: AsyncEngine, clock: StillClock) -> AsyncIterator[SqlBooks]:
    """Give books whose rail takes files."""
    async with SqlBooks(engine, clock, FILES) as made:
        yield made


@pytest.fixture
def queries(engine: AsyncEngine, clock: StillClock) -> SqlQueries:
    """Give the read side of the same database."""
    return SqlQueries(engine, clock, FILES)


async def filed(books: SqlBooks, queries: SqlQueries, clock: StillClock, loan: str) -> str:
    """A loan whose debit waits in a file; its order number."""
    answer = await intend(books, loan, 1, await present(books, queries, clock, loan))
    assert isinstance(answer, Applied)
    assert answer.answer == Done(note=f"waits in file {FILE}")
    assert answer.view is not None
    return str(answer.view.detail.order_no)


async def in_file(engine: AsyncEngine, batch_ref: str) -> list[str]:
    """The loans whose orders wait in a file, by the rows that a file is made from."""
    c = attempts.c
    waits = select(c.loan_id).where(
        c.batch_ref == batch_ref, c.state == "INTENDED", c.cut_at == CUT
    )
    async with engine.connect() as conn:
        return [row.loan_id for row in await conn.execute(waits.order_by(c.loan_id))]


async def whole(engine: AsyncEngine, queries: SqlQueries, clock: StillClock) -> None:
    """Journal and kept rows say the same, and the audit finds nothing."""
    assert (await queries.verify()).faults == ()
    async with engine.connect() as conn:
        assert (await audit_on(conn, FILES, clock.at)).findings == ()


def withdrawal(loan: str, name: str = "") -> WithdrawDebit:
    return WithdrawDebit(
        id=f"withdraw/{loan}/{name}", actor=TESTER, reason="not today", loan_id=loan, number=1
    )


async def test_what_waits_in_a_file_is_withdrawn_paid_or_sent_with_it(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Four orders in one file: one withdrawn, one paid another way, one moved, one left."""
    loans = ("L1", "L2", "L3", "L4")
    orders = {loan: await filed(books, queries, clock, loan) for loan in loans}
    assert await in_file(engine, FILE) == [*loans]
    paid = RecordPayment(
        id="pay/L2",
        actor=TESTER,
        reason="a transfer came",
        loan_id="L2",
        number=1,
        reference="T-1",
        amount_minor=10100,
        currency="CNY",
        value_on=DUE,
    )
    moved = RecordFiled(id="filed/L3", actor=TESTER, order_no=orders["L3"], batch_ref="FILE-2")
    await apply_all(books, [withdrawal("L1"), paid, moved])
    assert await in_file(engine, FILE) == ["L4"]
    assert await in_file(engine, "FILE-2") == ["L3"]
    clock.at = CUT
    late = await books.apply(withdrawal("L4", "late"))
    assert isinstance(late, Refused)
    assert late.rule == "withdraw.cut"
    await whole(engine, queries, clock)


async def test_the_line_of_a_file_finds_only_the_orders_that_left_with_it(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """One was withdrawn: the bank books the other two in one amount, by the file's name."""
    orders = {loan: await filed(books, queries, clock, loan) for loan in ("L1", "L2", "L3")}
    await apply_all(books, [withdrawal("L2")])
    clock.at = CUT + timedelta(hours=1)
    for loan in ("L1", "L3"):
        said = confirm(orders[loan], 10100)
        outcome = replace(said.outcome, batch_ref=FILE)
        await apply_all(books, [replace(said, outcome=outcome)])
    await apply_all(books, [batch_line(2)])
    states = {loan: await queries.loan(loan) for loan in orders}
    found = {loan: it.installment(1).state.value for loan, it in states.items() if it is not None}
    assert found == {"L1": "SETTLED", "L2": "DUE", "L3": "SETTLED"}
    await whole(engine, queries, clock)


def batch_line(count: int) -> BookLine:
    """The line of the file, without items."""
    named = line("nobody", 10100 * count, day=DUE)
    return replace(named, line=replace(named.line, items=(), batch_ref=FILE, batch_count=count))
