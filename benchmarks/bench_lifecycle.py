"""Whole lifecycles under load: Acquit, and three other ways to drive the same installments.

Everybody boards a loan, reminds, debits, receives the delivery report and the bank line, and ends;
nothing waits for a date. `acquit` drives by workflows on a dev server. `bare` is a workflow with as
many activities on the same server, which does nothing and keeps no books: the floor of the engine.
`sql` is a task of asyncio for each installment, written by hand, on the same books with the same
activities: it forgets everything when the process dies. `dbos` is the same loop as durable
workflows of DBOS on the same PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import Client

from activities.subjects import SubjectActivities
from adapters.sql.schema.rights import books_id
from adapters.temporal.client import make_client
from adapters.temporal.drivers import TemporalDrivers
from adapters.temporal.worker import build_worker, debit_role, workflow_role
from benchmarks.bare import bare_worker, close_bare
from benchmarks.durable import DurableDrivers, durable, ended
from benchmarks.harness import Report, Sample, percentile, rounds, stretch
from benchmarks.loops import LoopDrivers
from benchmarks.world import OPEN_RAIL, World, world
from sandbox.devserver import SANDBOX_FLAGS, DevServer, DevServerOptions
from sandbox.postgres import LocalPostgres
from sandbox.serverbinary import find_server
from workflows import names

Close = Callable[[str], Awaitable[None]]
Driving = Callable[[World], AbstractAsyncContextManager[Close]]
_GIVE_UP_S = 900.0


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--installments", type=int, default=200, help="of each contestant")
    parser.add_argument("--in-flight", type=int, default=64, help="installments at once")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match the four."""
    count = report.size(options.installments, 8)
    report.note(
        f"{count} installments for each contestant and round, {options.in_flight} in flight; "
        "the books of everybody on one PostgreSQL with fsync, the dev server on a file of its own"
    )
    async with AsyncExitStack() as closing:
        scratch = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        postgres = await closing.enter_async_context(LocalPostgres(os.environ, durable=True))
        report.note(f"PostgreSQL {postgres.version}")
        flags = DevServerOptions(db_file=scratch / "temporal.db", dynamic_config=SANDBOX_FLAGS)
        binary = await find_server(os.environ, report.say)
        server = await closing.enter_async_context(DevServer(binary, flags))
        client = await make_client(server.address, server.namespace)
        await closing.enter_async_context(durable(await postgres.create_database()))
        match = _Match(client, postgres, count, options.in_flight)
        contestants = {
            "acquit": lambda: match.on_books(match.temporal),
            "bare workflow": match.bare,
            "SQL by hand": lambda: match.on_books(by_loops),
            "DBOS": lambda: match.on_books(by_dbos),
        }
        done = await rounds(contestants, report.rounds, report.say)
    report.match("Lifecycles", done, "acquit", "installments")


class _Match:
    """Runs contestants, each on books of its own; ids never repeat."""

    def __init__(self, client: Client, postgres: LocalPostgres, count: int, at_once: int) -> None:
        self._client, self._postgres = client, postgres
        self._count, self._at_once = count, at_once
        self._runs = 0

    async def bare(self) -> Sample:
        """Workflows that do nothing."""
        async with bare_worker(self._client) as bank:

            async def close(name: str) -> None:
                await close_bare(self._client, name)

            sample = await self._timed(close)
        if bank.performed != 2 * self._count:
            sample.wrong = f"{bank.performed} activities for {self._count} workflows"
        return sample

    async def on_books(self, driving: Driving) -> Sample:
        """Installments closed on real books, by whatever drives them; audited afterwards."""
        url = await self._postgres.create_database()
        async with world(url) as made:
            async with driving(made) as close:
                sample = await self._timed(close)
            sample.more["commits"] = made.books.counters.commits / self._count
            sample.more["statements"] = made.books.counters.statements / self._count
            sample.wrong = await made.faults(self._count)
        await self._postgres.drop_database(url)
        return sample

    @asynccontextmanager
    async def temporal(self, made: World) -> AsyncIterator[Close]:
        """By workflows, as in production; worker and books in this process."""
        drivers = TemporalDrivers(
            self._client, made.queries, made.clock, partial(books_id, made.engine)
        )
        debits, items = made.debits, made.items
        subjects = SubjectActivities(made.queries, made.books, made.books.for_drivers())
        small: list[Callable[..., Any]] = [
            items.remind,
            items.review,
            subjects.ask,
            subjects.look,
        ]
        at_rail = [debits.present, debits.inquire]
        async with (
            build_worker(self._client, workflow_role(), small),
            build_worker(self._client, debit_role(OPEN_RAIL.name), at_rail),
            made.driven(drivers),
        ):

            async def close(name: str) -> None:
                view = await made.close(name)
                await self._client.get_workflow_handle(names.driver_id(view)).result()

            yield close

    async def _timed(self, close: Close) -> Sample:
        self._runs += 1
        gate, took = asyncio.Semaphore(self._at_once), list[float]()

        async def one(name: str) -> None:
            async with gate:
                began = time.perf_counter()
                await close(name)
                took.append(time.perf_counter() - began)

        with stretch() as whole:
            async with asyncio.timeout(_GIVE_UP_S), asyncio.TaskGroup() as group:
                for number in range(self._count):
                    group.create_task(one(f"R{self._runs}-{number:05d}"))
        more = {"p50, s": percentile(took, 50), "p99, s": percentile(took, 99)}
        return Sample(self._count, whole.seconds, whole.cpu, more)


@asynccontextmanager
async def by_loops(made: World) -> AsyncIterator[Close]:
    """By tasks of this process."""
    drivers = LoopDrivers(made)
    async with made.driven(drivers):

        async def close(name: str) -> None:
            await made.close(name)
            await drivers.ended(name)

        yield close


@asynccontextmanager
async def by_dbos(made: World) -> AsyncIterator[Close]:
    """By durable workflows of DBOS."""
    async with made.driven(DurableDrivers(made)):

        async def close(name: str) -> None:
            await made.close(name)
            await ended(name)

        yield close
