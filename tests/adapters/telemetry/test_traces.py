"""Traces over processes and on their way out, on a real server and to a real collector."""

import asyncio
import json
import logging
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import httpx
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from temporalio.client import Client, WorkflowFailureError

from activities.boarding import BoardActivities
from adapters.sql.schema.migrate import upgrade
from adapters.sql.schema.rights import books_id
from adapters.telemetry.core import keep_context_in_fields
from adapters.telemetry.delivery import traced_dispatchers
from adapters.telemetry.redaction import Redactor
from adapters.telemetry.tracing import TracingConfig, otlp_tracing
from adapters.temporal.client import make_client
from adapters.temporal.dispatchers import dispatchers
from adapters.temporal.drivers import TemporalDrivers
from adapters.temporal.starter import TemporalStarter
from adapters.temporal.worker import books_role, build_worker, workflow_role
from domain.errors import InvalidInput
from domain.loan.view import installment
from sandbox.devserver import DevServer
from sandbox.topologyparts import low_port
from tests.adapters.telemetry.canaries import (
    ACCOUNT,
    DB_PASSWORD,
    EMAIL,
    NAME,
    NAME_TIGHT,
    PHONE,
    SECRET,
    found_in,
)  # fmt: skip
from tests.adapters.telemetry.collector import collecting
from tests.adapters.telemetry.conftest import Caught, Spans
from tests.fakes.bulk import PLAIN
from tests.support.spans import tracing_into
from tests.support.stage import stage, until
from workers.compose import open_stack
from workers.settings import Settings, load_settings, tracing_config
from workflows import names

HEAD = {"event", "level", "logger", "timestamp"}
ROOT = Path(__file__).resolve().parents[3]
CANARIES = replace(PLAIN, borrower=NAME_TIGHT, account_token=ACCOUNT, mandate_ref=f"M-{PHONE}")
"""A loan of an upstream that does not keep to tokens."""


@pytest_asyncio.fixture
async def traced(temporal_server: DevServer, spans: Spans) -> Client:
    """A client whose starts make spans."""
    return await make_client(
        temporal_server.address, temporal_server.namespace, tracer=spans.tracer
    )


@dataclass
class Services:
    """A starter with workers and real books behind it."""

    starter: TemporalStarter
    queue: str
    settings: Settings


@pytest_asyncio.fixture
async def services(traced: Client, spans: Spans, tmp_path: Path) -> AsyncIterator[Services]:
    """Boarding on real books, workers on a queue of their own."""
    settings = Settings(home=tmp_path)
    await upgrade(settings.books_url())
    queue = f"wf-{uuid.uuid4().hex[:10]}"
    async with open_stack(settings, spans.tracing) as stack:
        board = BoardActivities(stack.books, stack.boarding).board
        async with (
            build_worker(traced, workflow_role(queue)),
            build_worker(traced, books_role(), [board]),
        ):
            yield Services(TemporalStarter(traced, queue), queue, settings)


async def test_start_workflow_activity_command_and_statements_are_one_trace(
    services: Services, spans: Spans, logs: Caught
) -> None:
    """From upstream's start down to the rows, with canaries in the loan and none in the trace."""
    application = replace(CANARIES, loan_id=f"L-{uuid.uuid4().hex[:8]}")
    boarded = await (await services.starter.board(application)).result()
    assert boarded.installments == 12
    trace = spans.named("StartWorkflow:BoardLoan").context
    assert trace is not None
    mine = {
        span.name for span in spans.all if span.context and span.context.trace_id == trace.trace_id
    }
    assert mine >= {
        "StartWorkflow:BoardLoan", "RunWorkflow:BoardLoan", "StartActivity:boarding.board",
        "RunActivity:boarding.board", "books board_loan", "INSERT loans", "INSERT outbox",
    }  # fmt: skip
    assert found_in(spans.text + logs.text) == set()


