"""Sets up a worker's logs, and its traces and metrics where they are asked for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.sql.read.gauges import SqlGauges
from workers.settings import metrics_config, secrets_in, tracing_config
from workers.stackfile import read_stack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AsyncExitStack

    from opentelemetry.trace import Tracer
    from starlette.applications import Starlette
    from starlette.routing import BaseRoute
    from temporalio.runtime import MetricBuffer, Runtime

    from adapters.telemetry.http import App, TracedDoor
    from adapters.telemetry.metrics import Metrics
    from adapters.telemetry.tracing import Tracing
    from api.webhooks import Count
    from ports.outbox import Dispatcher
    from workers.compose import Stack
    from workers.settings import Settings

GAUGE_ROLES = frozenset({"books", "all"})
"""Roles that read the gauges of the books: not every worker, for all would read the same."""
DOOR_WORDS = frozenset({"webhooks"})
"""Words of our own paths that may stand in a trace."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Hooks of one process: `tracing`, `metrics` are None where they are not wanted."""

    tracing: Tracing | None = None
    runtime: Runtime | None = None
    metrics: Metrics | None = None
    core: MetricBuffer | None = None

    @property
    def tracer(self) -> Tracer | None:
        """What makes spans, if anything does."""
        return None if self.tracing is None else self.tracing.tracer

    def dispatchers(self, dispatchers: Mapping[str, Dispatcher]) -> Mapping[str, Dispatcher]:
        """The dispatchers of the outbox, counted and with spans if wanted."""
        if self.metrics is not None:
            from adapters.telemetry.metered import metered_dispatchers  # noqa: PLC0415  (where wanted)

            dispatchers = metered_dispatchers(dispatchers, self.metrics)
        if self.tracer is None:
            return dispatchers
        from adapters.telemetry.delivery import traced_dispatchers  # noqa: PLC0415  (where wanted)

        return traced_dispatchers(dispatchers, self.tracer)

    def door(self, app: Starlette) -> App | TracedDoor:
        """The application behind the web door, with spans if wanted."""
        if self.tracer is None:
            return app
        from adapters.telemetry.http import TracedDoor  # noqa: PLC0415  (only where wanted)

        return TracedDoor(app, self.tracer, DOOR_WORDS)

    @property
    def count(self) -> Count:
        """Counts what comes to the web door, if wanted."""
        metrics = self.metrics
        if metrics is None:
            return lambda _rail, _what: None
        from adapters.telemetry.catalogue import WEBHOOKS  # noqa: PLC0415  (only where wanted)

        return lambda rail, what: metrics.add(WEBHOOKS, rail, what)

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """`/metrics`, if it is to be read; for the door of this process's health."""
        if self.metrics is None or not self.metrics.is_read:
            return ()
        from adapters.telemetry.exposition import metrics_route  # noqa: PLC0415  (where wanted)

        return (metrics_route(self.metrics),)

    @asynccontextmanager
    async def measuring(self, stack: Stack, role: str) -> AsyncIterator[None]:
        """Measure until the end of the block what is not measured where it happens."""
        if self.metrics is None:
            yield
            return
        from adapters.telemetry.coremetrics import CoreMetrics  # noqa: PLC0415  (where wanted)
        from adapters.telemetry.gauges import BooksGauges  # noqa: PLC0415

        _name(self.metrics, stack)
        self.metrics.begin_at_zero()
        runs = []
        if self.core is not None:
            core = CoreMetrics(self.core, self.metrics)
            core.begin_at_zero()
            runs.append(core.run())
        if role in GAUGE_ROLES:
            every_s, hours = stack.settings.gauges_every_s, stack.settings.verify_every_h
            counts = SqlGauges(stack.engine, stack.clock)
            gauges = BooksGauges(counts, self.metrics, every_s, verify=_faults(stack))
            runs.append(gauges.run())
            if hours is not None:
                runs.append(gauges.run_verifying(hours * 3600))
        tasks = [asyncio.create_task(run, name="metrics") for run in runs]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


def _name(metrics: Metrics, stack: Stack) -> None:
    """Tell the metrics which rails, time zones and queues this installation has."""
    from workflows import names  # noqa: PLC0415  (loads Temporal)

    rails = {*stack.rails, *(file.product.rail for file in stack.products.values())}
    zones = {file.product.timezone for file in stack.products.values()}
    queues = {names.WORKFLOWS, names.BOOKS, *map(names.debit_queue, rails)}
    metrics.known.take(rails, zones, queues)


def _faults(stack: Stack) -> Callable[[], Awaitable[int]]:
    async def faults() -> int:
        return len((await stack.queries.verify()).faults)

    return faults


def observe(settings: Settings, role: str, closing: AsyncExitStack) -> Observed:
    """Set up the logs of this process, its traces and metrics; these are sent and closed last.

    Raises:
        InvalidInput: traces or metrics are asked for in a way that this build does not speak.
    """
    from adapters.telemetry.core import core_runtime, keep_context_in_fields  # noqa: PLC0415
    from adapters.telemetry.logs import configure_logging  # noqa: PLC0415
    from adapters.telemetry.redaction import Redactor  # noqa: PLC0415

    redactor = Redactor(secrets_in(settings, read_stack(settings.home)))
    configure_logging(settings.log_level, redactor)
    keep_context_in_fields()
    metrics, core, tracing = None, None, None
    if (measured := metrics_config(settings, role)) is not None:
        from adapters.telemetry.coremetrics import core_buffer  # noqa: PLC0415  (loads the SDK)
        from adapters.telemetry.metrics import open_metrics  # noqa: PLC0415

        metrics, core = open_metrics(measured), core_buffer()
        closing.push_async_callback(metrics.close)
    if (traced := tracing_config(settings, role)) is not None:
        from adapters.telemetry.tracing import otlp_tracing  # noqa: PLC0415  (loads the SDK)

        tracing = otlp_tracing(traced, redactor)
        closing.push_async_callback(tracing.close)
    return Observed(tracing, core_runtime(core), metrics, core)
