"""The write side: commands queue up, and one task per process applies them in groups."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, tzinfo
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.write.deciding import DOMAIN, Domain
from adapters.sql.write.observer import Observer, Origin
from adapters.sql.write.unit import Counters
from adapters.sql.write.writer import GroupWriter, Result
from domain.access.preview import Preview
from domain.errors import InvalidInput
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command, admitted
from domain.loan.aggregate import Rulebook
from ports.clock import Clock

GROUP_MAX = 256
"""Commands of one transaction: enough to share the cost of a commit, few enough to answer soon."""
QUEUE_MAX = 4_096
"""Commands that may wait: some seconds of work. Callers of more are asked to come again."""


@dataclass(frozen=True, slots=True)
class _Queued:
    """A command, the future that gets its answer, and the trace it belongs to.

    `expected`: the digest of the preview that it must do as; empty where it may do anything.
    """

    command: Command
    future: asyncio.Future[Result]
    origin: Origin
    from_driver: bool
    expected: str = ""


class SqlBooks:
    """Implements `ports.books.BooksWithDoors` on SQLite and PostgreSQL.

    A group never waits to fill: it is what was queued while the one before was committed. Use it
    as an asynchronous context, or call `close`: what is queued is answered first.

    Args:
        engine: made by `books_engine`.
        clock: gives `at`, once for each group.
        rules: calendars and rails for the decisions.
        domain: the pure functions that decide; tests put others in their place.
        kick: called after each commit that left messages; see `OutboxRelay.kick`.
        zone: the books' own time zone, in which a posting's day is named.
        group_max: most commands in one transaction.
        observer: is informed of what the writer does, for traces and metrics.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        rules: Rulebook,
        *,
        domain: Domain = DOMAIN,
        kick: Callable[[], None] | None = None,
        zone: tzinfo = UTC,
        group_max: int = GROUP_MAX,
        observer: Observer | None = None,
    ) -> None:
        self._writer = GroupWriter(engine, clock, rules, domain, zone, observer)
        self._observer = observer
        self._kick = kick
        self._group_max = group_max
        self._queue: asyncio.Queue[_Queued | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def counters(self) -> Counters:
        """Commits, statements, groups, commands and retries since the start."""
        return self._writer.counters

    @property
    def alive(self) -> bool:
        """Whether commands are answered: false when the writer ended by a fault."""
        return self._task is None or not self._task.done()

    async def __aenter__(self) -> Self:
        """Nothing is started before the first command."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Answer what is queued, then stop."""
        await self.close()

    async def close(self) -> None:
        """Answer what is queued, then stop the writer. Later commands are refused loudly."""
        self._closed = True
        if self._task is not None:
            self._queue.put_nowait(None)
            await self._task
            self._task = None

    async def apply(self, command: Command) -> Applied | Refused:
        """See `ports.books.Books.apply`.

        Raises:
            ConnectionError: the database was away or busy for too long, or too many commands wait;
                apply again, same id.
        """
        return await self._apply(command, from_driver=False)

    def for_drivers(self) -> "DriverDoor":
        """See `ports.books.BooksWithDoors.for_drivers`."""
        return DriverDoor(self)

    async def preview(self, command: Command) -> Preview | Applied | Refused:
        """See `ports.previews.Previews.preview`."""
        result = await self._writer.preview(admitted(command))
        if isinstance(result, Exception):
            raise result
        return result

    async def apply_as_previewed(self, command: Command, digest: str) -> Applied | Refused:
        """See `ports.previews.Previews.apply_as_previewed`."""
        return await self._apply(command, from_driver=False, expected=digest)

    async def _apply(
        self, command: Command, *, from_driver: bool, expected: str = ""
    ) -> Applied | Refused:
        result = await self._enqueue(
            command, self._origin(1), from_driver=from_driver, expected=expected
        )
        if isinstance(result, Exception):
            raise result
        return result

    async def apply_many(self, commands: Sequence[Command]) -> Sequence[Result]:
        """See `ports.books.Books.apply_many`."""
        return await self._apply_many(commands, from_driver=False)

    async def _apply_many(
        self, commands: Sequence[Command], *, from_driver: bool
    ) -> Sequence[Result]:
        origin = self._origin(len(commands))
        results: list[Result] = []
        # In slices, so that a batch alone never fills the queue.
        slice_max = QUEUE_MAX // 2
        for first in range(0, len(commands), slice_max):
            some = commands[first : first + slice_max]
            results += await asyncio.gather(
                *(self._enqueue(command, origin, from_driver=from_driver) for command in some)
            )
        return results

    async def rehearse(self, commands: Sequence[Command]) -> Sequence[Result]:
        """What a bounded batch would be answered as the books are now; nothing is written.

        Another process may write before the batch is applied, which then may be answered otherwise.

        Raises:
            SQLAlchemyError: the database is away.
        """
        return await self._writer.rehearse(commands)

    def _origin(self, commands: int) -> Origin:
        return {} if self._observer is None else self._observer.origin(commands)

    def _enqueue(
        self, command: Command, origin: Origin, *, from_driver: bool, expected: str = ""
    ) -> asyncio.Future[Result]:
        if self._closed:
            raise RuntimeError("the books are closed")
        if self._task is None:
            # A context of its own: the writer outlives the caller it is born under.
            self._task = asyncio.create_task(self._run(), name="books-writer", context=Context())
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        try:
            command = admitted(command)
        except InvalidInput as refused:
            future.set_result(refused)
            return future
        if self._queue.qsize() >= QUEUE_MAX:
            busy = f"{QUEUE_MAX} commands wait for the books; apply again with the same id"
            future.set_result(ConnectionError(busy))
            return future
        self._queue.put_nowait(_Queued(command, future, origin, from_driver, expected))
        return future

    async def _run(self) -> None:
        """Take what is queued, answer it, until `close` puts the end into the queue."""
        while (first := await self._queue.get()) is not None:
            group, ended = [first], False
            while len(group) < self._group_max and not self._queue.empty():
                item = self._queue.get_nowait()
                if item is None:
                    ended = True
                    break
                group.append(item)
            await self._answer(group)
            if ended:
                return

    async def _answer(self, group: Sequence[_Queued]) -> None:
        messages, observer = self.counters.messages, self._observer
        commands = [item.command for item in group]
        origins: dict[str, Origin] = {}
        for item in group:
            if item.origin:
                origins.setdefault(item.command.id, item.origin)
        by_drivers = frozenset(item.command.id for item in group if item.from_driver)
        expected = {item.command.id: item.expected for item in group if item.expected}
        observed = observer.group(list(origins.values())) if observer else nullcontext()
        try:
            with observed:
                results = await self._writer.answer(commands, origins, by_drivers, expected)
        except Exception as error:  # noqa: BLE001  (callers wait: they must be notified of any fault)
            results = [error for _ in group]
        for item, result in zip(group, results, strict=True):
            if not item.future.done():
                item.future.set_result(result)
        if observer is not None:
            observer.answered(commands, results)
        if self._kick is not None and self.counters.messages > messages:
            self._kick()


class DriverDoor:
    """The books as drivers reach them: see `ports.books.BooksWithDoors.for_drivers`."""

    def __init__(self, books: SqlBooks) -> None:
        self._books = books

    async def apply(self, command: Command) -> Applied | Refused:
        """See `SqlBooks.apply`."""
        return await self._books._apply(command, from_driver=True)  # noqa: SLF001

    async def apply_many(self, commands: Sequence[Command]) -> Sequence[Result]:
        """See `SqlBooks.apply_many`."""
        return await self._books._apply_many(commands, from_driver=True)  # noqa: SLF001
