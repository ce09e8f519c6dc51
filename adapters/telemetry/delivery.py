"""Spans of deliveries from the outbox.

Where a message carries the trace of the commit that wrote it (see `carriers`), the delivery belongs
to that trace. A message that had to wait for its day is only linked to it, because a trace that
spans days cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import context as otel
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, Tracer

from adapters.telemetry.carriers import origin_of, under
from ports.outbox import TRACE, Dispatcher, OutboxRow


class TracedDispatcher:
    """A dispatcher of the outbox with a span around each delivery."""

    def __init__(self, dispatcher: Dispatcher, tracer: Tracer) -> None:
        self._dispatcher = dispatcher
        self._tracer = tracer

    async def deliver(self, row: OutboxRow) -> None:
        """See `ports.outbox.Dispatcher.deliver`."""
        parent, links = _origin(row)
        with self._tracer.start_as_current_span(
            f"deliver {row.topic}",
            parent,
            kind=SpanKind.CONSUMER,
            links=links,
            attributes={
                "messaging.operation.type": "process",
                "messaging.destination.name": row.topic,
                "messaging.message.id": str(row.id),
                "acquit.tries": row.tries,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await self._dispatcher.deliver(row)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


def traced_dispatchers(
    dispatchers: Mapping[str, Dispatcher], tracer: Tracer
) -> dict[str, Dispatcher]:
    """The same dispatchers by topic, each with spans."""
    return {
        topic: TracedDispatcher(dispatcher, tracer) for topic, dispatcher in dispatchers.items()
    }


def _origin(row: OutboxRow) -> tuple[otel.Context, list[Link]]:
    """The context that a delivery belongs to, and what it is linked to."""
    origin, is_parent = origin_of(row.body.get(TRACE))
    if origin is None:
        return under(None), []
    if is_parent and row.not_before is None:
        return under(origin), []
    return under(None), [Link(origin)]
