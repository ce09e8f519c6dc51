"""The closure of a loan on both databases: begun with the release, kept, shown, verified."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema import tables
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied, Refused
from domain.kernel.subject import Subject
from domain.loan.product import Product
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.rules import LegKind
from domain.loanclosure.view import ClosureView
from domain.statement.statement import LineItem, StatementLine
from tests.support.booksbench import StillClock
from tests.support.closures import DRIVER, ONE, closing, only
from tests.support.doors import (
    BeginLeg,
    BookLine,
    HoldClosure,
    LegNews,
    LegStatus,
    RecordLegNews,
    RecordPayment,
    RollDay,
    UndoMatch,
    WaiveLeg,
)
from tests.support.memory import PRODUCT, RULES, TESTER, board

CLOSURE = Subject(LOAN_CLOSURE, "L1")
LEGS = only(LegKind.TELL_BUREAU, LegKind.STOP_CHARGES)


@dataclass
class Bench:
    """Books on a database with one loan whose product says how it is closed."""

    engine: AsyncEngine
    clock: StillClock
    books: SqlBooks
    queries: SqlQueries
    count: int = 0

    async def give(self, kind: type, **values: Any) -> Applied | Refused:
        """Apply a command of a kind under a fresh id."""
        self.count += 1
        values = {"id": f"c{self.count}", "actor": TESTER, "reason": "a test"} | values
        return await self.books.apply(kind(**values))

    async def paid(self, ref: str = "T1", loan: str = "L1") -> None:
        """The installment is paid by a transfer, proven, and its return window passes."""
        await self.give(RollDay, loan_id=loan, day=self.clock.at.date())
        await self.give(
            RecordPayment,
            loan_id=loan,
            number=1,
            reference=ref,
            amount_minor=10100,
            currency="CNY",
            value_on=self.clock.at.date(),
        )
        line = StatementLine(
            id=f"line-{ref}",
            account="ACCT-FUNDER-1-CNY",
            booked_on=self.clock.at.date(),
            value_on=self.clock.at.date(),
            amount_minor=10100,
            currency="CNY",
            servicer_ref=None,
            items=(LineItem(ref, None, None, 10100),),
        )
        await self.give(BookLine, statement_id="S", line=line)
        self.clock.ahead(timedelta(days=5))
        await self.give(RollDay, loan_id=loan, day=self.clock.at.date())

    async def view(self) -> ClosureView:
        """The closure as it is now."""
        found = await self.queries.view(CLOSURE)
        assert found is not None
        return found

    async def act(self) -> Applied | Refused:
        """Perform the next action."""
        view = await self.view()
        assert view.next_action is not None
        self.clock.at = max(self.clock.at, view.next_action.not_before)
        return await self.give(
            BeginLeg,
            actor=DRIVER,
            loan_id="L1",
            action=view.next_action.key,
            generation=view.generation,
            seen=view.version,
        )

    async def news(self, status: LegStatus, **more: Any) -> ClosureView:
        """The bureau says what became of the request that is out."""
        loan = await self.queries.loan("L1")
        assert loan is not None
        assert loan.closing is not None
        reference = next(leg.reference for leg in loan.closing.legs if leg.reference)
        answer = await self.give(
            RecordLegNews, loan_id="L1", reference=reference, news=LegNews(status, **more)
        )
        assert isinstance(answer, Applied)
        assert answer.view is not None
        return answer.view

    async def row(self) -> Any:
        """What lists show of the closure; None where they show none."""
        wanted = select(tables.subjects).where(tables.subjects.c.kind == LOAN_CLOSURE)
        async with self.engine.connect() as conn:
            return (await conn.execute(wanted)).one_or_none()

    async def sound(self) -> None:
        """Everything that can be recomputed agrees, and the audit finds nothing."""
        assert (await self.queries.verify()).faults == ()
        report = await SqlSelfAudit(self.engine, self.clock, RULES).audit()
        assert report.found.kept == []


@pytest_asyncio.fixture
async def bench(engine: AsyncEngine) -> AsyncIterator[Bench]:
    """Give books on each database with the loan, on its due date."""
    clock = StillClock()
    clock.to(ONE[0].due_on)
    async with SqlBooks(engine, clock, RULES) as books:
        made = Bench(engine, clock, books, SqlQueries(engine, clock, RULES))
        await books.apply(board("L1", closing(LEGS), ONE))
        yield made


async def test_a_closure_from_release_to_its_end_and_back(bench: Bench) -> None:
    """Each commit writes the row of lists; loan, journal and row agree throughout."""
    assert await bench.queries.view(CLOSURE) is None
    assert await bench.row() is None
    await bench.paid()
    row = await bench.row()
    assert (row.state, row.generation, row.loan_id) == ("RUNNING", 1, "L1")
    assert (row.driven_by, row.next_action_kind) == ("workflow", "REQUEST")
    await bench.sound()
    await bench.act()
    view = await bench.news(LegStatus.REJECTED, code="B01")
    assert (view.labels.code, view.missing) == ("B01", ("tell_bureau",))
    assert await bench.view() == view
    refused = await bench.give(WaiveLeg, loan_id="L1", leg=LegKind.TELL_BUREAU)
    assert isinstance(refused, Refused)
    assert refused.view == view
    held = await bench.give(HoldClosure, loan_id="L1")
    assert isinstance(held, Applied)
    view = await bench.news(LegStatus.DONE, proof="receipt 1")
    assert view.state == "CLOSED"
    assert (await bench.row()).is_final
    await bench.sound()


async def test_a_match_undone_after_closing_revokes_it(bench: Bench) -> None:
    """The row of lists is of the next generation, and its driver is to be started."""
    await bench.paid()
    await bench.act()
    await bench.news(LegStatus.DONE, proof="receipt 1")
    undone = await bench.give(
        UndoMatch,
        loan_id="L1",
        number=1,
        line="line-T1",
        reference="T1",
        approver="ops-9",
    )
    assert isinstance(undone, Applied), undone
    row = await bench.row()
    assert (row.state, row.generation, row.opened) == ("REVOKING", 2, True)
    await bench.sound()


async def test_the_same_command_again_is_answered_with_the_view_of_now(bench: Bench) -> None:
    """A replayed answer carries the closure as it is, though its command names no loan."""
    await bench.paid()
    first = await bench.give(HoldClosure, loan_id="L1", id="same")
    again = await bench.give(HoldClosure, loan_id="L1", id="same")
    assert isinstance(first, Applied)
    assert isinstance(again, Applied)
    assert (again.replayed, again.view) == (True, first.view)


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        ("UPDATE subjects SET version = 99 WHERE kind = 'loan_closure'", "do not show"),
        ("UPDATE subjects SET state = 'CLOSED' WHERE kind = 'loan_closure'", "do not show"),
        ("UPDATE loans SET body = replace(body, '\"RUNNING\"', '\"CLOSED\"')", "is kept as CLOSED"),
        ("UPDATE loans SET body = replace(body, '\"RUNNING\"', '\"X\"')", "cannot be read back"),
        ("DELETE FROM subjects WHERE kind = 'loan_closure'", "moves of closure L1"),
    ],
)
async def test_a_forged_closure_is_found(bench: Bench, forged: str, says: str) -> None:
    """Whoever changes one of loan, row and journal is contradicted by the others."""
    await bench.paid()
    async with bench.engine.begin() as conn:
        await conn.execute(text(forged))
    faults = (await bench.queries.verify()).faults
    assert [fault for fault in faults if says in fault], faults


async def test_the_costs_of_a_closure(bench: Bench) -> None:
    """Beginning one adds at most two statements to the commit of the release, a row and a message.

    A leg at a bureau is two commits: its request, and its receipt.
    """
    spent = {}
    for name, product in (("L1", None), ("L2", replace(closing(only()), id="p2")), ("L3", plain())):
        if product is not None:
            await bench.books.apply(board(name, product, ONE))
        before = bench.books.counters.statements
        await bench.paid(f"T-{name}", name)
        spent[name] = bench.books.counters.statements - before
    assert 1 <= spent["L1"] - spent["L3"] <= 2
    assert 1 <= spent["L2"] - spent["L3"] <= 2
    counters = bench.books.counters
    statements, commits = counters.statements, counters.commits
    await bench.act()
    await bench.news(LegStatus.DONE, proof="receipt 1")
    assert counters.commits - commits == 2
    assert counters.statements - statements <= 24


def plain() -> Product:
    """A product that says nothing about closing."""
    return replace(PRODUCT, penalty=None, id="p3")


async def test_what_is_paid_and_not_closed_is_found(bench: Bench) -> None:
    """A loan with a closure that runs; then the installment among those that were closed."""
    assert await bench.queries.unclosed_loans("", 10) == ()
    start = bench.clock.at
    await bench.paid()
    assert await bench.queries.unclosed_loans("", 10) == ("L1",)
    assert await bench.queries.unclosed_loans("L1", 10) == ()
    page = await bench.queries.closed_since(start, "", 1)
    assert [(one.loan_id, one.number, one.generation) for one in page.items] == [("L1", 1, 1)]
    assert page.after == ""
    assert not (await bench.queries.closed_since(bench.clock.at + timedelta(1), "", 1)).items
    await bench.act()
    await bench.news(LegStatus.DONE, proof="receipt 1")
    assert await bench.queries.unclosed_loans("", 10) == ()


async def test_installments_of_other_loans_under_a_mandate_are_counted(bench: Bench) -> None:
    """Those that are settled are not; a mandate is ended when none is left."""
    mandate = "M-L1"
    assert await bench.queries.unsettled_under(mandate, "L1") == 0
    assert await bench.queries.unsettled_under(mandate, "L-other") == 1
    await bench.paid()
    assert await bench.queries.unsettled_under(mandate, "L-other") == 0
