"""The catalogue of metrics is whole, and what really leaves is what it says."""

import ast
import asyncio
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from temporalio import workflow

from adapters.telemetry import catalogue
from adapters.telemetry.catalogue import CORE, METRICS, OTHER, Kind, Metric
from adapters.telemetry.gauges import BooksGauges
from adapters.telemetry.metrics import Metrics, MetricsConfig, open_metrics
from adapters.temporal.worker import WORKFLOWS
from domain.loan.lifecycle import State
from ports.gauges import Gauges, Waiting
from tests.adapters.telemetry.canaries import ALL, found_in
from tests.adapters.telemetry.collector import collecting
from tests.support.booksbench import NOON
from tests.support.tree import parsed, python_files

RAILS, ZONES, QUEUES = ("simbank",), ("Asia/Shanghai",), ("workflows", "books", "debit.simbank")
OLD = Waiting(3, NOON - timedelta(hours=2))


class StillQueries:
    """Always says the same; knows keys that no label may take."""

    def __init__(self, *odd: str) -> None:
        keys = dict.fromkeys(odd, OLD)
        self.found = Gauges(
            at=NOON,
            installments={"IN_DOUBT": OLD, **keys},
            unknown={"simbank": OLD, **keys},
            payouts={"IN_DOUBT": OLD, **keys},
            actions={"PRESENT": OLD, **keys},
            messages={"wake": OLD, **keys},
            files=OLD,
            cases={"surplus": OLD, **keys},
            days={"Asia/Shanghai": OLD, **keys},
            chain_apart=2,
        )
        self.asked = 0

    async def gauges(self) -> Gauges:
        self.asked += 1
        return self.found

    async def unbalanced(self) -> int:
        return 1


async def four_faults() -> int:
    """The journal as it was read back."""
    return 4


async def measure_everything(metrics: Metrics, *odd: str) -> BooksGauges:
    """Measure each metric once with labels that are known, and once with each that is not."""
    metrics.known.take(RAILS, ZONES, QUEUES)
    gauges = BooksGauges(StillQueries(*odd), metrics, verify=four_faults)
    await gauges.read()
    for metric in METRICS:
        known = [next(iter(metrics.known.of(label))) for label in metric.labels]
        for values in (known, *([value] * len(metric.labels) for value in odd)):
            match metric.kind:
                case Kind.COUNTER:
                    metrics.add(metric, *values)
                case Kind.HISTOGRAM:
                    metrics.record(metric, 0.01, *values)
                case Kind.GAUGE:
                    pass
    return gauges


def samples(text: str) -> dict[str, list[dict[str, str]]]:
    """Labels of every sample by its name, as Prometheus would keep it."""
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found.setdefault(sample.name, []).append(sample.labels)
    return found


@pytest.fixture
def exposed() -> Metrics:
    """Give metrics that can be read as text."""
    return open_metrics(MetricsConfig(None, prometheus=True, service="acquit", role="books"))


async def test_text_holds_exactly_the_names_of_the_catalogue(exposed: Metrics) -> None:
    """Units and suffixes as Prometheus has them: what an alert names is what is there."""
    await measure_everything(exposed)
    text, kind = exposed.text("")
    assert kind.startswith("text/plain")
    found = samples(text.decode())
    assert set(found) - {"target_info"} == {name for one in METRICS for name in one.series}
    assert all(one["acquit_role"] == "books" for name in found for one in found[name] if one)
    for one in METRICS:
        assert f"# HELP {one.exposed.removesuffix('_total')}" in text.decode()


async def test_what_is_sent_has_the_names_units_and_kinds_of_the_catalogue() -> None:
    """By OTLP they go as they are written; nothing is sent that nobody wrote down."""
    with collecting() as collector:
        config = MetricsConfig(
            f"{collector.url}/v1/metrics", prometheus=False, service="a", role="b"
        )
        metrics = open_metrics(config)
        await measure_everything(metrics)
        await metrics.close()
    sent = collector.metrics()
    kinds = {Kind.COUNTER: "sum", Kind.GAUGE: "gauge", Kind.HISTOGRAM: "histogram"}
    assert {
        name: (it.unit, it.WhichOneof("data"), it.description) for name, it in sent.items()
    } == {one.name: (one.unit, kinds[one.kind], one.help) for one in METRICS}
    assert "service.instance.id" in collector.text


