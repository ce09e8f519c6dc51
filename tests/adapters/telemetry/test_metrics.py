"""What is measured where it happens, and where it goes: nowhere unless somebody asks for it."""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from adapters.telemetry import catalogue
from adapters.telemetry.catalogue import CORE
from adapters.telemetry.core import core_runtime
from adapters.telemetry.coremetrics import CoreMetrics, core_buffer
from adapters.telemetry.exposition import metrics_route
from adapters.telemetry.gauges import BooksGauges
from adapters.telemetry.metered import metered_dispatchers
from adapters.telemetry.metrics import Metrics, MetricsConfig, open_metrics
from adapters.telemetry.observer import BooksObserver
from domain.debit.outcome import Outcome, OutcomeClass
from domain.errors import InvalidInput
from ports.gauges import Gauges
from ports.outbox import OutboxRow
from sandbox.devserver import DevServer
from tests.adapters.telemetry.canaries import EMAIL, NAME, NAME_TIGHT, PHONE, found_in
from tests.adapters.telemetry.conftest import Caught
from tests.support.booksbench import RAIL, StillClock, confirm, intend, order_of, present
from tests.support.doors import RecordOutcome, WriteOff
from tests.support.memory import RULES, TESTER, board
from workers.observing import Observed
from workers.settings import Settings, metrics_config

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def metrics() -> Metrics:
    """Give metrics that can be read, of an installation with one rail."""
    made = open_metrics(MetricsConfig(None, prometheus=True, service="acquit", role="all"))
    made.known.take(["simbank"], ["Asia/Shanghai"], ["workflows"])
    return made


@pytest_asyncio.fixture
async def engine(sqlite_url: str) -> AsyncIterator[AsyncEngine]:
    """Give an engine on migrated books."""
    await upgrade(sqlite_url)
    made = books_engine(sqlite_url)
    yield made
    await made.dispose()


