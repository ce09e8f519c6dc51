"""Reading the whole journal back: cost of a posting and memory, in small books and in large ones.

Both books are written by the real door. Cost of a posting and memory should be the same in either:
nothing of a verification or an export may grow with the books.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.schema.tables import postings
from adapters.sql.write.books import SqlBooks
from benchmarks.bench_ledger import applied, confirmation, intent
from benchmarks.harness import Report, Sample, figure, memory_times, rounds
from benchmarks.machine import ROOT
from benchmarks.world import BENCH, RULES, SILENT, loan
from domain.loan.commands import BookLine, RecordOutcome
from domain.statement.statement import LineItem, StatementLine
from workers.clock import WallClock

_CHUNK_MOST = 500
_WHATS = ("verify", "journal")


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--postings", type=int, nargs="+", default=(30_000, 300_000))


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match small books and large ones, verified and exported."""
    sizes = options.postings if not report.quick else (1_000, 4_000)
    with tempfile.TemporaryDirectory() as scratch:
        urls: dict[int, str] = {}
        for size in sizes:
            urls[size] = f"sqlite:///{Path(scratch) / f'{size}.db'}"
            began = time.perf_counter()
            made = await _build(urls[size], size)
            report.note(f"{made:,} postings written in {figure(time.perf_counter() - began)} s")
        for what in _WHATS:
            contestants: dict[str, Callable[[], Awaitable[Sample]]] = {
                f"{size:,}": partial(sample, url, what) for size, url in urls.items()
            }
            done = await rounds(contestants, report.rounds, report.say)
            first, *others = contestants
            report.match(f"{what}, postings in the books", done, first, "postings")
            for other in others:
                said = (
                    f"memory at its most {memory_times(done, other, first)} times that of {first}"
                )
                report.note(f"{what}, {other} postings: {said}")


async def _build(url: str, size: int) -> int:
    """Loans of one installment, debited and proven by a bank line, until there are enough."""
    await upgrade(url)
    engine, today, made, found = books_engine(url), datetime.now(UTC).date(), 0, 0
    chunk = max(1, min(_CHUNK_MOST, size // 200))
    async with SqlBooks(engine, WallClock(), RULES) as books:
        while found < size:
            names = [f"L{number:07d}" for number in range(made, made + chunk)]
            await debited(books, names, today)
            made += chunk
            async with engine.connect() as conn:
                found = (
                    await conn.execute(select(func.count()).select_from(postings))
                ).scalar_one()
    await engine.dispose()
    return found


async def debited(books: SqlBooks, names: list[str], today: date) -> None:
    """Board loans of one installment, debit them and prove each debit by a bank line."""
    await applied(books, [loan(name, today, product=SILENT) for name in names])
    answers = await applied(books, [intent(name) for name in names])
    outcomes = [confirmation(answer) for answer in answers]
    await applied(books, outcomes)
    await applied(books, [_line(one, today) for one in outcomes])


def _line(outcome: RecordOutcome, day: date) -> BookLine:
    order_no, minor = outcome.order_no, outcome.outcome.executed_minor or 0
    line = StatementLine(
        id=f"{SILENT.account}/{day}/{order_no}",
        account=SILENT.account,
        booked_on=day,
        value_on=day,
        amount_minor=minor,
        currency="CNY",
        servicer_ref=outcome.outcome.bank_ref,
        items=(LineItem(order_no, None, None, minor),),
    )
    return BookLine(id=f"line/{line.id}", actor=BENCH, statement_id="S1", line=line)


async def sample(url: str, what: str) -> Sample:
    """One reading of books, in a process of its own."""
    words = ["--database", url, "--what", what]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.verifyworker", *words),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    if child.returncode:
        return Sample(1, 1.0, wrong=f"exit code {child.returncode}")
    measured = json.loads(out)
    more = {name: measured[name] for name in ("MiB before", "MiB most")}
    wrong = str(measured["wrong"])
    return Sample(measured["postings"], measured["seconds"], {"ours": measured["cpu"]}, more, wrong)