async def test_no_label_takes_a_value_that_is_not_in_the_catalogue(exposed: Metrics) -> None:
    """Names, numbers and addresses become `other`, in what is read and in what is sent."""
    with collecting() as collector:
        address = f"{collector.url}/v1/metrics"
        sending = open_metrics(MetricsConfig(address, prometheus=False, service="a", role="b"))
        await measure_everything(sending, *ALL.values())
        await sending.close()
    await measure_everything(exposed, *ALL.values())
    text = exposed.text("")[0].decode()
    assert found_in(text) == set()
    assert found_in(collector.text) == set()
    assert OTHER in text
    allowed = {
        (one.exposed.removesuffix("_total"), label.name): {*exposed.known.of(label), OTHER}
        for one in METRICS
        for label in one.labels
    }
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                if family.name.startswith("acquit_") and label not in {"acquit_role", "le"}:
                    assert value in allowed[(family.name, label)]


async def test_there_is_a_bound_on_the_number_of_series(exposed: Metrics) -> None:
    """A thousand strangers later there are as many series as after the first."""
    await measure_everything(exposed, "stranger")
    before = sum(map(len, samples(exposed.text("")[0].decode()).values()))
    for number in range(1000):
        for metric in METRICS:
            if metric.kind is Kind.COUNTER:
                exposed.add(metric, *([f"stranger-{number}"] * len(metric.labels)))
    after = sum(map(len, samples(exposed.text("")[0].decode()).values()))
    assert before == after


def test_names_are_unique_and_readable() -> None:
    """One name, one meaning; a unit that Prometheus spells out, and a help of one sentence."""
    names = [one.name for one in METRICS] + [one.name for one in CORE]
    assert len(names) == len(set(names))
    for one in METRICS:
        assert one.name.startswith("acquit.")
        assert one.unit == "s" or (one.unit[0], one.unit[-1]) == ("{", "}")
        assert one.help.endswith(".")
        assert bool(one.buckets) == (one.kind is Kind.HISTOGRAM)


def test_types_of_workflows_and_activities_are_all_known() -> None:
    """A new one that is not in the catalogue would be measured as `other`."""
    types = {workflow._Definition.must_from_class(one).name for one in WORKFLOWS}
    assert types == set(catalogue.WORKFLOW_TYPE.values)
    reported = {
        keyword.value.value
        for path in python_files("activities")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "activity.defn"
        for keyword in node.keywords
        if isinstance(keyword.value, ast.Constant)
    }
    assert reported == set(catalogue.ACTIVITY_TYPE.values)


def test_what_becomes_of_webhooks_is_all_known() -> None:
    """Every word by which the door counts, and every kind of report."""
    [door] = [path for path in python_files("api") if path.name == "webhooks.py"]
    counted = {
        argument.value
        for node in ast.walk(parsed(door))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._count"
        for argument in node.args[1:]
        if isinstance(argument, ast.Constant)
    }
    reports = {"outcome", "return", "delivery_report", "unparsed"}
    assert counted | reports == set(catalogue.WEBHOOK.values)


async def test_gauges_say_zero_for_what_does_not_wait_and_nothing_once_they_are_old() -> None:
    """A missing series would look like a missing worker; an old number like a healthy one."""
    registry = CollectorRegistry()
    now = [0.0]
    metrics = Metrics([], registry=registry)
    metrics.known.take(RAILS, ZONES, QUEUES)
    gauges = BooksGauges(
        StillQueries(), metrics, every_s=30, clock=lambda: now[0], verify=four_faults
    )
    assert list(gauges.values(catalogue.INSTALLMENTS)) == []
    await gauges.read()

    def said(metric: Metric) -> dict[str, float]:
        return {"".join(labels.values()): value for value, labels in gauges.values(metric)}

    states = said(catalogue.INSTALLMENTS)
    assert states == {state.value: 3 if state is State.IN_DOUBT else 0 for state in State}
    assert said(catalogue.INSTALLMENTS_AGE)["IN_DOUBT"] == 7200
    assert said(catalogue.INSTALLMENTS_AGE)["DUE"] == 0
    assert said(catalogue.SWEEP) == {"Asia/Shanghai": 3}
    assert said(catalogue.FAULTS) == {"balance": 1, "chain": 2}
    verifying = asyncio.create_task(gauges.run_verifying(60))
    await asyncio.sleep(0)
    verifying.cancel()
    assert said(catalogue.FAULTS) == {"balance": 1, "chain": 2, "journal": 4}
    assert said(catalogue.INBOX_AGE) == {"": 7200}
    now[0] = 90.0
    assert said(catalogue.INSTALLMENTS) == states
    now[0] = 91.0
    assert said(catalogue.INSTALLMENTS) == {}
