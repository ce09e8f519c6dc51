"""Webhooks that come again or contradict one another: one event is one fact, however read."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.intake import BooksIntake
from adapters.rails.codes import load_codes
from adapters.rails.http import RailHttp
from adapters.rails.simbank import SimbankConfig, SimbankRail
from adapters.rails.simbank import client as simbank
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from api.webhooks import build_app
from domain.case.kinds import CaseKind
from domain.debit.codes import CodeTable
from domain.debit.outcome import OutcomeClass
from domain.errors import InvariantBroken
from domain.loan.lifecycle import State
from domain.loan.view import installment
from ports.rail import UnparsedEvent
from simulator.rail.webhooks import sign
from tests.api.served import served
from tests.support.booksbench import StillClock, confirm, intend, order_of, present
from tests.support.memory import RULES

SECRET = "a webhook secret of the bank"


class Bank:
    """Posts webhooks to a served door, each with an id and a signature."""

    def __init__(self, client: httpx.AsyncClient, clock: StillClock) -> None:
        self._client, self._clock = client, clock

    async def post(self, event: str, body: Mapping[str, Any]) -> int:
        """Deliver one event and give the status."""
        raw, stamp = json.dumps(body), int(self._clock.now().timestamp())
        headers = {
            "webhook-id": event,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(SECRET, event, stamp, raw),
        }
        answer = await self._client.post("/webhooks/simbank", content=raw, headers=headers)
        return answer.status_code


@asynccontextmanager
async def bank_of(books: SqlBooks, clock: StillClock) -> AsyncIterator[Bank]:
    """The door as it is started: rail, code tables and books are those of this release."""
    async with RailHttp("http://127.0.0.1:1") as http:
        rail = SimbankRail(http, SimbankConfig("M", {"M": "x"}, (SECRET,)), clock.now)
        app = build_app({"simbank": rail}, BooksIntake(books), clock.now)
        async with served(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield Bank(client, clock)


def with_code(product: str, code: str, outcome_class: OutcomeClass) -> CodeTable:
    """Today's code table with one code in another class."""
    table = load_codes("simbank", product)
    row = replace(table.lookup(code), outcome_class=outcome_class)
    return replace(table, rows={**table.rows, code: row})


def finished(order_no: str, code: str, status: str, executed: int = 0) -> dict[str, Any]:
    """An event about an order of 101.00."""
    order = {
        "order_no": order_no, "code": code, "status": status, "amount_minor": 10100,
        "executed_minor": executed, "bank_ref": "BK1" if executed else None,
    }  # fmt: skip
    return {"type": "order.finished", "order": order}


async def order_out(books: SqlBooks, queries: SqlQueries, clock: StillClock) -> str:
    """The number of an order that is out."""
    return order_of(await intend(books, "L1", 1, await present(books, queries, clock, "L1")))


