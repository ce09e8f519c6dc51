"""Spans of statements, commands, calls, deliveries and webhooks: what was done, never to whom."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.rails.http import RailHttp
from adapters.rails.simbank.kind import SIMBANK_KIND
from adapters.sql.engine import books_engine
from adapters.sql.readrows import read_message
from adapters.sql.schema.migrate import upgrade
from adapters.sql.schema.tables import chain_head, commands, outbox
from adapters.sql.write.books import SqlBooks
from adapters.telemetry.carriers import carrier, origin_of
from adapters.telemetry.delivery import traced_dispatchers
from adapters.telemetry.group import TracedBooks
from adapters.telemetry.http import TracedDoor, route_of, traced_calls
from adapters.telemetry.observer import BooksObserver
from adapters.telemetry.sql import trace_sql
from ports.outbox import TRACE, OutboxRow
from ports.rail import RailUnavailable
from tests.adapters.telemetry.canaries import ACCOUNT, ALL, EMAIL, NAME, PHONE, found_in
from tests.adapters.telemetry.conftest import Spans
from tests.support.booksbench import StillClock
from tests.support.memory import RULES, board

SIMBANK_WORDS = SIMBANK_KIND.words


@pytest.fixture(params=["sqlite", "postgres"])
def books_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest_asyncio.fixture
async def engine(books_url: str, spans: Spans) -> AsyncIterator[AsyncEngine]:
    """Give a traced engine on a migrated database."""
    await upgrade(books_url)
    made = books_engine(books_url)
    trace_sql(made.sync_engine, spans.tracer)
    yield made
    await made.dispose()


async def test_query_makes_a_span_with_kind_and_table_and_no_parameter(
    engine: AsyncEngine, spans: Spans
) -> None:
    """A statement inside a trace is a child of it; outside any trace it makes none."""
    statement = text("SELECT id FROM loans WHERE id = :id")
    async with engine.connect() as conn:
        await conn.execute(statement, {"id": PHONE})
        assert spans.all == ()
        with spans.tracer.start_as_current_span("work"):
            await conn.execute(statement, {"id": PHONE})
    span, work = spans.named("SELECT loans"), spans.named("work")
    assert span.parent is not None
    assert work.context is not None
    assert span.parent.span_id == work.context.span_id
    assert span.attributes == {
        "db.system.name": engine.dialect.name,
        "db.operation.name": "SELECT",
        "db.collection.name": "loans",
    }
    assert found_in(spans.text) == set()


async def test_failed_statement_tells_the_kind_of_error_only(
    engine: AsyncEngine, spans: Spans
) -> None:
    """Messages of databases quote values, and so do SQLAlchemy's: parameters stay hidden."""
    with spans.tracer.start_as_current_span("work"), pytest.raises(DBAPIError) as caught:
        async with engine.connect() as conn:
            await conn.execute(text("INSERT INTO nowhere VALUES (:a)"), {"a": NAME})
    span = spans.named("INSERT nowhere")
    assert span.status.status_code is StatusCode.ERROR
    assert "error.type" in (span.attributes or {})
    assert found_in(spans.text + str(caught.value)) == set()


def trace_of(span: ReadableSpan) -> int:
    """The trace that a span belongs to."""
    assert span.context is not None
    return int(span.context.trace_id)


async def test_statements_of_a_group_belong_to_a_command_of_that_group(
    engine: AsyncEngine, spans: Spans
) -> None:
    """The writer outlives the trace it was born in: each group is shown under its own command."""
    sql = SqlBooks(engine, StillClock(), RULES, observer=BooksObserver(spans.tracer, None))
    books = TracedBooks(sql, spans.tracer)
    for name in ("first", "second"):
        with spans.tracer.start_as_current_span(name):
            await books.apply(board(f"L-{name}"))
    await books.apply(board("L-nobody"))
    with spans.tracer.start_as_current_span("many"):
        await books.apply_many([board("L-3"), board("L-4")])
    await sql.close()
    traces = [trace_of(spans.named(name)) for name in ("first", "second", "many")]
    loans = [span for span in spans.all if span.name == "INSERT loans"]
    groups = {span.context.span_id for span in spans.all if span.name == "books group"}
    assert [trace_of(span) for span in loans] == traces
    assert {span.parent.span_id for span in loans if span.parent} == groups
    assert spans.names.count("books board_loan") == 2
    batch = spans.named("books batch").attributes or {}
    assert (batch["acquit.commands"], batch["acquit.faults"]) == (2, 0)


