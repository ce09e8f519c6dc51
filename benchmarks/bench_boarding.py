"""Boarding a tape: cost of a loan and memory, of loans that begin here and of loans in progress.

A tape of one-year loans is read, judged by the books and boarded on new SQLite books, each in a
process of its own. Loans in progress have six of their twelve installments behind them, as sums.
Memory should be the same for either size, and so should the cost of a loan.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from adapters.sql.schema.migrate import upgrade
from benchmarks.harness import Report, Sample, memory_times, rounds
from benchmarks.machine import ROOT
from domain.pricing.daycount import add_months

LOANS = (1_000, 10_000)
QUICK = (50, 200)
KINDS = ("new", "in progress")
_PERIODS, _PAID = 12, 6
_AS_OF = timedelta(days=1)
_LAST_DAY = 28


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--loans", type=int, nargs="+", default=LOANS, help="sizes of the tapes")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match small tapes and large ones, of both kinds of loans."""
    sizes = options.loans if not report.quick else QUICK
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        await upgrade(f"sqlite:///{folder / 'books.db'}")
        contestants: dict[str, Callable[[], Awaitable[Sample]]] = {}
        for size in sizes:
            for kind in KINDS:
                write(folder / f"{size} {kind}.csv", size, in_progress=kind != KINDS[0])
                contestants[f"{size:,} {kind}"] = partial(sample, folder, size, kind)
        done = await rounds(contestants, report.rounds, report.say)
        first, *others = contestants
        report.match("Boarding a tape", done, first, "loans")
        for other in others:
            said = f"memory at its most {memory_times(done, other, first)} times that of {first}"
            report.note(f"{other}: {said}")


def write(path: Path, loans: int, *, in_progress: bool) -> None:
    """Write a tape of so many loans of 1,200.00 over a year, with a control row."""
    today = datetime.now(UTC).date()
    due = _regular(today + timedelta(days=9))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        head = ["loan_id", "principal", "annual_rate", "periods", "disbursed_on", "product"]
        more = ["as_of", "holder", "evidence", "paid_through", "loans"] if in_progress else []
        rows.writerow([*head, *more])
        lent, past = add_months(due, -_PAID - 1), add_months(due, -1)
        if not in_progress:
            lent = add_months(due, -1)
        for number in range(loans):
            row = [f"B{number:07}", "1200.00", "12", _PERIODS, lent, "us-personal"]
            told = [today - _AS_OF, "former", "benchmark", past, ""] if in_progress else []
            rows.writerow([*row, *told])
        if in_progress:
            total = f"{1200 * loans}.00"
            rows.writerow(["TOTAL:USD", total, "", "", "", "", "", "", "", "", loans])


def _regular(day: date) -> date:
    """A day that every month has, at or after a day."""
    return day if day.day <= _LAST_DAY else add_months(day.replace(day=1), 1)


async def sample(folder: Path, loans: int, kind: str) -> Sample:
    """Board one tape on new books, in a new process."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    shutil.copy(folder / "books.db", home / "books.db")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.boardworker", "--home", str(home)),
        *("--tape", str(folder / f"{loans} {kind}.csv")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await child.communicate()
    if child.returncode:
        return Sample(1, 1.0, wrong=f"exit code {child.returncode}")
    measured = json.loads(out)
    wrong = "" if measured["boarded"] == loans else f"{measured['boarded']} boarded"
    more = {"MiB most": measured["MiB most"], "KiB a loan on disk": _kib(home) / loans}
    return Sample(loans, measured["seconds"], {"ours": measured["cpu"]}, more, wrong)


def _kib(home: Path) -> float:
    return sum(path.stat().st_size for path in home.glob("books.db*")) / 2**10