async def test_a_delivery_again_after_a_changed_code_table_is_news_with_a_case(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is answered with 200, never refused for ever; a person sees that both readings count."""
    order_no = await order_out(books, queries, clock)
    event = finished(order_no, "64", "DECLINED")
    async with bank_of(books, clock) as bank:
        assert [await bank.post("wh_1", event) for _ in range(2)] == [200, 200]
    assert [
        case.kind for case in (await queries.cases()).items if case.kind == "read_differently"
    ] == []
    changed = with_code("dd", "64", OutcomeClass.ACCOUNT)
    monkeypatch.setattr(simbank, "load_codes", lambda *names: changed)
    async with bank_of(books, clock) as bank:
        assert [await bank.post("wh_1", event) for _ in range(3)] == [200, 200, 200]
    [case] = [case for case in (await queries.cases()).items if case.kind == "read_differently"]
    assert "wh_1" in case.text
    assert (case.loan_id, case.number) == ("L1", 1)
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert "read_differently" in view.detail.cases
    assert (await queries.verify()).faults == ()


async def test_an_event_that_could_not_be_read_is_read_when_it_comes_again(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an older release kept unread is applied by the release that understands it."""
    order_no = await order_out(books, queries, clock)
    event = finished(order_no, "00", "SUCCESS", 10100)
    with monkeypatch.context() as older:
        unread = lambda event_id, *_: UnparsedEvent(event_id, "order.finished")  # noqa: E731
        older.setattr(simbank, "report_of", unread)
        async with bank_of(books, clock) as bank:
            assert await bank.post("wh_1", event) == 200
    async with bank_of(books, clock) as bank:
        assert [await bank.post("wh_1", event) for _ in range(2)] == [200, 200]
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.state == State.CLEARING
    kinds = sorted(case.kind for case in (await queries.cases()).items)
    assert kinds.count(CaseKind.READ_DIFFERENTLY) == 1


async def test_a_return_read_in_another_class_is_one_return_and_a_case(
    books: SqlBooks, queries: SqlQueries, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The money comes back once, whatever the reason is taken for later."""
    order_no = await order_out(books, queries, clock)
    await books.apply(confirm(order_no, 10100, bank_ref="BK1"))
    event = {
        "type": "order.returned", "order_no": order_no, "bank_ref": "BK1", "amount_minor": 10100,
        "fee_minor": 0, "reason": "AM04", "returned_on": "2026-03-10",
    }  # fmt: skip
    async with bank_of(books, clock) as bank:
        assert await bank.post("wh_r", event) == 200
    before = (await queries.balances()).items
    changed = with_code("returns", "AM04", OutcomeClass.MANDATE)
    monkeypatch.setattr(simbank, "load_codes", lambda *names: changed)
    async with bank_of(books, clock) as bank:
        assert [await bank.post("wh_r", event) for _ in range(2)] == [200, 200]
    assert (await queries.balances()).items == before
    assert [case.kind for case in (await queries.cases()).items].count(
        CaseKind.READ_DIFFERENTLY
    ) == 1


async def test_an_id_that_is_used_for_another_event_is_news_with_a_case(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """Evidence is never refused: a bank that gives one id twice is no reason to lose a payment."""
    order_no = await order_out(books, queries, clock)
    async with bank_of(books, clock) as bank:
        assert await bank.post("wh_1", finished("nobodys", "64", "DECLINED")) == 200
        assert await bank.post("wh_1", finished(order_no, "00", "SUCCESS", 10100)) == 200
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.state == State.CLEARING
    assert "read_differently" in view.detail.cases


@pytest.mark.parametrize(
    ("first", "second", "kinds"),
    [
        (("00", "SUCCESS", 10100), ("64", "DECLINED", 0), ("contradiction",)),
        (("00", "SUCCESS", 10100), ("34", "NOT_FOUND", 0), ("contradiction",)),
        (("64", "DECLINED", 0), ("00", "SUCCESS", 10100), None),
    ],
    ids=["success then refusal", "success then not found", "refusal then success"],
)
async def test_two_final_outcomes_of_one_order_count_its_money_once(
    books: SqlBooks,
    queries: SqlQueries,
    clock: StillClock,
    first: tuple[str, str, int],
    second: tuple[str, str, int],
    kinds: tuple[str, ...] | None,
) -> None:
    """A bank that contradicts itself is answered with 200, in whatever order its outcomes come."""
    order_no = await order_out(books, queries, clock)
    async with bank_of(books, clock) as bank:
        for event, said in (("wh_1", first), ("wh_2", second), ("wh_1", first)):
            assert await bank.post(event, finished(order_no, *said)) == 200
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.state == State.CLEARING
    assert kinds is None or view.detail.cases == kinds
    assert "read_differently" not in view.detail.cases
    clearing = [item.minor for item in (await queries.balances("clearing/")).items if item.minor]
    assert clearing == [10100]


async def test_books_decide_nothing_about_a_state_of_a_later_release(
    engine: AsyncEngine, books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """A driver of an older build may show such a state; older books refuse to act upon it."""
    order_no = await order_out(books, queries, clock)
    later = "UPDATE subjects SET body = replace(body, '\"PRESENTED\"', '\"MEDIATED\"')"
    async with engine.begin() as conn:
        assert (await conn.execute(text(later))).rowcount > 0
    async with SqlBooks(engine, clock, RULES) as older:
        with pytest.raises(InvariantBroken, match="MEDIATED"):
            await older.apply(confirm(order_no, 10100))
