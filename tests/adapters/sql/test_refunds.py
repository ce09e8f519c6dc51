"""Refunds on both databases: found, reserved, sent, cancelled by a return, proven, verified."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from activities.remittances import RemittanceActivities, Remitted
from adapters.sql.read.gauges import SqlGauges
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema import tables
from adapters.sql.write.books import SqlBooks
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Actor
from domain.payout.agenda import PayoutRules
from domain.payout.payout import PayoutOrdered, refund_key
from domain.payout.view import PayoutView, RefundStatus
from ports.gauges import Waiting
from tests.adapters.sql.test_payouts import DAY, RULES, Bench, seen, seen_now
from tests.support.booksbench import StillClock
from tests.support.doors import (
    CancelPayout,
    EscalateRefund,
    InstructPayout,
    RecordPayment,
    RequestRefund,
    RollDay,
    UndoMatch,
)
from tests.support.memory import board
from tests.support.memory import schedule as planned
from tests.support.payouts import PAYOUT_DRIVER, sole

TESTER_TWO = Actor("operator", "ops-5")


def only_refunds() -> PayoutRules:
    """Rules by which nobody is remitted anything, and payers get back what is theirs."""
    return replace(RULES.payouts, policy=replace(RULES.remittance, payees={}))


class Twice(Bench):
    """Books in which a loan was paid twice."""

    async def paid_twice(self, loan: str = "L1", minor: int = 10000) -> tuple[str, str]:
        """Two transfers of a day each, proven on K: the ids of the first and of the duplicate."""
        await self.books.apply(board(loan, sole("funder-1"), planned(((minor, 0),))))
        await self.give(RollDay, loan_id=loan, day=DAY)
        found = []
        for day in (DAY - timedelta(days=1), DAY):
            ref = f"T-{loan}-{day:%d}"
            await self.give(
                RecordPayment, loan_id=loan, number=1, reference=ref, amount_minor=minor,
                currency="CNY", value_on=day,
            )  # fmt: skip
            await self.line(ref, minor)
            [row] = await self.rows(tables.payments, reference=ref)
            found.append(row.id)
        return found[0], found[1]

    async def refund(self, payment: str, number: int = 1, **more: Any) -> Applied | Refused:
        """The machine requests a refund."""
        more = {"actor": PAYOUT_DRIVER} | more
        return await self.give(RequestRefund, payment=payment, number=number, **more)

    async def sent(self, payment: str, number: int = 1) -> PayoutView:
        """A refund whose order is out."""
        answer = await self.act(InstructPayout, seen(await self.refund(payment, number)))
        assert isinstance(answer, Applied)
        assert isinstance(answer.answer, PayoutOrdered)
        return seen(answer)

    async def status(self, payment: str, number: int = 1) -> RefundStatus:
        """What the payer is told."""
        found = await self.queries.payout(refund_key(payment, number))
        assert found is not None
        view: PayoutView = seen_now(await self.queries.view(found.subject))
        assert view.detail.refund is not None
        return view.detail.refund.status


@pytest_asyncio.fixture
async def twice(engine: AsyncEngine) -> AsyncIterator[Twice]:
    """Give books on each database, on a Tuesday morning in Shanghai."""
    clock = StillClock(datetime(2026, 3, 10, 2, tzinfo=UTC))
    async with SqlBooks(engine, clock, RULES) as books:
        yield Twice(engine, clock, books, SqlQueries(engine, clock, RULES))


async def test_a_refund_from_request_to_its_line(twice: Twice) -> None:
    """Reserved, ordered, proven: each step is on the books as what recomputes it says."""
    _, second = await twice.paid_twice()
    view = seen(await twice.refund(second))
    assert (view.state, view.labels.amount_minor) == ("APPROVED", 10000)
    gauges = SqlGauges(twice.engine, twice.clock)
    assert (await gauges.gauges()).payouts == {"APPROVED": Waiting(1, twice.clock.at)}
    await twice.sound()
    view = seen(await twice.act(InstructPayout, view))
    [row] = await twice.rows(tables.portions, id=second)
    assert (row.waiting_minor, row.refunded_minor) == (0, 10000)
    await twice.sound()
    await twice.line(view.detail.order_no, -10000)
    assert await twice.status(second) is RefundStatus.PAID
    await twice.sound()
    assert await twice.rows(tables.payout_items) == []
    [case] = await twice.rows(tables.cases, kind="surplus")
    assert case.closed_at is not None
    assert (await gauges.gauges()).payouts == {}


async def test_a_return_cancels_a_refund_that_its_command_does_not_name(twice: Twice) -> None:
    """The line of a return knows nothing of the refund, and cancels it in the same commit."""
    first, second = await twice.paid_twice()
    await twice.refund(second)
    [payment] = await twice.rows(tables.payments, id=first)
    await twice.line(payment.reference, -10000)
    assert await twice.status(second) is RefundStatus.WITHDRAWN
    await twice.sound()
    assert await twice.queries.refundable("", 10) == ()


async def test_refunded_and_returned_is_owed_by_the_payer(twice: Twice) -> None:
    """Both ways back at once: receivable of the payer, until the refund itself comes back."""
    _, second = await twice.paid_twice()
    view = await twice.sent(second)
    await twice.line(view.detail.order_no, -10000)
    [payment] = await twice.rows(tables.payments, id=second)
    await twice.line(payment.reference, -4000)
    [row] = await twice.rows(tables.portions, id=second)
    assert (row.waiting_minor, row.refunded_minor) == (0, 6000)
    await twice.sound()
    await twice.line(view.detail.order_no, 10000, "back")
    assert await twice.status(second) is RefundStatus.UNREACHABLE
    [row] = await twice.rows(tables.portions, id=second)
    assert (row.waiting_minor, row.refunded_minor) == (6000, 0)
    await twice.sound()


async def test_a_refund_that_fails_is_not_requested_again_by_the_machine(twice: Twice) -> None:
    """Its money waits again, and the case keeps the sweep from asking anew."""
    _, second = await twice.paid_twice()
    view = await twice.sent(second)
    await twice.said(view, OutcomeClass.ACCOUNT)
    await twice.sound()
    refused = await twice.refund(second, 2)
    assert isinstance(refused, Refused)
    assert refused.rule == "refund.case"
    again = seen(await twice.refund(second, 2, actor=TESTER_TWO, beneficiary="vault:new"))
    assert again.state == "REQUESTED"
    await twice.give(CancelPayout, payout=again.subject.key)
    await twice.sound()


async def test_two_writers_never_reserve_the_same_money(twice: Twice) -> None:
    """Two requests at once: one is taken, the other finds nothing left."""
    _, second = await twice.paid_twice()
    async with SqlBooks(twice.engine, twice.clock, RULES) as other:
        commands = [
            RequestRefund(
                id=f"r{number}", actor=PAYOUT_DRIVER, reason="", payment=second, number=number
            )
            for number in (1, 2)
        ]
        answers = await asyncio.gather(twice.books.apply(commands[0]), other.apply(commands[1]))
    rules = sorted(answer.rule if isinstance(answer, Refused) else "" for answer in answers)
    assert rules == ["", "refund.nothing"]
    await twice.sound()


async def test_a_return_and_a_refund_race(twice: Twice) -> None:
    """A refund is requested while its twin comes back: the payer never has both."""
    first, second = await twice.paid_twice()
    [payment] = await twice.rows(tables.payments, id=first)
    async with SqlBooks(twice.engine, twice.clock, RULES) as other:
        rival = Twice(twice.engine, twice.clock, other, twice.queries, count=100)
        await asyncio.gather(
            rival.refund(second), twice.line(payment.reference, -10000), return_exceptions=False
        )
    [row] = await twice.rows(tables.portions, id=second)
    assert (row.waiting_minor, row.refunded_minor) == (0, 0)
    states = [one.state for one in await twice.rows(tables.payouts)]
    assert states in ([], ["CANCELLED"])
    await twice.sound()


async def test_the_sweep_requests_each_refund_once(twice: Twice) -> None:
    """A day after its money came a surplus is requested; a refused one once a day, and no more."""
    _, second = await twice.paid_twice()
    await twice.paid_twice("L2")
    sweep = RemittanceActivities(twice.books, twice.queries, only_refunds(), twice.clock)
    assert await sweep.once() == Remitted()
    twice.clock.at += timedelta(days=1)
    assert (await sweep.once()).refunds == 2
    assert await sweep.once() == Remitted()
    assert [one.key for one in await twice.queries.refunds(second, "", 9)] == [
        refund_key(second, 1)
    ]
    assert len(await twice.queries.refunds("", "", 9)) == 2
    await twice.give(CancelPayout, payout=refund_key(second, 1))
    assert (await sweep.once()).refunds == 1
    both = await twice.queries.refunds(second, "", 9)
    assert [one.key for one in both] == [refund_key(second, number) for number in (1, 2)]
    assert await twice.queries.refunds(second, both[0].key, 9) == both[1:]
    await twice.sound()


async def test_a_deadline_and_a_match_undone(twice: Twice) -> None:
    """A deadline that passes is a case of the loan; a proof undone takes the refund back."""
    _, second = await twice.paid_twice()
    view = seen(await twice.refund(second, actor=TESTER_TWO, beneficiary="vault:new"))
    view = seen(await twice.act(EscalateRefund, view))
    [case] = await twice.rows(tables.cases, kind="refund_overdue")
    assert case.loan_id == "L1"
    [row] = await twice.rows(tables.payments, id=second)
    line = (await twice.rows(tables.lines))[-1]
    undone = await twice.give(
        UndoMatch, loan_id="L1", number=1, line=line.id, reference=row.reference
    )
    assert isinstance(undone, Applied), undone
    assert await twice.status(second) is RefundStatus.WITHDRAWN
    await twice.sound()


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        ("UPDATE payouts SET payment = 'P-OTHER'", "column payment"),
        (
            "UPDATE portions SET body = replace(body, '\"ordered\"', '\"proven\"')",
            "its portion says otherwise",
        ),
        ("UPDATE portions SET refunded_minor = 1 WHERE refunded_minor > 0", "refunded_minor"),
    ],
)
async def test_a_forged_refund_is_found(twice: Twice, forgery: str, said: str) -> None:
    """Whoever changes what a refund has taken is found by recomputing it."""
    _, second = await twice.paid_twice()
    await twice.sent(second)
    async with twice.engine.begin() as conn:
        await conn.execute(text(forgery))
    faults = (await twice.queries.verify()).faults
    assert any(said in fault for fault in faults), faults
