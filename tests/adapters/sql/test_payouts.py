"""Payouts on both databases: items taken once, released, learnt, given back, and proven."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.remittances import RemittanceActivities, Remitted
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.schema import tables
from adapters.sql.write.books import SqlBooks
from domain.debit.outcome import Outcome, OutcomeClass
from domain.kernel.change import Applied, Refused
from domain.loan.aggregate import Rulebook
from domain.payout.items import PayoutItem
from domain.payout.payout import PayoutOrdered
from domain.payout.view import PayoutView
from domain.statement.statement import LineItem, StatementLine
from tests.support.booksbench import StillClock
from tests.support.doors import (
    BookLine,
    InstructPayout,
    RecordLearnt,
    RecordPayment,
    RecordPayoutOutcome,
    RecordRemitted,
    RequestPayout,
    RollDay,
    SetOff,
)
from tests.support.memory import TESTER, board
from tests.support.memory import schedule as planned
from tests.support.payouts import PAYOUT_DRIVER, K, Paying, pooled

DAY = date(2026, 3, 10)
ANOTHER_ITEM = (
    "INSERT INTO payout_items SELECT payout, loan_id, payment, 2, component, minor"
    " FROM payout_items"
)
ANOTHER_RECEIVABLE = (
    "INSERT INTO receivable_items SELECT loan_id, payment, number, component, party, place,"
    " currency, minor FROM payable_items WHERE party = 'funder-1'"
)
RULES = Paying.of().books.rules


@dataclass
class Bench:
    """Books on a database, from which money goes out."""

    engine: AsyncEngine
    clock: StillClock
    books: SqlBooks
    queries: SqlQueries
    count: int = field(default=0)

    async def give(self, kind: type, **values: Any) -> Applied | Refused:
        """Apply a command of a kind under a fresh id."""
        self.count += 1
        values = {"id": f"c{self.count}", "actor": TESTER, "reason": "a test"} | values
        return await self.books.apply(kind(**values))

    async def paid_loans(self, *loans: str, minor: int = 10000) -> None:
        """Loans of one installment that are due and paid by a transfer each, proven on K."""
        for loan in loans:
            await self.books.apply(board(loan, pooled(), planned(((minor, 0),))))
            await self.give(RollDay, loan_id=loan, day=DAY)
            await self.pay(loan, minor)

    async def pay(self, loan: str, minor: int) -> None:
        """A transfer comes for a loan, and its line."""
        ref = f"T-{loan}-{self.count}"
        await self.give(
            RecordPayment,
            loan_id=loan,
            number=1,
            reference=ref,
            amount_minor=minor,
            currency="CNY",
            value_on=DAY,
        )
        await self.line(ref, minor)

    async def line(self, ref: str, minor: int, name: str = "") -> Applied | Refused:
        """A booked line on K that carries a reference."""
        name = name or f"{ref}/{self.count}"
        line = StatementLine(
            id=f"{K}/{name}",
            account=K,
            booked_on=DAY,
            value_on=DAY,
            amount_minor=minor,
            currency="CNY",
            servicer_ref=None,
            items=(LineItem(ref, None, None, minor),),
        )
        return await self.give(BookLine, statement_id="S", line=line)

    async def request(self, number: int = 1, payee: str = "funder-1") -> Applied | Refused:
        """Request what is open for a payee."""
        return await self.give(
            RequestPayout, payee=payee, currency="CNY", account=K, cut_off_on=DAY, number=number
        )

    async def out(self, number: int = 1, payee: str = "funder-1") -> PayoutView:
        """A payout whose order is out."""
        view = seen(await self.request(number, payee))
        answer = await self.act(InstructPayout, view)
        assert isinstance(answer, Applied)
        assert isinstance(answer.answer, PayoutOrdered)
        return seen(answer)

    async def act(self, kind: type, view: PayoutView) -> Applied | Refused:
        """Perform the next action of a payout."""
        assert view.next_action is not None
        self.clock.at = max(self.clock.at, view.next_action.not_before)
        return await self.give(
            kind,
            actor=PAYOUT_DRIVER,
            payout=view.subject.key,
            action=view.next_action.key,
            generation=view.generation,
            seen=view.version,
        )

    async def said(self, view: PayoutView, of: OutcomeClass) -> PayoutView:
        """The channel says something that is no success."""
        return seen(
            await self.give(
                RecordPayoutOutcome,
                payout=view.subject.key,
                outcome=Outcome(of, of.value),
                source="answer",
            )
        )

    async def learn(self, view: PayoutView, *, returned: bool = False) -> PayoutView:
        """The loans of a payout learn of it, then the payout that they have."""
        found = await self.rows(tables.payout_items, payout=view.subject.key)
        for row in found:
            item = PayoutItem(row.loan_id, row.payment, row.number, row.component, row.minor)
            await self.give(
                RecordRemitted,
                loan_id=row.loan_id,
                payout=view.subject.key,
                party=view.labels.owner,
                place=f"bank/{K}",
                items=(item,),
                returned=returned,
            )
        return seen(await self.act(RecordLearnt, view))

    async def rows(self, table: Any, **where: Any) -> list[Any]:
        """Rows of a table."""
        wanted = [table.c[name] == value for name, value in where.items()]
        async with self.engine.connect() as conn:
            return list(await conn.execute(select(table).where(*wanted)))

    async def sound(self) -> None:
        """Everything that can be recomputed agrees, and the audit finds nothing."""
        assert (await self.queries.verify()).faults == ()
        report = await SqlSelfAudit(self.engine, self.clock, self.books_rules).audit()
        assert report.found.kept == []

    @property
    def books_rules(self) -> Rulebook:
        """The rules of the books."""
        return RULES


def seen(answer: Applied | Refused) -> PayoutView:
    """The view in an answer."""
    assert isinstance(answer, Applied), answer
    assert answer.view is not None
    return answer.view


@pytest_asyncio.fixture
async def bench(engine: AsyncEngine) -> AsyncIterator[Bench]:
    """Give books on each database, on a Tuesday morning in Shanghai."""
    clock = StillClock(datetime(2026, 3, 10, 2, tzinfo=UTC))
    async with SqlBooks(engine, clock, RULES) as books:
        yield Bench(engine, clock, books, SqlQueries(engine, clock, RULES))


async def test_a_remittance_from_request_to_closure(bench: Bench) -> None:
    """Items are taken, proven by a line, learnt by every loan, and nothing is left."""
    await bench.paid_loans("L1", "L2")
    view = await bench.out()
    assert (view.state, view.labels.amount_minor, view.detail.items) == ("INSTRUCTED", 18000, 2)
    await bench.sound()
    await bench.line(view.detail.order_no, -18000)
    view = await bench.learn(seen_now(await bench.queries.view(view.subject)))
    assert (view.state, view.is_final) == ("CLOSED", True)
    left = await bench.rows(tables.payable_items, party="funder-1")
    assert left == []
    await bench.sound()


def seen_now(view: Any) -> PayoutView:
    """A view that is there."""
    assert view is not None
    found: PayoutView = view
    return found


async def test_a_request_that_is_refused_takes_nothing(bench: Bench) -> None:
    """What was set aside for it is as if it had never been: no row, nothing taken."""
    await bench.paid_loans("L1")
    bench.books = SqlBooks(
        bench.engine,
        bench.clock,
        replace(
            RULES,
            remittance=replace(
                RULES.remittance,
                payees={
                    "funder-1": replace(RULES.remittance.payees["funder-1"], minimum_minor=10**6)
                },
            ),
        ),
    )
    refused = await bench.request()
    assert isinstance(refused, Refused)
    assert refused.rule == "remittance.minimum"
    assert await bench.rows(tables.payout_items) == []
    (item,) = await bench.rows(tables.payable_items, party="funder-1")
    assert (item.minor, item.taken_minor) == (9000, 0)
    await bench.books.close()


async def test_two_writers_that_race_take_each_item_once(bench: Bench) -> None:
    """Two processes request the same: one takes everything, the other finds nothing open."""
    await bench.paid_loans(*(f"L{number}" for number in range(6)))
    async with SqlBooks(bench.engine, bench.clock, RULES) as rival:
        commands = [
            RequestPayout(
                id=f"r{number}",
                actor=TESTER,
                reason="a race",
                payee="funder-1",
                currency="CNY",
                account=K,
                cut_off_on=DAY,
                number=number,
            )
            for number in (1, 2)
        ]
        answers = await asyncio.gather(bench.books.apply(commands[0]), rival.apply(commands[1]))
    assert sorted(type(answer).__name__ for answer in answers) == ["Applied", "Refused"]
    rows = await bench.rows(tables.payout_items)
    assert (len(rows), sum(row.minor for row in rows)) == (6, 54000)
    await bench.sound()


async def test_a_payout_that_failed_opens_its_items_again(bench: Bench) -> None:
    """They are in the next request; the rows of the first stay, and stand for nothing."""
    await bench.paid_loans("L1", "L2")
    view = await bench.said(await bench.out(), OutcomeClass.DECLINED)
    assert view.state == "FAILED"
    assert {row.taken_minor for row in await bench.rows(tables.payable_items)} == {0}
    await bench.sound()


async def test_what_is_taken_back_while_a_payout_is_out_is_to_be_given_back(
    bench: Bench,
) -> None:
    """The loan knows of no payout; the books read what is taken, under its lock."""
    await bench.paid_loans("L1")
    view = await bench.out()
    (payment,) = await bench.rows(tables.payments)
    await bench.line(payment.reference, -10000)
    (owed,) = await bench.rows(tables.receivable_items)
    assert (owed.party, owed.minor) == ("funder-1", 9000)
    await bench.sound()
    await bench.said(view, OutcomeClass.DECLINED)
    answer = await bench.give(SetOff, party="funder-1", currency="CNY", account=K, loans=("L1",))
    assert isinstance(answer, Applied)
    assert await bench.rows(tables.receivable_items) == []
    assert await bench.rows(tables.payable_items, party="funder-1") == []
    await bench.sound()


async def test_a_payout_that_comes_back_is_due_again(bench: Bench) -> None:
    """Every loan learns it; the items are open for a payout with a new number."""
    await bench.paid_loans("L1")
    view = await bench.out()
    await bench.line(view.detail.order_no, -9000, "out")
    view = await bench.learn(seen_now(await bench.queries.view(view.subject)))
    await bench.line(view.detail.order_no, 9000, "back")
    view = seen_now(await bench.queries.view(view.subject))
    assert (view.state, view.generation) == ("RETURNED", 2)
    await bench.sound()
    view = await bench.learn(view, returned=True)
    assert view.state == "REVERSED"
    (item,) = await bench.rows(tables.payable_items, party="funder-1")
    assert (item.minor, item.taken_minor) == (9000, 0)
    await bench.sound()


async def test_ten_thousand_items_are_one_payout(bench: Bench) -> None:
    """A few statements, whatever their number; count, sum and digest are in the journal."""
    await bench.paid_loans("L1")
    (payment,) = await bench.rows(tables.payments)
    (item,) = await bench.rows(tables.payable_items, party="funder-1")
    many = [{**item._mapping, "number": number, "minor": 7} for number in range(2, 10_001)]
    async with bench.engine.begin() as conn:
        await conn.execute(insert(tables.payable_items), many)
    before = bench.books.counters.statements
    view = seen(await bench.request())
    assert bench.books.counters.statements - before < 40
    assert (view.detail.items, view.labels.amount_minor) == (10_000, 9000 + 9_999 * 7)
    async with bench.engine.connect() as conn:
        of = tables.payable_items.c
        taken = await conn.execute(select(func.sum(of.taken_minor)).where(of.party == "funder-1"))
        assert taken.scalar_one() == view.labels.amount_minor
    assert payment.reference


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE payouts SET minor = 1", "column minor is 1"),
        ("UPDATE payouts SET state = 'PAID'", "column state is PAID"),
        ("UPDATE payouts SET body = '{}'", "cannot be read back"),
        ("UPDATE subjects SET state = 'PAID' WHERE kind = 'payout'", "lists do not show payout"),
        ("UPDATE payable_items SET taken_minor = 1 WHERE party = 'funder-1'", "its payouts say"),
        (ANOTHER_ITEM, "or others than were hashed"),
        ("DELETE FROM payouts", "items of payout"),
        (ANOTHER_RECEIVABLE, "receivable item"),
    ],
)
async def test_whatever_is_altered_of_a_payout_is_found(
    bench: Bench, statement: str, named: str
) -> None:
    """Every column, row and sum of it is recomputed from the journal and the loans."""
    await bench.paid_loans("L1")
    await bench.out()
    async with bench.engine.begin() as conn:
        await conn.execute(text(statement))
    faults = (await bench.queries.verify()).faults
    assert [fault for fault in faults if named in fault], faults


async def test_the_sweep_requests_what_is_due_at_a_cut_off_once(bench: Bench) -> None:
    """Before the cut-off it is of the banking day before; the same cut-off is asked for once."""
    await bench.paid_loans("L1", "L2")
    sweep = RemittanceActivities(bench.books, bench.queries, RULES.payouts, bench.clock)
    first, again = await sweep.once(), await sweep.once()
    assert (first.requested, again) == (2, Remitted())
    rows = await bench.rows(tables.payouts)
    assert {(row.payee, row.cut_off_on) for row in rows} == {
        ("funder-1", date(2026, 3, 9)),
        ("guarantor", date(2026, 3, 9)),
    }
    await bench.paid_loans("L3")
    bench.clock.to(DAY, 9)
    assert (await sweep.once()).requested == 2, "of the cut-off at 16:00 in Shanghai"


async def test_the_sweep_sets_off_before_it_requests(bench: Bench) -> None:
    """What a party owes of one loan is paid by what it is due of others; the rest is requested."""
    await bench.paid_loans("L1")
    view = await bench.out()
    (payment,) = await bench.rows(tables.payments)
    await bench.line(view.detail.order_no, -9000)
    await bench.line(payment.reference, -4000)
    await bench.paid_loans("L2")
    sweep = RemittanceActivities(bench.books, bench.queries, RULES.payouts, bench.clock)
    done = await sweep.once()
    assert (done.set_off, done.failed) == (1, 0)
    assert await bench.rows(tables.receivable_items) == []
    rows = await bench.rows(tables.payouts, payee="funder-1", cut_off_on=date(2026, 3, 9))
    assert [row.minor for row in rows] == [9000 - 3600]
    await bench.sound()


async def test_a_sweep_goes_on_after_one_that_fails(bench: Bench) -> None:
    """A payee whose account is not to be paid from is refused; the others get theirs."""
    await bench.paid_loans("L1")
    accounts = {K: replace(RULES.accounts[K], may_pay_from=False)}
    async with SqlBooks(bench.engine, bench.clock, replace(RULES, accounts=accounts)) as strict:
        sweep = RemittanceActivities(strict, bench.queries, RULES.payouts, bench.clock)
        done = await sweep.once()
        assert (done.requested, done.refused, done.failed) == (0, 2, 0)
        assert await bench.rows(tables.payout_items) == []
        assert await bench.rows(tables.cases) == []
        bench.clock.at += timedelta(days=2)
        assert (await sweep.once()).refused == 2
        cases = await bench.rows(tables.cases, kind="remittance_shortfall")
        assert sorted(case.key for case in cases) == [
            f"shortfall/funder-1/CNY/{K}",
            f"shortfall/guarantor/CNY/{K}",
        ]
    bench.clock.at += timedelta(hours=1)
    await RemittanceActivities(bench.books, bench.queries, RULES.payouts, bench.clock).once()
    cases = await bench.rows(tables.cases, kind="remittance_shortfall")
    assert all(case.closed_at for case in cases)
    await bench.sound()


async def test_a_party_without_a_policy_is_short_of_all(bench: Bench) -> None:
    """Nobody says how the guarantor is paid: what it is due is a case, whatever its size."""
    await bench.paid_loans("L1")
    payees = {"funder-1": RULES.remittance.payees["funder-1"]}
    rules = replace(RULES.payouts, policy=replace(RULES.remittance, payees=payees))
    await RemittanceActivities(bench.books, bench.queries, rules, bench.clock).once()
    [case] = await bench.rows(tables.cases, kind="remittance_shortfall")
    assert case.key == f"shortfall/guarantor/CNY/{K}"
