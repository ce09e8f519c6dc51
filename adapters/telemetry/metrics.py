"""Metrics of one process: off unless asked for, sent by OTLP, read as Prometheus text, or both.

As with traces no global provider is set: whoever measures is handed a `Metrics`, and a process
without one loads nothing of the SDK. Every value passes the catalogue: see there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from adapters.telemetry.catalogue import (
    COMMANDS,
    DELIVERIES,
    METRICS,
    OTHER,
    QUEUE,
    RAIL,
    WEBHOOKS,
    ZONE,
    Kind,
    Label,
    Metric,
)
from adapters.telemetry.closing import CLOSE_S, close_within

SEND_MS = 5_000
Reading = Callable[[Metric], Iterable[tuple[float, Mapping[str, str]]]]
"""Gives the values of one gauge, each with its labels; nothing when they are not known."""


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where metrics go and what they are called.

    Attributes:
        endpoint: whole address for OTLP over HTTP, with `/v1/metrics`; None: nothing is sent. How
            often, headers and time-outs are the exporter's own standard variables.
        prometheus: whether they can be read as text.
        service: `service.name` of the resource.
        role: which kind of worker this is.
    """

    endpoint: str | None
    prometheus: bool
    service: str
    role: str


@dataclass(slots=True)
class Known:
    """Values of labels that belong to an installation."""

    values: dict[str, frozenset[str]] = field(default_factory=dict)

    def take(self, rails: Iterable[str], zones: Iterable[str], queues: Iterable[str]) -> None:
        """Let labels take these values from now on."""
        for label, values in ((RAIL, rails), (ZONE, zones), (QUEUE, queues)):
            self.values[label.name] = frozenset(values)

    def of(self, label: Label) -> Iterable[str]:
        """The values that a label may take."""
        return label.values or sorted(self.values.get(label.name, ()))

    def said(self, label: Label, value: object) -> str:
        """The value itself where the label may take it, else `other`."""
        text = str(value)
        known = label.values or self.values.get(label.name, frozenset())
        return text if text in known else OTHER


class Metrics:
    """Instruments of the catalogue, and what must be closed with them.

    Args:
        readers: take what is measured where it goes.
        service, role: of the resource.
        registry: what `text` reads; None where nobody reads.
    """

    def __init__(
        self,
        readers: Sequence[MetricReader],
        service: str = "acquit",
        role: str = "test",
        registry: CollectorRegistry | None = None,
    ) -> None:
        # One process is distinguished from the next, so that two workers of a role are not taken
        # for one.
        resource = Resource.create(
            {
                "service.name": service,
                "service.instance.id": str(uuid.uuid4()),
                "acquit.role": role,
            }
        )
        self._provider = MeterProvider(readers, resource, shutdown_on_exit=False)
        self.meter = self._provider.get_meter("acquit")
        self.known = Known()
        self._registry = registry
        self._counters = {
            one.name: self.meter.create_counter(one.name, one.unit, one.help)
            for one in METRICS
            if one.kind is Kind.COUNTER
        }
        self._histograms = {
            one.name: self.meter.create_histogram(
                one.name, one.unit, one.help, explicit_bucket_boundaries_advisory=one.buckets
            )
            for one in METRICS
            if one.kind is Kind.HISTOGRAM
        }

    def add(self, metric: Metric, *values: object) -> None:
        """Count one; `values` in the order of the metric's labels."""
        self._counters[metric.name].add(1, self._labels(metric, values))

    def record(self, metric: Metric, amount: float, *values: object) -> None:
        """Take one measurement into a histogram."""
        self._histograms[metric.name].record(amount, self._labels(metric, values))

    def begin_at_zero(self) -> None:
        """Let counters that alerts look at begin at zero, once it is known what there is.

        A counter that appears with its first event has not risen, as Prometheus sees it: the only
        forged report of a day, the only statement that was refused, would wake nobody.
        """
        for metric in (COMMANDS, DELIVERIES, WEBHOOKS):
            for values in product(*(self.known.of(label) for label in metric.labels)):
                self._counters[metric.name].add(0, self._labels(metric, values))

    def read_by(self, reading: Reading) -> None:
        """Have the gauges of the catalogue answered by `reading`, at each export."""
        for one in METRICS:
            if one.kind is Kind.GAUGE:
                callback = self._callback(one, reading)
                self.meter.create_observable_gauge(one.name, [callback], one.unit, one.help)

    @property
    def is_read(self) -> bool:
        """Whether somebody reads them as text."""
        return self._registry is not None

    def text(self, accept: str) -> tuple[bytes, str]:
        """Everything as Prometheus text, and its content type, in the form that `accept` asks for.

        Raises:
            LookupError: this process was not asked to be read.
        """
        if self._registry is None:
            raise LookupError("no Prometheus endpoint was asked for")
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind

    async def close(self, seconds: float = CLOSE_S) -> None:
        """Send what was measured and stop; a collector that hangs holds nobody up for longer."""
        await close_within(seconds, self._provider.shutdown, "metrics")

    def _labels(self, metric: Metric, values: Sequence[object]) -> dict[str, str]:
        pairs = zip(metric.labels, values, strict=True)
        return {label.name: self.known.said(label, value) for label, value in pairs}

    def _callback(
        self, metric: Metric, reading: Reading
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_options: CallbackOptions) -> Iterable[Observation]:
            return [
                Observation(
                    value,
                    {
                        label.name: self.known.said(label, given[label.name])
                        for label in metric.labels
                    },
                )
                for value, given in reading(metric)
            ]

        return observe


def open_metrics(config: MetricsConfig) -> Metrics:
    """Metrics that are sent in the background, read as text, or both."""
    readers: list[MetricReader] = []
    registry = None
    if config.endpoint is not None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415  (slow)
            OTLPMetricExporter,
        )

        exporter = OTLPMetricExporter(endpoint=config.endpoint)
        readers.append(PeriodicExportingMetricReader(exporter, export_timeout_millis=SEND_MS))
    if config.prometheus:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415

        registry = CollectorRegistry()
        readers.append(
            PrometheusMetricReader(
                scope_info_enabled=False,
                # As the collector adds it to what is sent: one query fits both ways.
                resource_attribute_filter=lambda name: name == "acquit.role",
                registry=registry,
            )
        )
    return Metrics(readers, config.service, config.role, registry)