async def test_group_of_two_traces_is_in_one_and_linked_to_the_other(
    engine: AsyncEngine, spans: Spans
) -> None:
    """Whoever waited for somebody else's group finds it from their own command's span."""
    sql = SqlBooks(engine, StillClock(), RULES, observer=BooksObserver(spans.tracer, None))
    books = TracedBooks(sql, spans.tracer)

    async def put(name: str) -> None:
        with spans.tracer.start_as_current_span(name):
            await books.apply(board(f"L-{name}"))

    await asyncio.gather(put("one"), put("two"), books.apply(board("L-nobody")))
    await sql.close()
    group = spans.named("books group")
    one, two = [
        span.context
        for name in ("one", "two")
        for span in spans.all
        if span.name == "books board_loan" and trace_of(span) == trace_of(spans.named(name))
    ]
    assert group.parent is not None
    assert group.parent.span_id == one.span_id
    assert [link.context.span_id for link in group.links] == [two.span_id]


async def messages_of(engine: AsyncEngine) -> dict[str, object]:
    """What messages of the outbox carry as their trace, by stream."""
    async with engine.connect() as conn:
        rows = (await conn.execute(select(outbox.c.stream, outbox.c.body))).fetchall()
    return {row.stream: read_message(row.body).get(TRACE) for row in rows}


async def test_message_carries_the_trace_of_its_own_command(
    engine: AsyncEngine, spans: Spans
) -> None:
    """Two traces in one group stay apart; a batch is to be linked; nobody's message has none."""
    sql = SqlBooks(engine, StillClock(), RULES, observer=BooksObserver(spans.tracer, None))
    books = TracedBooks(sql, spans.tracer)

    async def put(name: str) -> None:
        with spans.tracer.start_as_current_span(name):
            await books.apply(board(f"L-{name}"))

    await asyncio.gather(put("one"), put("two"), sql.apply(board("L-nobody")))
    with spans.tracer.start_as_current_span("batch"):
        await books.apply_many([board(f"L-batch-{n}") for n in (1, 2)])
    await sql.close()
    carried = await messages_of(engine)
    reported = {stream.split("/")[2]: held for stream, held in carried.items()}
    for name in ("one", "two"):
        origin, is_parent = origin_of(reported[f"L-{name}"])
        assert origin is not None
        assert (origin.trace_id, is_parent) == (trace_of(spans.named(name)), True)
    origin, is_parent = origin_of(reported["L-batch-2"])
    assert origin is not None
    assert (origin.trace_id, is_parent) == (trace_of(spans.named("batch")), False)
    assert reported["L-nobody"] is None


async def test_trace_of_a_message_changes_neither_commands_nor_the_chain(
    sqlite_url: str, tmp_path: Path, spans: Spans
) -> None:
    """Traced or not, the same commands leave the same journal."""
    heads = []
    for observer in (None, BooksObserver(spans.tracer, None)):
        url = f"sqlite+aiosqlite:///{tmp_path / f'{observer is None}.db'}"
        await upgrade(url)
        made = books_engine(url)
        async with SqlBooks(made, StillClock(), RULES, observer=observer) as books:
            with spans.tracer.start_as_current_span("work"):
                await books.apply(board("L-1"))
        async with made.connect() as conn:
            log = (await conn.execute(select(commands.c.id, commands.c.identity))).fetchall()
            heads.append(((await conn.execute(select(chain_head.c.hash))).scalar(), log))
        carried = await messages_of(made)
        assert any(carried.values()) is (observer is not None)
        await made.dispose()
    assert heads[0] == heads[1]


def test_route_shows_its_own_words_only() -> None:
    """References, accounts and whatever a new route may hold are left out."""
    assert route_of(f"/dd/v1/orders/{PHONE}/cancel", SIMBANK_WORDS) == "/dd/v1/orders/{}/cancel"
    assert route_of("/rails/b-2/dd/v1/orders", SIMBANK_WORDS) == "/rails/{}/dd/v1/orders"
    assert route_of("/bank/v1/statements/x", SIMBANK_WORDS) == "/bank/v1/statements/{}"
    assert route_of("/dd/v1/mandates/M-1", SIMBANK_WORDS) == "/dd/v1/mandates/{}"
    assert route_of("/dd/v1/new/thing", SIMBANK_WORDS) == "/dd/v1/{}/{}"


