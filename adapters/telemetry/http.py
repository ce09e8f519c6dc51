"""Spans of HTTP calls to rails and of received webhooks: method, route and status, no contents.

No trace context goes to a counterparty, and none is taken from one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import httpx
from opentelemetry import context as otel
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from adapters.rails.http import Watch

Answered = Callable[[int], None]
"""Called with the status of the answer, once."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

_FAULTY = 500
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


def route_of(path: str, words: frozenset[str]) -> str:
    """The path with every segment that is none of the route's own words replaced by `{}`.

    A list of what may be shown, so that a new route shows too little and never a reference.
    """
    return "/".join(part if not part or part in words else "{}" for part in path.split("/"))


def traced_calls(tracer: Tracer, rail: str, words: frozenset[str]) -> Watch:
    """What `RailHttp` takes as `watch`: a span for each exchange with this rail.

    Args:
        tracer: makes the spans.
        rail: its name.
        words: the fixed words of its paths; every other segment is left out.
    """

    @contextmanager
    def watch(request: httpx.Request) -> Iterator[Answered]:
        route = route_of(request.url.path, words)
        method = request.method if request.method in _METHODS else "_OTHER"
        attributes = {"http.request.method": method, "url.template": route, "acquit.rail": rail}
        with tracer.start_as_current_span(
            f"{method} {route}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            def answered(status: int) -> None:
                span.set_attribute("http.response.status_code", status)
                if status >= _FAULTY:
                    span.set_status(Status(StatusCode.ERROR, str(status)))

            try:
                yield answered
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    return watch


class TracedDoor:
    """An ASGI application with a span for each request, named by the route and never the path."""

    def __init__(self, app: App, tracer: Tracer, words: frozenset[str]) -> None:
        self._app = app
        self._tracer = tracer
        self._words = words

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = route_of(str(scope["path"]), self._words)
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        with self._tracer.start_as_current_span(
            f"{method} {route}",
            otel.Context(),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", int(message["status"]))
                    if message["status"] >= _FAULTY:
                        span.set_status(Status(StatusCode.ERROR, str(message["status"])))
                await send(message)

            try:
                await self._app(scope, receive, noting)
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