def read(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Values that are not zero, by name and labels; the role left out."""
    return {
        (sample.name, *(v for k, v in sorted(sample.labels.items()) if k != "acquit_role")): value
        for family in text_string_to_metric_families(metrics.text("")[0].decode())
        for sample in family.samples
        if (value := sample.value) and not sample.name.endswith(("_bucket", "_created"))
    }


async def test_writer_counts_commands_commits_and_what_became_of_attempts(
    engine: AsyncEngine, metrics: Metrics
) -> None:
    """By what was answered and what happened: reported twice it is not counted twice."""
    clock = StillClock()
    queries = SqlQueries(engine, clock, RULES)
    async with SqlBooks(engine, clock, RULES, observer=BooksObserver(None, metrics)) as books:
        action = await present(books, queries, clock, "L1")
        order_no = order_of(await intend(books, "L1", 1, action))
        unknown = RecordOutcome(
            id="o1", actor=RAIL, rail="simbank", order_no=order_no,
            outcome=Outcome(OutcomeClass.TECH, "T"), source="answer",
        )  # fmt: skip
        await books.apply(unknown)
        await books.apply(unknown)
        await books.apply(confirm(order_no, 10100))
        refused = WriteOff(id="w", actor=TESTER, reason="x", loan_id="L1", number=1)
        await books.apply(refused)
        await books.apply_many([board("L2"), board("L3"), board("L4")])
        commits = books.counters.commits
    found = read(metrics)
    counted = {key[1:]: value for key, value in found.items() if key[0] == "acquit_attempts_total"}
    assert counted == {
        ("none", "simbank", "INTENDED"): 1,
        ("TECH", "simbank", "UNKNOWN"): 1,
        ("SUCCESS", "simbank", "CONFIRMED"): 1,
    }
    said = {key[1:]: value for key, value in found.items() if key[0] == "acquit_commands_total"}
    assert said[("applied", "board_loan")] == 4
    assert said[("replayed", "record_outcome")] == 1
    assert said[("applied", "record_outcome")] == 2
    assert said[("refused", "write_off")] == 1
    assert found[("acquit_books_commit_duration_seconds_count",)] == commits
    assert found[("acquit_books_group_size_sum",)] == sum(said.values()) - 1


class Fussy:
    """A dispatcher that refuses people it knows."""

    async def deliver(self, row: OutboxRow) -> None:
        if "to" in row.body:
            raise ValueError(f"cannot reach {row.body['to']}")


async def test_deliveries_are_counted_by_topic_and_result(metrics: Metrics) -> None:
    """A failed one as well, and its error goes on to whoever tries again."""
    dispatcher = metered_dispatchers({"notice": Fussy()}, metrics)["notice"]
    await dispatcher.deliver(OutboxRow(1, "notice", "s", {}, None, 0))
    with pytest.raises(ValueError, match="cannot reach"):
        await dispatcher.deliver(OutboxRow(2, "notice", "s", {"to": EMAIL}, None, 0))
    found = read(metrics)
    assert found[("acquit_outbox_deliveries_total", "delivered", "notice")] == 1
    assert found[("acquit_outbox_deliveries_total", "failed", "notice")] == 1
    assert found[("acquit_outbox_delivery_duration_seconds_count", "notice")] == 2


async def test_gauges_go_on_after_books_that_were_away(metrics: Metrics, logs: Caught) -> None:
    """A reading that fails is reported by its kind alone, and tried again at the next turn."""
    turns = iter([ConnectionError(f"{NAME} is away"), None, ConnectionError(PHONE), None])

    class Moody:
        async def gauges(self) -> Gauges:
            if (error := next(turns)) is not None:
                raise error
            return Gauges(StillClock().at)

        async def unbalanced(self) -> int:
            return 0

    task = asyncio.create_task(BooksGauges(Moody(), metrics, every_s=0.001).run())
    async with asyncio.timeout(5):
        while read(metrics).get(("acquit_gauges_duration_seconds_count",)) != 2:
            await asyncio.sleep(0.005)
    task.cancel()
    assert [line["error"] for line in logs.lines if line["event"] == "gauges_not_read"][:2] == [
        "ConnectionError"
    ] * 2
    assert found_in(logs.text) == set()


@workflow.defn(name="Installment", sandboxed=False)
class Faulty:
    """Takes the name of a workflow of ours and has a bug."""

    @workflow.run
    async def run(self, wrong: bool) -> None:
        await workflow.execute_activity("queries.look", start_to_close_timeout=timedelta(seconds=5))
        if wrong:
            raise RuntimeError(EMAIL)
        raise ApplicationError(EMAIL)


@activity.defn(name="queries.look")
async def look() -> None:
    """Fail once."""
    if activity.info().attempt == 1:
        raise ValueError(PHONE)


async def test_metrics_of_the_sdk_come_with_ours_and_name_no_stranger(
    temporal_server: DevServer, metrics: Metrics
) -> None:
    """Every metric of the SDK that an alert relies on, with labels of the catalogue alone.

    Whoever starts a workflow under a person's name makes no label of it.
    """
    buffer = core_buffer()
    runtime = core_runtime(buffer)
    core = CoreMetrics(buffer, metrics)
    queue = f"q-{uuid.uuid4().hex[:8]}"
    metrics.known.take(["simbank"], [], [queue])
    core.begin_at_zero()
    client = await Client.connect(
        temporal_server.address,
        namespace=temporal_server.namespace,
        runtime=runtime,
        data_converter=pydantic_data_converter,
    )
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Faulty],
        activities=[look],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    wanted = {name for one in CORE for name in one.series}
    failed_for = {("WorkflowError", queue, "Installment"), ("WorkflowError", queue, "other")}
    async with worker:
        handles = [
            await client.start_workflow(name, wrong, id=f"{queue}-{at}", task_queue=queue)
            for at, (name, wrong) in enumerate(
                [("Installment", True), ("Installment", False), (NAME_TIGHT, True)]
            )
        ]
        with pytest.raises(Exception, match="not found"):
            await client.get_workflow_handle(NAME_TIGHT).describe()
        with pytest.raises(WorkflowFailureError):
            await handles[1].result()
        async with asyncio.timeout(60):
            while lacking := wanted - {key[0] for key in _names(core, metrics)}:
                await asyncio.sleep(0.1)
            while failed_for != _task_failures(core, metrics):
                await asyncio.sleep(0.1)
        for handle in (handles[0], handles[2]):
            await handle.terminate()
    assert not lacking
    core.drain()
    text = metrics.text("")[0].decode()
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    assert read(metrics)[("temporal_workflow_failed_total", queue, "Installment")] == 1
    assert found_in(text) == set()
    labels = {
        label
        for family in text_string_to_metric_families(text)
        if family.name.startswith("temporal_")
        for sample in family.samples
        for label in sample.labels
    }
    assert labels - {"acquit_role", "le"} <= {label.name for label in catalogue.CORE_LABELS}
    assert _task_failures(core, metrics) == failed_for


def _task_failures(core: CoreMetrics, metrics: Metrics) -> set[tuple[str, ...]]:
    core.drain()
    failed = "temporal_workflow_task_execution_failed_total"
    return {key[1:] for key in read(metrics) if key[0] == failed}


def _names(core: CoreMetrics, metrics: Metrics) -> list[tuple[str, ...]]:
    core.drain()
    return [
        (sample.name,)
        for family in text_string_to_metric_families(metrics.text("")[0].decode())
        for sample in family.samples
    ]


async def test_core_metrics_that_cannot_be_taken_end_nothing(
    metrics: Metrics, logs: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next second is taken all the same."""
    buffer, turns = core_buffer(), iter([ValueError(EMAIL), None, None])

    def updates() -> list[object]:
        if (error := next(turns, None)) is not None:
            raise error
        return []

    monkeypatch.setattr(buffer, "retrieve_updates", updates)
    monkeypatch.setattr("adapters.telemetry.coremetrics.DRAIN_S", 0.001)
    task = asyncio.create_task(CoreMetrics(buffer, metrics).run())
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    assert "core_metrics_not_taken" in logs.text
    assert found_in(logs.text) == set()


async def test_collector_that_is_away_holds_nobody_up(logs: Caught) -> None:
    """Closing ends within its time, whatever the exporter still tries."""
    away = MetricsConfig("http://127.0.0.1:1/v1/metrics", prometheus=False, service="a", role="b")
    made = open_metrics(away)
    made.add(catalogue.WEBHOOKS, "simbank", "forged")
    async with asyncio.timeout(8):
        await made.close(2)


def test_counters_that_alerts_look_at_begin_at_zero(metrics: Metrics) -> None:
    """Prometheus sees no rise in a counter that appears with its first event."""
    CoreMetrics(core_buffer(), metrics).begin_at_zero()
    metrics.begin_at_zero()
    text = metrics.text("")[0].decode()
    for series in (
        'acquit_webhooks_total{acquit_role="all",rail="simbank",result="forged"} 0.0',
        'acquit_commands_total{acquit_role="all",answer="failed",command="book_line"} 0.0',
        'acquit_outbox_deliveries_total{acquit_role="all",result="failed",topic="wake"} 0.0',
        'temporal_workflow_failed_total{acquit_role="all",task_queue="workflows",',
    ):
        assert series in text
    assert {key[0] for key in read(metrics)} == {"target_info"}


async def test_text_is_served_where_it_is_asked_for(metrics: Metrics) -> None:
    """In the format that Prometheus asks for; without the setting there is no such route."""
    app = Starlette(routes=list(Observed(metrics=metrics).routes))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://us") as client:
        plain = await client.get("/metrics")
        wanted = {"accept": "application/openmetrics-text;version=1.0.0"}
        open_text = await client.get("/metrics", headers=wanted)
    assert plain.headers["content-type"].startswith("text/plain")
    assert open_text.headers["content-type"].startswith("application/openmetrics-text")
    assert open_text.text.endswith("# EOF\n")
    assert metrics_route(metrics).path == "/metrics"
    assert Observed().routes == ()
    assert Observed(metrics=Metrics([])).routes == ()


def test_metrics_are_off_unless_somebody_asks_for_them() -> None:
    """Where traces go metrics go too; OpenTelemetry's own switches turn them off alone."""
    plain, sent = Settings(), Settings(otlp_endpoint="http://c:4318/")
    readable = Settings(prometheus=True, health_port=8090)
    whole = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"

    def where(settings: Settings, **environ: str) -> tuple[str | None, bool] | None:
        config = metrics_config(settings, "all", environ)
        return None if config is None else (config.endpoint, config.prometheus)

    assert where(plain) is None
    assert where(sent) == ("http://c:4318/v1/metrics", False)
    assert where(readable) == (None, True)
    assert where(readable, OTEL_METRICS_EXPORTER="none") == (None, True)
    assert where(readable, OTEL_SDK_DISABLED="true") is None
    assert where(sent, OTEL_METRICS_EXPORTER="none") is None
    assert where(sent, OTEL_TRACES_EXPORTER="none") == ("http://c:4318/v1/metrics", False)
    assert where(plain, **{whole: "http://e/x"}) == ("http://e/x", False)
    assert where(plain, OTEL_METRICS_EXPORTER="otlp") == (
        "http://localhost:4318/v1/metrics",
        False,
    )
    both = Settings(health_port=8090, otlp_endpoint="http://c")
    assert where(both, OTEL_METRICS_EXPORTER="otlp,prometheus") == ("http://c/v1/metrics", True)
    assert where(both, OTEL_METRICS_EXPORTER="prometheus") == (None, True)


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        (Settings(), {"OTEL_METRICS_EXPORTER": "console"}),
        (Settings(), {"OTEL_METRICS_EXPORTER": "prometheus"}),
        (Settings(prometheus=True), {}),
        (
            Settings(otlp_endpoint="http://c"),
            {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc"},
        ),
    ],
)
def test_metrics_asked_for_in_a_way_that_cannot_be_are_refused(
    settings: Settings, environ: dict[str, str]
) -> None:
    """Text that nobody could read, or an exporter that is not there, is found at the start."""
    with pytest.raises(InvalidInput):
        metrics_config(settings, "all", environ)


def test_process_that_measures_nothing_loads_nothing_for_it() -> None:
    """Off means off: neither the SDK of OpenTelemetry nor Prometheus is imported by a worker."""
    program = (
        "import sys, workers.runner\n"
        "loaded = [n for n in ('opentelemetry.sdk', 'prometheus_client') if n in sys.modules]\n"
        "sys.exit(', '.join(loaded) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
