"""Exports the Temporal SDK's own metrics with ours, under the same rules for labels.

The SDK's core keeps them in a buffer that must be drained. Its own exporters would open a port or a
connection of their own, and pass on names of workflows as strangers ask for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import product

import structlog
from opentelemetry.metrics import Meter
from temporalio.runtime import (
    BUFFERED_METRIC_KIND_COUNTER,
    BUFFERED_METRIC_KIND_HISTOGRAM,
    BufferedMetric,
    MetricBuffer,
    MetricBufferDurationFormat,
)

from adapters.telemetry.catalogue import CORE_LABELS, QUEUE, WORKFLOW_FAILED, WORKFLOW_TYPE
from adapters.telemetry.metrics import Metrics

BUFFER = 50_000
"""Updates between two drainings; a busy worker makes a few thousand a second, and what does not fit
is lost."""
DRAIN_S = 1.0
_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_log = structlog.get_logger(__name__)
_LABELS = {label.name: label for label in CORE_LABELS}

Take = Callable[[float, Mapping[str, str]], None]


def core_buffer() -> MetricBuffer:
    """What the SDK's runtime writes its metrics to; durations in seconds."""
    return MetricBuffer(BUFFER, MetricBufferDurationFormat.SECONDS)


class CoreMetrics:
    """Takes what is in the buffer to instruments of the same names.

    Args:
        buffer: of a runtime that was made with it.
        metrics: of this process; says which values labels may take.
    """

    def __init__(self, buffer: MetricBuffer, metrics: Metrics) -> None:
        self._buffer = buffer
        self._known = metrics.known
        self._meter = metrics.meter
        self._taking: dict[str, Take] = {}

    async def run(self) -> None:
        """Drain every second until cancelled, and once more then."""
        try:
            while True:  # ends by being cancelled
                self._drain()
                await asyncio.sleep(DRAIN_S)
        finally:
            self._drain()

    def _drain(self) -> None:
        """Drain once; a metric that cannot be taken is logged and does not stop the next drain."""
        try:
            self.drain()
        except Exception as error:  # noqa: BLE001  (nobody's work may end with what measures it)
            _log.warning("core_metrics_not_taken", error=type(error).__name__)

    def begin_at_zero(self) -> None:
        """See `Metrics.begin_at_zero`: workflows seldom fail, and the first must be seen."""
        name = WORKFLOW_FAILED.name
        self._taking[name] = self._meter.create_counter(name, "", WORKFLOW_FAILED.help).add
        for kind, queue in product(WORKFLOW_TYPE.values, self._known.of(QUEUE)):
            self._taking[name](0, {WORKFLOW_TYPE.name: kind, QUEUE.name: queue})

    def drain(self) -> None:
        """Take everything that is in the buffer."""
        for update in self._buffer.retrieve_updates():
            metric = update.metric
            take = self._taking.get(metric.name)
            if take is None:
                take = self._taking[metric.name] = _take(self._meter, metric)
            take(update.value, self._labels(update.attributes))

    def _labels(self, given: Mapping[str, str | int | float | bool]) -> dict[str, str]:
        return {
            name: self._known.said(label, str(value).lower() if isinstance(value, bool) else value)
            for name, value in given.items()
            if (label := _LABELS.get(name)) is not None
        }


def _take(meter: Meter, metric: BufferedMetric) -> Take:
    named = (metric.name, metric.unit or "", metric.description or "")
    if metric.kind == BUFFERED_METRIC_KIND_COUNTER:
        return meter.create_counter(*named).add
    if metric.kind == BUFFERED_METRIC_KIND_HISTOGRAM:
        return meter.create_histogram(*named, explicit_bucket_boundaries_advisory=_SECONDS).record
    return meter.create_gauge(*named).set
