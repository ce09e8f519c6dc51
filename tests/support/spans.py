"""Tracing whose spans a test can read at once."""

from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from adapters.telemetry.redaction import Redactor
from adapters.telemetry.tracing import RedactingExporter, Tracing, tracer_provider


def tracing_into(
    exporter: SpanExporter, redactor: Redactor, service: str = "acquit", role: str = "test"
) -> Tracing:
    """Tracing that hands each finished span to `exporter` at once."""
    provider = tracer_provider(service, role)
    provider.add_span_processor(SimpleSpanProcessor(RedactingExporter(exporter, redactor)))
    return Tracing(provider)