async def test_trace_goes_on_over_the_outbox_in_another_process(
    services: Services, temporal_server: DevServer, spans: Spans, gate: Redactor
) -> None:
    """Upstream's start, the commit, and the driver that somebody else starts by its message.

    What people see of it in the Temporal UI, searches and memos, holds no canary either.
    """
    application = replace(CANARIES, loan_id=f"L-{uuid.uuid4().hex[:8]}")
    boarding = await services.starter.board(application)
    await boarding.result()
    start = spans.named("StartWorkflow:BoardLoan").context
    exporter = InMemorySpanExporter()
    other = Spans(tracing_into(exporter, gate), exporter)
    client = await make_client(
        temporal_server.address, temporal_server.namespace, tracer=other.tracer
    )
    async with open_stack(services.settings, other.tracing) as stack:
        drivers = TemporalDrivers(
            client, stack.queries, stack.clock, partial(books_id, stack.engine), services.queue
        )
        stack.deliver_by(traced_dispatchers(dispatchers(drivers), other.tracer))
        assert await stack.outbox.sweep() == 1
        view = await stack.queries.view(installment(application.loan_id, 1))
    assert view is not None
    assert start is not None
    delivery, driver = other.named("deliver open"), other.named("StartWorkflow:Installment")
    commit = spans.named("books board_loan").context
    assert commit is not None
    assert delivery.parent is not None
    assert driver.parent is not None
    assert delivery.context is not None
    assert driver.context is not None
    assert delivery.parent.span_id == commit.span_id
    assert driver.parent.span_id == delivery.context.span_id
    assert {delivery.context.trace_id, driver.context.trace_id} == {start.trace_id}
    assert found_in(other.text) == set()
    for workflow_id in (boarding.id, names.driver_id(view)):
        seen = await client.get_workflow_handle(workflow_id).describe()
        shown = [*seen.typed_search_attributes.search_attributes, await seen.memo()]
        assert shown
        assert found_in(f"{shown} {seen.id} {await seen.static_summary()}") == set()


async def test_failed_boarding_leaves_no_canary_in_spans_or_logs(
    services: Services, spans: Spans, logs: Caught
) -> None:
    """Messages of errors go into spans and logs by the SDK itself, past our gate all the same."""
    one = replace(CANARIES, loan_id=f"L-{uuid.uuid4().hex[:8]}")
    for wrong in (
        replace(one, principal=EMAIL),
        replace(one, annual_rate=NAME),
        replace(one, disbursed_on=PHONE),
    ):
        with pytest.raises(WorkflowFailureError):
            await (await services.starter.board(wrong)).result()
    ran = [span for span in spans.all if span.name == "RunActivity:boarding.board"]
    assert [span.status.status_code for span in ran] == [StatusCode.ERROR] * 3
    assert all(span.events for span in ran)
    assert "boarding.board" in logs.text
    assert found_in(spans.text) == set()
    assert found_in(logs.text) == set()


async def test_logger_of_a_workflow_comes_through_from_inside_the_sandbox(
    traced: Client, logs: Caught
) -> None:
    """Rendering happens inside the sandbox: it must not need what is restricted there."""
    keep_context_in_fields()
    scene = stage(traced)
    async with scene.workers():
        handle = await scene.open()
        await handle.signal(f"call {PHONE}", EMAIL)
        await until(lambda: "unknown signal" in logs.text)
        await scene.settle(handle)
    reported = [line for line in logs.lines if "unknown signal" in str(line["event"])]
    context = reported[0]["temporal_workflow"]
    assert isinstance(context, dict)
    assert context["workflow_type"] == "Installment"
    assert not [line for line in logs.lines if not line.keys() >= HEAD]
    assert found_in(logs.text) == set()


async def test_spans_are_sent_on_the_way_out_past_the_gate(gate: Redactor) -> None:
    """Closing flushes; the collector gets service, role and masked spans."""
    with collecting() as collector:
        config = TracingConfig(f"{collector.url}/v1/traces", "acquit", "books")
        tracing = otlp_tracing(config, gate)
        with tracing.tracer.start_as_current_span(f"work for {EMAIL}") as span:
            span.set_attribute("borrower", NAME)
            span.add_event("reported", {"text": f"{PHONE} {SECRET} {DB_PASSWORD}"})
            span.set_status(StatusCode.ERROR, f"holder={NAME}")
        await tracing.close()
    assert collector.paths == ["/v1/traces"]
    assert "service.name" in collector.text
    assert [span.name for span in collector.spans()] == ["work for [e-mail]"]
    assert found_in(collector.text) == set()


async def test_collector_that_is_away_holds_nobody_up(gate: Redactor, logs: Caught) -> None:
    """Closing ends within its time, and what the exporter logs is masked like all else."""
    tracing = otlp_tracing(TracingConfig("http://127.0.0.1:1/v1/traces", "acquit", "all"), gate)
    with tracing.tracer.start_as_current_span("work"):
        logging.getLogger("x").info("working")
    async with asyncio.timeout(5):
        await tracing.close(2)
    assert logs.lines


