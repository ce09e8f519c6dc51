"""Statement files: cost of a line and memory, in small files and in large ones.

A file is kept as it comes, surveyed, and booked into real books, each in a process of its own.
Memory should be the same for either size, and so should the cost of a line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from adapters.sql.schema.migrate import upgrade
from benchmarks.harness import Report, Sample, figure, memory_times, rounds
from benchmarks.machine import ROOT
from domain.statement.statement import LineItem, Statement, StatementLine
from tests.adapters.statements import camt_writer

LINES = (2_000, 40_000)
QUICK = (500, 2_000)
WHATS = ("keep", "survey", "book")
ACCOUNT = "ACCT-BENCH"


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--lines", type=int, nargs="+", default=LINES)


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match small files and large ones, through each of their steps."""
    sizes = options.lines if not report.quick else QUICK
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        await upgrade(f"sqlite:///{folder / 'books.db'}")
        for size in sizes:
            written = write(folder / f"{size}.xml", size)
            report.note(f"{size:,} lines are a file of {figure(written / 2**20)} MiB")
        for what in WHATS:
            contestants: dict[str, Callable[[], Awaitable[Sample]]] = {
                f"{size:,}": partial(sample, folder, size, what) for size in sizes
            }
            done = await rounds(contestants, report.rounds, report.say)
            first, *others = contestants
            report.match(f"{what}, lines in the file", done, first, "lines")
            for other in others:
                said = (
                    f"memory at its most {memory_times(done, other, first)} times that of {first}"
                )
                report.note(f"{what}, {other} lines: {said}")


def write(path: Path, lines: int) -> int:
    """Write a statement of so many payments that nobody expects; its size in bytes."""
    today = datetime.now(UTC).date()
    statement = Statement(
        "S1",
        ACCOUNT,
        "CNY",
        1,
        today,
        0,
        sum(_minor(number) for number in range(lines)),
        tuple(_line(number, today) for number in range(lines)),
        period=(today, today),
    )
    with path.open("w", encoding="utf-8") as file:
        file.writelines(camt_writer.parts((statement,)))
    return path.stat().st_size


def _minor(number: int) -> int:
    return 100 + number % 1_000


def _line(number: int, day: date) -> StatementLine:
    minor = _minor(number)
    item = LineItem(f"E{number}", None, None, minor)
    return StatementLine("", ACCOUNT, day, day, minor, "CNY", f"R{number}", items=(item,))


async def sample(folder: Path, lines: int, what: str) -> Sample:
    """One step of one file, on new books, in a new process."""
    books = folder / "sample.db"
    shutil.copy(folder / "books.db", books)
    words = ["--database", f"sqlite:///{books}", "--file", str(folder / f"{lines}.xml")]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.filesworker", *words, "--what", what),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    if child.returncode:
        return Sample(1, 1.0, wrong=f"exit code {child.returncode}")
    measured = json.loads(out)
    wrong = "" if measured["lines"] == lines else f"{measured['lines']} lines"
    more = {name: measured[name] for name in ("MiB before", "MiB most")}
    return Sample(lines, measured["seconds"], {"ours": measured["cpu"]}, more, wrong)
