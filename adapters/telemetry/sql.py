"""Spans of SQL statements: kind and table, never a text or a parameter.

Hooks of our own: the instrumentation package stops before SQLAlchemy 2.1. A statement outside any
trace makes no span, for the outbox looks several times a second.
"""

import re
from functools import lru_cache
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import ExceptionContext

_KIND = re.compile(r"\s*([A-Za-z]{1,12})")
_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"?([a-z_]{1,60})"?(?!\w|\()')
_SYSTEMS = {"postgresql": "postgresql", "sqlite": "sqlite"}
_HELD = "acquit_span"


def trace_sql(engine: Engine, tracer: Tracer) -> None:
    """Make a span for each statement of this engine that belongs to a trace."""
    system = _SYSTEMS.get(engine.dialect.name, "other_sql")

    def before(*given: Any) -> None:  # noqa: ANN401  (connection, cursor, text, values, ...)
        """Begin a span and keep it with the statement's own context."""
        _, _, text, params, context, many = given
        if not trace.get_current_span().is_recording():
            return
        kind, table = _kind(text)
        attributes: dict[str, str | int] = {"db.system.name": system, "db.operation.name": kind}
        if table:
            attributes["db.collection.name"] = table
        if many:
            attributes["db.operation.batch.size"] = len(params)
        name = f"{kind} {table}" if table else kind
        span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        setattr(context, _HELD, span)

    def after(*given: Any) -> None:  # noqa: ANN401
        """End it."""
        _end(given[4], None)

    def failed(context: ExceptionContext) -> None:
        """End it with the kind of error: messages of databases quote values."""
        _end(context.execution_context, type(context.original_exception).__name__)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)


def _end(context: Any, error: str | None) -> None:  # noqa: ANN401  (SQLAlchemy's own, or None)
    span: Span | None = getattr(context, _HELD, None)
    if span is None:
        return
    delattr(context, _HELD)
    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, error))
    span.end()


@lru_cache(maxsize=1024)
def _kind(text: str) -> tuple[str, str]:
    """The first word of a statement and the first table that it names."""
    kind, table = _KIND.match(text), _TABLE.search(text[:4_000])
    return (kind[1].upper() if kind else "SQL"), (table[1] if table else "")
