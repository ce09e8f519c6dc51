"""One round on books with many open installments, in a process of its own: prints figures as JSON.

A new process each time: its memory and its cold cache are what a worker has after a restart.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil
from sqlalchemy import event
from temporalio.testing import ActivityEnvironment

from activities.sweeps import SweepActivities, SweepOrder
from adapters.sql.engine import books_engine
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import OutboxRelay
from benchmarks.bench_ledger import confirmation, intent
from benchmarks.harness import percentile
from benchmarks.world import RULES, TENANT
from domain.kernel.change import Applied

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True)
class DayClock:
    """Noon of one day, and on from there: what is due that day is due now."""

    noon: datetime
    began: float

    def now(self) -> datetime:
        """Noon and the seconds since this process began."""
        return self.noon + timedelta(seconds=time.monotonic() - self.began)


class Meter:
    """Counts statements and the time that the database takes for them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.statements, self.seconds = 0, 0.0
        self._began = 0.0
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        event.listen(engine.sync_engine, "after_cursor_execute", self._after)

    def _before(self, *_: Any) -> None:  # noqa: ANN401
        self._began = time.perf_counter()

    def _after(self, *_: Any) -> None:  # noqa: ANN401
        self.statements += 1
        self.seconds += time.perf_counter() - self._began


async def main() -> None:
    """Debit some loans that are due, one command at a time; then sweep the next day, twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--noon", type=datetime.fromisoformat, required=True)
    parser.add_argument("--loans", nargs="+", required=True, help="due that day")
    options = parser.parse_args()
    engine = books_engine(options.database)
    clock = DayClock(options.noon, time.monotonic())
    meter = Meter(engine)
    async with SqlBooks(engine, clock, RULES) as books:
        steps = await _steps(books, meter, options.loans)
        relay = OutboxRelay(engine, clock, {})
        nothing: Any = None
        queries = SqlQueries(engine, clock, RULES)
        tomorrow = DayClock(options.noon + timedelta(days=1), time.monotonic())
        async with SqlBooks(engine, tomorrow, RULES) as later:
            sweeps = SweepActivities(
                later, queries, {}, SqlArchive(engine, tomorrow), relay, nothing, tomorrow
            )
            order = SweepOrder(TENANT, tomorrow.noon.date())
            swept = await _swept(sweeps, order, meter, "sweep")
            again = await _swept(sweeps, order, meter, "second sweep")
    await engine.dispose()
    memory = {"MiB resident": psutil.Process().memory_info().rss / 2**20}
    sys.stdout.write(json.dumps({**steps, **swept, **again, **memory}) + "\n")


async def _steps(books: SqlBooks, meter: Meter, names: list[str]) -> dict[str, float]:
    """Intend and confirm one debit after the other; the first warms connection and statements."""
    took, started = list[float](), 0.0
    for index, name in enumerate(random.Random(1).sample(names, len(names))):  # noqa: S311
        if index == 1:
            meter.statements, meter.seconds, started = 0, 0.0, time.process_time()
        began = time.perf_counter()
        answer = await books.apply(intent(name))
        if not isinstance(answer, Applied):
            raise TypeError(f"not intended: {answer}")
        await books.apply(confirmation(answer))
        took.append((time.perf_counter() - began) / 2)
    commands = 2 * (len(names) - 1)
    return {
        "commands": commands,
        "cpu": time.process_time() - started,
        "ms a command": 1000 * percentile(took[1:], 50),
        "SQL ms a command": 1000 * meter.seconds / commands,
        "statements a command": meter.statements / commands,
    }


async def _swept(
    sweeps: SweepActivities, order: SweepOrder, meter: Meter, name: str
) -> dict[str, float]:
    meter.statements, meter.seconds = 0, 0.0
    began = time.perf_counter()
    rolled = await ActivityEnvironment().run(sweeps.roll, order)
    if rolled.failed:
        raise RuntimeError(f"{rolled.failed} loans were not rolled")
    return {
        f"{name}, loans": rolled.loans,
        f"{name}, s": time.perf_counter() - began,
        f"{name}, SQL s": meter.seconds,
        f"{name}, statements": meter.statements,
    }


if __name__ == "__main__":
    asyncio.run(main())