def test_traces_are_off_unless_somebody_asks_for_them() -> None:
    """Our setting first, then OpenTelemetry's own variables, with its own switches."""
    plain, set_ = Settings(), Settings(otlp_endpoint="http://c:4318/")
    base, whole = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"

    def where(settings: Settings, **environ: str) -> str | None:
        config = tracing_config(settings, "all", environ)
        return config.endpoint if config else None

    assert where(plain) is None
    assert where(set_) == "http://c:4318/v1/traces"
    assert where(plain, **{base: "http://d:4318"}) == "http://d:4318/v1/traces"
    assert where(plain, **{base: "http://d:4318", whole: "http://e/x"}) == "http://e/x"
    assert where(set_, **{whole: "http://e/x"}) == "http://c:4318/v1/traces"
    assert where(plain, OTEL_TRACES_EXPORTER="otlp") == "http://localhost:4318/v1/traces"
    assert where(set_, OTEL_TRACES_EXPORTER="none") is None
    assert where(set_, OTEL_SDK_DISABLED="true") is None
    named = tracing_config(set_, "books", {"OTEL_SERVICE_NAME": "lender"})
    assert named == TracingConfig("http://c:4318/v1/traces", "lender", "books")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
    ],
)
def test_traces_asked_for_in_another_way_are_refused_by_name(name: str, value: str) -> None:
    """A worker that silently sent nothing would be found out when traces are needed."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", name: value}
    with pytest.raises(InvalidInput):
        tracing_config(Settings(), "all", environ)


@pytest.mark.slow
async def test_worker_process_tells_all_it_should_and_no_canary(
    temporal_server: DevServer, traced: Client, spans: Spans, tmp_path: Path
) -> None:
    """The whole wiring: `acquit worker all` with a collector, one loan boarded, one refused.

    JSON logs, traces that go on from ours over the outbox, metrics sent and read.
    """
    settings, port = load_settings(tmp_path), low_port()
    await upgrade(settings.books_url())
    with collecting() as collector:
        environ = {
            **os.environ,
            "TEMPORAL_ADDRESS": temporal_server.address,
            "TEMPORAL_NAMESPACE": temporal_server.namespace,
            "ACQUIT_OTLP_ENDPOINT": collector.url,
            "ACQUIT_SMS_SECRET": SECRET,
            "ACQUIT_LOG_LEVEL": "debug",
            "ACQUIT_PROMETHEUS": "true",
            "ACQUIT_HEALTH_PORT": str(port),
            "ACQUIT_GAUGES_EVERY_S": "0.5",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", "--home", str(tmp_path), "worker", "all",
            env=environ, cwd=ROOT, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            starter = TemporalStarter(traced)
            mark = uuid.uuid4().hex[:8]
            good = await starter.board(replace(CANARIES, loan_id=f"L-{mark}"))
            await asyncio.wait_for(good.result(), 60)
            wrong = await starter.board(
                replace(CANARIES, loan_id=f"L-{mark}-x", principal=f"{EMAIL} {SECRET}")
            )
            with pytest.raises(WorkflowFailureError):
                await asyncio.wait_for(wrong.result(), 30)
            read = await metrics_of(
                port,
                "acquit_outbox_deliveries_total",
                "acquit_installments{",
                'activity_type="boarding.board"',
            )
            process.send_signal(signal.SIGTERM)
            _, reported = await asyncio.wait_for(process.communicate(), 60)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    text = reported.decode()
    lines = [cast("dict[str, object]", json.loads(line)) for line in text.splitlines()]
    assert process.returncode == 0
    assert any("boarding.board" in str(line) for line in lines)
    headless = [line for line in lines if not line.keys() >= HEAD]
    assert headless == []
    sent = collector.text
    for name in ("RunWorkflow:BoardLoan", "RunActivity:boarding.board", "INSERT loans"):
        assert name in sent
    assert set(collector.metrics()) >= {"acquit.installments", "temporal_num_pollers"}
    start = spans.all[0].context
    assert start is not None
    ours = start.trace_id.to_bytes(16, "big")
    trace = {span.name for span in collector.spans() if span.trace_id == ours}
    assert trace >= {"books board_loan", "deliver open", "StartWorkflow:Installment"}
    assert found_in(text) == set()
    assert found_in(sent) == set()
    assert found_in(read) == set()


async def metrics_of(port: int, *wanted: str) -> str:
    """What `/metrics` says as soon as it has all that is wanted."""
    text = ""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while any(name not in text for name in wanted):
            await asyncio.sleep(0.2)
            text = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    return text
