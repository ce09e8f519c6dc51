"""Traces: off unless an address is given, bounded, redacted, and flushed when the process ends.

No global provider is set: whoever makes spans is given a tracer. So two installations in one
process (tests) stay apart, and a process without tracing loads nothing of the SDK.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import Link, Status, Tracer

from adapters.telemetry.closing import CLOSE_S, close_within
from adapters.telemetry.redaction import Redactor

QUEUE_MOST = 4096
"""Finished spans that wait to be sent; what comes on top is dropped, never waited for."""
BATCH_MOST = 512
EVERY_MS = 2_000
SEND_MS = 5_000
_LIMITS = SpanLimits(
    max_span_attributes=32,
    max_events=16,
    max_links=256,  # a group of the books is that large at most
    max_event_attributes=16,
    max_link_attributes=8,
    max_attribute_length=4_000,
)
_STACK_MOST = 4_000


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """Where traces go and what they are called.

    Attributes:
        endpoint: whole address for OTLP over HTTP, with `/v1/traces`; headers, certificates and
            time-outs are the exporter's own standard variables.
        service: `service.name` of the resource.
        role: which kind of worker this is.
    """

    endpoint: str
    service: str
    role: str


class Tracing:
    """A tracer and what must be closed with it."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self.tracer: Tracer = provider.get_tracer("acquit")

    def flush(self, seconds: float = CLOSE_S) -> bool:
        """Send what is finished; whether that was done in time."""
        return self._provider.force_flush(int(seconds * 1000))

    async def close(self, seconds: float = CLOSE_S) -> None:
        """Send what is finished and stop; a collector that hangs holds the process up no longer."""
        await close_within(seconds, self._provider.shutdown, "traces")


def otlp_tracing(config: TracingConfig, redactor: Redactor) -> Tracing:
    """Tracing that sends batches in the background to an OTLP/HTTP collector."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  (slow)
        OTLPSpanExporter,
    )

    provider = tracer_provider(config.service, config.role)
    exporter = RedactingExporter(OTLPSpanExporter(endpoint=config.endpoint), redactor)
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE_MOST,
            schedule_delay_millis=EVERY_MS,
            max_export_batch_size=BATCH_MOST,
            export_timeout_millis=SEND_MS,
        )
    )
    return Tracing(provider)


def tracer_provider(service: str, role: str) -> TracerProvider:
    """A provider that names service and role, and bounds what one span may hold."""
    resource = Resource.create({"service.name": service, "acquit.role": role})
    # Closed by us, in order: an exit handler would wait for a collector that does not answer.
    return TracerProvider(resource=resource, span_limits=_LIMITS, shutdown_on_exit=False)


class RedactingExporter(SpanExporter):
    """Passes spans on with every text masked: names, attributes, events, links and status.

    Libraries put messages of errors into spans, so the gate stands where they leave the process.
    """

    def __init__(self, exporter: SpanExporter, redactor: Redactor) -> None:
        self._exporter = exporter
        self._redactor = redactor

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Mask and pass on."""
        return self._exporter.export([self._masked(span) for span in spans])

    def shutdown(self) -> None:
        """Shut down what is behind the gate."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush what is behind the gate."""
        return self._exporter.force_flush(timeout_millis)

    def _masked(self, span: ReadableSpan) -> ReadableSpan:
        status = span.status
        said = self._redactor.text(status.description) if status.description else None
        return ReadableSpan(
            name=self._redactor.text(span.name, "workflow_id"),
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._attributes(span.attributes),
            events=[
                Event(event.name, self._attributes(event.attributes), event.timestamp)
                for event in span.events
            ],
            links=[Link(link.context, self._attributes(link.attributes)) for link in span.links],
            kind=span.kind,
            status=Status(status.status_code, said),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in (attributes or {}).items()}

    def _value(self, name: str, value: object) -> Any:  # noqa: ANN401  (what an attribute may be)
        if isinstance(value, str) and name == "exception.stacktrace":
            return self._redactor.text(value, name, _STACK_MOST)
        masked = self._redactor.value(value, name)
        return masked if isinstance(masked, (str, bool, int, float, list)) else str(masked)
