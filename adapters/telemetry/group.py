"""Traces of commands, which the books answer in groups in a task of their own.

Each command has a span in its own trace, from the moment it is queued to its answer. The writer's
work on a group is a span in the trace of the command that was queued first, with the statements
under it, and it is linked to the span of every other command of the group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace import Link, Span, Status, StatusCode, Tracer

from adapters.telemetry.carriers import carrier, origin_of, under
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command
from ports.books import Books, BooksWithDoors


class TracedBooks:
    """`ports.books.Books` with a span for each command that belongs to a trace."""

    def __init__(self, books: Books, tracer: Tracer) -> None:
        self._books = books
        self._tracer = tracer

    async def apply(self, command: Command) -> Applied | Refused:
        """See `ports.books.Books.apply`."""
        with self._span(f"books {command.kind}", 1) as span:
            answer = await self._books.apply(command)
            span.set_attribute("acquit.refused", isinstance(answer, Refused))
            return answer

    async def apply_many(
        self, commands: Sequence[Command]
    ) -> Sequence[Applied | Refused | Exception]:
        """See `ports.books.Books.apply_many`."""
        with self._span("books batch", len(commands)) as span:
            answers = await self._books.apply_many(commands)
            span.set_attribute("acquit.refused", sum(isinstance(one, Refused) for one in answers))
            span.set_attribute("acquit.faults", sum(isinstance(one, Exception) for one in answers))
            return answers

    @contextmanager
    def _span(self, name: str, commands: int) -> Iterator[Span]:
        if not trace.get_current_span().is_recording():
            yield trace.INVALID_SPAN
            return
        with self._tracer.start_as_current_span(
            name,
            attributes={"acquit.commands": commands},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise


class TracedDoors(TracedBooks):
    """`ports.books.BooksWithDoors` with spans, whatever door a command comes in by."""

    def __init__(self, books: BooksWithDoors, tracer: Tracer) -> None:
        super().__init__(books, tracer)
        self._doors = books

    def for_drivers(self) -> Books:
        """See `ports.books.BooksWithDoors.for_drivers`."""
        return TracedBooks(self._doors.for_drivers(), self._tracer)


class GroupTraces:
    """The part of `adapters.sql.write.observer.Observer` that is about traces."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def origin(self, commands: int) -> Mapping[str, str]:
        """The span of the command, or of the batch, that is being handed in."""
        return carrier(batch=commands > 1)

    @contextmanager
    def group(self, origins: Sequence[Mapping[str, str]]) -> Iterator[None]:
        """A span under the first origin, linked to all others; none where nobody is traced."""
        named = [origin for held in origins if (origin := origin_of(held)[0]) is not None]
        if not named:
            yield
            return
        first, *others = {origin.span_id: origin for origin in named}.values()
        with self._tracer.start_as_current_span(
            "books group",
            under(first),
            links=[Link(other) for other in others],
            attributes={"acquit.commands": len(origins)},
        ):
            yield
