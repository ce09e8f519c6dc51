"""Deliveries from the outbox, counted and timed."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

from adapters.telemetry import catalogue
from adapters.telemetry.metrics import Metrics
from ports.outbox import Courier, OutboxRow


class MeteredCourier:
    """A courier of the outbox whose tries are counted."""

    def __init__(self, courier: Courier, metrics: Metrics) -> None:
        self._courier = courier
        self._metrics = metrics

    async def deliver(self, row: OutboxRow) -> None:
        """See `ports.outbox.Courier.deliver`."""
        began, result = perf_counter(), "failed"
        try:
            await self._courier.deliver(row)
            result = "delivered"
        finally:
            self._metrics.record(catalogue.DELIVERY_DURATION, perf_counter() - began, row.topic)
            self._metrics.add(catalogue.DELIVERIES, row.topic, result)


def metered_couriers(couriers: Mapping[str, Courier], metrics: Metrics) -> dict[str, Courier]:
    """The same couriers by topic, each counted."""
    return {topic: MeteredCourier(courier, metrics) for topic, courier in couriers.items()}