async def test_call_makes_a_span_with_method_route_and_status(spans: Spans) -> None:
    """No query string, no body, no header; the counterparty gets no trace context."""
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(503 if b"cancel" in request.url.raw_path else 200, text=EMAIL)

    watch = traced_calls(spans.tracer, "simbank", SIMBANK_WORDS)
    transport = httpx.MockTransport(answer)
    async with RailHttp("http://bank.invalid", transport=transport, watch=watch) as http:
        with spans.tracer.start_as_current_span("work"):
            target = f"/dd/v1/statements/{ACCOUNT}?account={ACCOUNT}&holder={NAME}"
            await http.send(http.build("GET", target.replace(" ", "%20"), EMAIL.encode()))
            await http.send(http.build("POST", f"/dd/v1/orders/{PHONE}/cancel"))
    got = spans.named("GET /dd/v1/statements/{}")
    assert got.attributes == {
        "http.request.method": "GET",
        "url.template": "/dd/v1/statements/{}",
        "acquit.rail": "simbank",
        "http.response.status_code": 200,
    }
    assert spans.named("POST /dd/v1/orders/{}/cancel").status.status_code is StatusCode.ERROR
    assert found_in(spans.text) == set()
    assert not any("traceparent" in headers for headers in seen)


async def test_call_that_fails_ends_its_span_with_the_kind_of_error(spans: Spans) -> None:
    """No answer is reported as such."""

    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot reach {EMAIL}")

    watch = traced_calls(spans.tracer, "simbank", SIMBANK_WORDS)
    transport = httpx.MockTransport(refuse)
    async with RailHttp("http://bank.invalid", transport=transport, watch=watch) as http:
        with pytest.raises(RailUnavailable):
            await http.send(http.build("GET", "/dd/v1/orders"))
    [span] = spans.all
    assert (span.attributes or {})["error.type"] == "RailUnavailable"
    assert found_in(spans.text) == set()


class Fussy:
    """A dispatcher that refuses people it knows."""

    async def deliver(self, row: OutboxRow) -> None:
        await asyncio.sleep(0)
        if "to" in row.body:
            raise ValueError(f"cannot reach {row.body['to']}")


def row(body: dict[str, object], not_before: datetime | None = None) -> OutboxRow:
    """A message of the outbox."""
    return OutboxRow(7, "notice", "loan/1", body, not_before, 1)


async def test_delivery_makes_a_span_and_a_failed_one_names_the_kind_of_error(
    spans: Spans,
) -> None:
    """Topic, message number and tries; nothing of the body."""
    dispatcher = traced_dispatchers({"notice": Fussy()}, spans.tracer)["notice"]
    await dispatcher.deliver(row({}))
    with pytest.raises(ValueError, match="cannot reach"):
        await dispatcher.deliver(row(dict.fromkeys(["to"], EMAIL) | {"values": [*ALL.values()]}))
    good, bad = spans.all
    assert good.name == bad.name == "deliver notice"
    assert (bad.attributes or {})["error.type"] == "ValueError"
    assert found_in(spans.text) == set()


async def test_delivery_belongs_to_the_trace_that_a_message_carries(spans: Spans) -> None:
    """One that waited for its day, or is one of many, is linked; a misshapen one is nobody's."""
    dispatcher = traced_dispatchers({"notice": Fussy()}, spans.tracer)["notice"]
    with spans.tracer.start_as_current_span("commit"):
        held: dict[str, object] = {TRACE: carrier()}
        swept: dict[str, object] = {TRACE: carrier(batch=True)}
        await dispatcher.deliver(row({}))
    await dispatcher.deliver(row(held))
    await dispatcher.deliver(row(held, datetime(2026, 1, 1, tzinfo=UTC)))
    await dispatcher.deliver(row(swept))
    await dispatcher.deliver(row({TRACE: {"traceparent": "00-no"}}))
    origin = spans.named("commit").context
    assert origin is not None
    alone, child, linked, many, lost = [span for span in spans.all if span.name != "commit"]
    assert alone.parent is None
    assert child.parent is not None
    assert child.parent.span_id == origin.span_id
    for span in (linked, many):
        assert span.parent is None
        assert [link.context.trace_id for link in span.links] == [origin.trace_id]
    assert (lost.parent, list(lost.links)) == (None, [])


async def test_webhook_makes_a_span_named_by_its_route(spans: Spans) -> None:
    """A trace of its own: context that a caller sends is not taken."""

    async def post(request: Request) -> Response:
        await request.body()
        if request.path_params["rail"] == "broken":
            raise ValueError(EMAIL)
        return PlainTextResponse("kept")

    app = Starlette(routes=[Route("/webhooks/{rail}", post, methods=["POST"])])
    door = TracedDoor(app, spans.tracer, frozenset({"webhooks"}))
    transport = httpx.ASGITransport(door, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://us") as client:
        sent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        await client.post(f"/webhooks/{ACCOUNT}?to={EMAIL}", content=NAME, headers=sent)
        await client.post("/webhooks/broken")
    kept, broken = spans.all
    assert kept.name == "POST /webhooks/{}"
    assert kept.parent is None
    assert (kept.attributes or {})["http.response.status_code"] == 200
    assert (broken.attributes or {})["error.type"] == "ValueError"
    assert found_in(spans.text) == set()
