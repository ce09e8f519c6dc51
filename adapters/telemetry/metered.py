"""Deliveries from the outbox, counted and timed."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

from adapters.telemetry import catalogue
from adapters.telemetry.metrics import Metrics
from ports.outbox import Dispatcher, OutboxRow


class MeteredDispatcher:
    """A dispatcher of the outbox whose tries are counted."""

    def __init__(self, dispatcher: Dispatcher, metrics: Metrics) -> None:
        self._dispatcher = dispatcher
        self._metrics = metrics

    async def deliver(self, row: OutboxRow) -> None:
        """See `ports.outbox.Dispatcher.deliver`."""
        began, result = perf_counter(), "failed"
        try:
            await self._dispatcher.deliver(row)
            result = "delivered"
        finally:
            self._metrics.record(catalogue.DELIVERY_DURATION, perf_counter() - began, row.topic)
            self._metrics.add(catalogue.DELIVERIES, row.topic, result)


def metered_dispatchers(
    dispatchers: Mapping[str, Dispatcher], metrics: Metrics
) -> dict[str, Dispatcher]:
    """The same dispatchers by topic, each counted."""
    return {
        topic: MeteredDispatcher(dispatcher, metrics) for topic, dispatcher in dispatchers.items()
    }
