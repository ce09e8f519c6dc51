"""Carries a trace in a message of the outbox: W3C Trace Context, as a parent or as a link.

The messages of one command belong to its trace. Those of a batch are only linked to the batch's
trace, since a daily sweep may open ten thousand drivers.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PARENT, LINK = "traceparent", "tracelink"
_W3C = TraceContextTextMapPropagator()


def carrier(*, batch: bool = False) -> dict[str, str]:
    """The current trace; empty outside any. Nothing else of the caller's context travels."""
    held: dict[str, str] = {}
    _W3C.inject(held)
    parent = held.get("traceparent")
    return {} if parent is None else {LINK if batch else PARENT: parent}


def origin_of(held: object) -> tuple[SpanContext | None, bool]:
    """The span that a carrier names, if it names one, and whether it is meant as the parent."""
    if not isinstance(held, Mapping):
        return None, False
    text = held.get(PARENT) or held.get(LINK)
    context = _W3C.extract({"traceparent": str(text)}, otel.Context())
    found = trace.get_current_span(context).get_span_context()
    return (found, PARENT in held) if found.is_valid else (None, False)


def under(parent: SpanContext | None) -> otel.Context:
    """A context in which a new span is a child of `parent`, or begins a trace of its own."""
    outside = otel.Context()
    if parent is None:
        return outside
    return trace.set_span_in_context(trace.NonRecordingSpan(parent), outside)
