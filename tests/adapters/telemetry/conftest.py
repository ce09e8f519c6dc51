"""Logs caught in a text, spans caught in memory, and everything put back afterwards."""

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from adapters.telemetry.logs import configure_logging
from adapters.telemetry.redaction import Redactor
from adapters.telemetry.tracing import Tracing
from tests.adapters.telemetry.canaries import DB_PASSWORD, SECRET
from tests.support.spans import tracing_into


@dataclass
class Caught:
    """Lines of a log."""

    stream: io.StringIO = field(default_factory=io.StringIO)
    handler: logging.Handler = field(default_factory=logging.NullHandler)

    @property
    def text(self) -> str:
        """All that was written."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, object]]:
        """Every line, parsed: one that is no JSON fails."""
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def gate() -> Redactor:
    """A gate that knows the secrets of this process."""
    return Redactor([SECRET, DB_PASSWORD])


@pytest.fixture
def logs(gate: Redactor) -> Iterator[Caught]:
    """Logging set up as in a worker, at debug, into a text."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, threading.excepthook, sys.unraisablehook)
    caught = Caught()
    caught.handler = configure_logging("debug", gate, caught.stream)
    yield caught
    root.handlers, level, threading.excepthook, sys.unraisablehook = before
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@dataclass
class Spans:
    """Tracing whose finished spans stay in memory."""

    tracing: Tracing
    exporter: InMemorySpanExporter

    @property
    def tracer(self) -> Tracer:
        """What makes spans."""
        return self.tracing.tracer

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        """Finished spans, in the order in which they ended."""
        return self.exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [span.name for span in self.all]

    @property
    def text(self) -> str:
        """Everything that would leave with them."""
        return "\n".join(span.to_json() for span in self.all)

    def named(self, name: str) -> ReadableSpan:
        """The only span with this name."""
        [found] = [span for span in self.all if span.name == name]
        return found


@pytest.fixture
def spans(gate: Redactor) -> Spans:
    """Tracing into memory, past the gate."""
    exporter = InMemorySpanExporter()
    return Spans(tracing_into(exporter, gate), exporter)
