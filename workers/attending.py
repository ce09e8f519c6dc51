"""What the health of a worker depends on: the books, Temporal, and its own pollers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.service import RPCError

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import revision_of
from adapters.temporal.reach import namespace_of
from workers.health import WITHIN_S, NotReady

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from temporalio.worker import Worker

    from workers.health import Health
    from workers.runner import Services
    from workers.settings import Settings


def attend(health: Health, services: Services, settings: Settings, closing: AsyncExitStack) -> None:
    """Register the writer as a part of the health, the books and Temporal as dependencies.

    The webhook endpoint stays in service when Temporal does not answer: it keeps what rails report,
    and the outbox brings it to the drivers later.
    """
    # A connection of its own: while work holds all others, the books are busy and not away.
    engine = books_engine(settings.books_url(services.stack.record), pool_size=1)
    closing.push_async_callback(engine.dispose)

    async def books() -> str:
        revision = await revision_of(engine)
        if not revision.fits:
            raise NotReady(str(revision))
        return str(revision)

    async def temporal() -> str:
        try:
            found = await namespace_of(services.client, timedelta(seconds=WITHIN_S))
        except RPCError as error:
            raise NotReady(error.status.name.lower()) from None
        return f"namespace {found.name}"

    health.part("writer", lambda: services.stack.writer.alive)
    health.dependency("books", books)
    health.dependency("temporal", temporal, needed=health.role != "api")


def attend_worker(health: Health, worker: Worker) -> None:
    """Register one poller: a part that must not die, and that is ready once it polls."""

    async def polling() -> str:
        if not worker.is_running:
            raise NotReady("does not poll")
        return "polls"

    health.part(f"poller {worker.task_queue}", lambda: not worker.is_shutdown)
    health.dependency(f"queue {worker.task_queue}", polling)
