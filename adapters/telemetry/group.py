"""The books answer commands in groups, in a task of their own: which trace is that?

Each command has a span from the moment it is queued to its answer. What the writer runs meanwhile
is shown under the command that waits longest: the queue is first in, first out, so that is one of
the group in hand (unless nobody in the group is traced). The others have their spans, and wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from domain.loan.change import Applied, Refused
from domain.loan.commands import AnyCommand
from ports.books import Books

_WAITING: ContextVar[dict[int, Span] | None] = ContextVar("acquit_waiting", default=None)


def group_context() -> otel.Context | None:
    """The context of the command that waits longest; None outside the writer of traced books."""
    waiting = _WAITING.get()
    if not waiting:
        return None
    return trace.set_span_in_context(next(iter(waiting.values())), otel.Context())


class TracedBooks:
    """`ports.books.Books` with a span for each command that belongs to a trace."""

    def __init__(self, books: Books, tracer: Tracer) -> None:
        self._books = books
        self._tracer = tracer
        self._waiting: dict[int, Span] = {}

    async def apply(self, command: AnyCommand) -> Applied | Refused:
        """See `ports.books.Books.apply`."""
        with self._span(f"books {command.kind}", 1) as span:
            answer = await self._books.apply(command)
            span.set_attribute("acquit.refused", isinstance(answer, Refused))
            return answer

    async def apply_many(
        self, commands: Sequence[AnyCommand]
    ) -> Sequence[Applied | Refused | Exception]:
        """See `ports.books.Books.apply_many`."""
        with self._span("books batch", len(commands)) as span:
            answers = await self._books.apply_many(commands)
            span.set_attribute("acquit.refused", sum(isinstance(one, Refused) for one in answers))
            span.set_attribute("acquit.faults", sum(isinstance(one, Exception) for one in answers))
            return answers

    @contextmanager
    def _span(self, name: str, commands: int) -> Iterator[Span]:
        """A span that is nobody's parent but the writer's.

        The writer's task may be born inside: it must not inherit the caller's span, which would be
        its parent for ever, but the list of those who wait.
        """
        span: Span = trace.INVALID_SPAN
        if trace.get_current_span().is_recording():
            span = self._tracer.start_span(name, attributes={"acquit.commands": commands})
            self._waiting[id(span)] = span
        waiting = _WAITING.set(self._waiting)
        outside = otel.attach(otel.Context())
        try:
            yield span
        except Exception as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            otel.detach(outside)
            _WAITING.reset(waiting)
            self._waiting.pop(id(span), None)
            span.end()
