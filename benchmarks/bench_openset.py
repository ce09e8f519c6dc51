"""Many open installments: what a step and a day's sweep cost among few and among many.

Loans fall due on ten days in turn, so that a day's sweep has a tenth of them to do. Each round goes
on one day, on all books in turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.schema.tables import outbox
from adapters.sql.write.books import SqlBooks
from benchmarks.harness import Report, Sample, figure, rounds
from benchmarks.machine import ROOT
from benchmarks.openworker import DayClock
from benchmarks.world import RULES, SILENT, loan
from domain.kernel.change import Applied
from domain.loan.boarding import BoardLoan
from sandbox.postgres import LocalPostgres

DAYS = 10
_CHUNK = 2_000


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--open", type=int, nargs="+", default=(1_000, 10_000, 100_000))
    parser.add_argument("--steps", type=int, default=50, help="debits in each round")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match the sizes."""
    sizes = options.open if not report.quick else (200, 400)
    async with AsyncExitStack() as closing:
        postgres = await closing.enter_async_context(LocalPostgres(os.environ, durable=True))
        report.note(f"PostgreSQL {postgres.version} with fsync, all books on it")
        many: dict[str, _Many] = {}
        for size in sizes:
            made = _Many(await postgres.create_database(), size, report.size(options.steps, 5))
            began = time.perf_counter()
            await made.build()
            report.note(f"{size:,} loans boarded in {figure(time.perf_counter() - began)} s")
            many[f"{size:,} open"] = made
        contestants: dict[str, Callable[[], Awaitable[Sample]]] = {
            name: made.sample for name, made in many.items()
        }
        done = await rounds(contestants, min(report.rounds, DAYS - 1), report.say)
        for name, made in many.items():
            if fault := await made.fault():
                report.wrong.append(f"{name}: {fault}")
    report.match("Open installments", done, next(iter(many)), "commands")


class _Many:
    """Books with so many open installments."""

    def __init__(self, url: str, size: int, steps: int) -> None:
        self._url, self._size, self._steps = url, size, steps
        self._first = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        self._day = 0
        self._swept = 0

    async def build(self) -> None:
        """Board all of them; their drivers count as opened."""
        await upgrade(self._url)
        engine = books_engine(self._url)
        clock = DayClock(self._first, time.monotonic())
        async with SqlBooks(engine, clock, RULES) as books:
            for start in range(0, self._size, _CHUNK):
                numbers = range(start, min(start + _CHUNK, self._size))
                answers = await books.apply_many([self._loan(number) for number in numbers])
                if not all(isinstance(answer, Applied) for answer in answers):
                    raise TypeError("not boarded")
        async with engine.begin() as conn:
            await conn.execute(update(outbox).values(delivered_at=self._first))
        await engine.dispose()

    async def sample(self) -> Sample:
        """A day in a process of its own."""
        noon = self._first + timedelta(days=self._day)
        due = range(self._day % DAYS, self._size, DAYS)
        stride = max(1, len(due) // (self._steps + 1))
        names = [_name(number) for number in due[::stride]][: self._steps + 1]
        self._day += 1
        words = ["--database", self._url, "--noon", noon.isoformat(), "--loans", *names]
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.openworker",
            *words,
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await child.communicate()
        if child.returncode:
            return Sample(1, 1.0, wrong=f"exit code {child.returncode}")
        figures: dict[str, float] = json.loads(out)
        commands, spent = figures.pop("commands"), figures.pop("cpu")
        self._swept += int(figures["sweep, loans"])
        wrong = "" if figures["second sweep, loans"] == 0 else "a day was swept twice"
        return Sample(
            commands, commands * figures["ms a command"] / 1000, {"worker": spent}, figures, wrong
        )

    async def fault(self) -> str:
        """The chain is whole and every loan is there once."""
        engine = books_engine(self._url)
        queries = SqlQueries(engine, DayClock(self._first, time.monotonic()), RULES)
        chain, counts = await queries.verify(), await queries.counts()
        await engine.dispose()
        if chain.faults:
            return chain.faults[0]
        found = sum(counts["installments"].values())
        return "" if found == self._size else f"{found} installments, not {self._size}"

    def _loan(self, number: int) -> BoardLoan:
        due = self._first.date() + timedelta(days=number % DAYS)
        return loan(_name(number), due, product=SILENT)


def _name(number: int) -> str:
    return f"L{number:07d}"
