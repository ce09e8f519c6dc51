"""What a worker process tells of itself: JSON logs always, traces where they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.settings import secrets_in, tracing_config
from workers.stackfile import read_stack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from opentelemetry.trace import Tracer
    from starlette.applications import Starlette
    from temporalio.runtime import Runtime

    from adapters.telemetry.http import App, TracedDoor
    from adapters.telemetry.tracing import Tracing
    from ports.outbox import Courier
    from workers.settings import Settings

DOOR_WORDS = frozenset({"webhooks"})
"""Words of our own paths that may stand in a trace."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Hooks of one process: `tracing` is None where no traces are wanted."""

    tracing: Tracing | None = None
    runtime: Runtime | None = None

    @property
    def tracer(self) -> Tracer | None:
        """What makes spans, if anything does."""
        return None if self.tracing is None else self.tracing.tracer

    def couriers(self, couriers: Mapping[str, Courier]) -> Mapping[str, Courier]:
        """The couriers of the outbox, with spans if wanted."""
        if self.tracer is None:
            return couriers
        from adapters.telemetry.delivery import traced_couriers  # noqa: PLC0415  (where wanted)

        return traced_couriers(couriers, self.tracer)

    def door(self, app: Starlette) -> App | TracedDoor:
        """The application behind the web door, with spans if wanted."""
        if self.tracer is None:
            return app
        from adapters.telemetry.http import TracedDoor  # noqa: PLC0415  (only where wanted)

        return TracedDoor(app, self.tracer, DOOR_WORDS)


def observe(settings: Settings, role: str, closing: AsyncExitStack) -> Observed:
    """Set up the logs of this process and its traces; these are sent and closed last of all.

    Raises:
        InvalidInput: traces are asked for in a way that this build does not speak.
    """
    from adapters.telemetry.core import core_runtime, keep_context_in_fields  # noqa: PLC0415
    from adapters.telemetry.logs import configure_logging  # noqa: PLC0415
    from adapters.telemetry.redaction import Redactor  # noqa: PLC0415

    redactor = Redactor(secrets_in(settings, read_stack(settings.home)))
    configure_logging(settings.log_level, redactor)
    keep_context_in_fields()
    runtime = core_runtime()
    config = tracing_config(settings, role)
    if config is None:
        return Observed(runtime=runtime)
    from adapters.telemetry.tracing import otlp_tracing  # noqa: PLC0415  (loads the SDK)

    tracing = otlp_tracing(config, redactor)
    closing.push_async_callback(tracing.close)
    return Observed(tracing, runtime)
