"""A payout of many items: cost and memory of the request against a bare copy of the same rows.

Each runs on new SQLite books with so many open items of one payee, in a process of its own. Bare is
one INSERT ... SELECT and one UPDATE; the request does these too, checks that each payment is
proven, reads the items back for their digest, and writes payout, moves and messages. Memory should
be the same for either size.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from adapters.sql.schema.migrate import upgrade
from benchmarks.harness import Report, Sample, memory_times, ratio, rounds
from benchmarks.machine import ROOT
from benchmarks.payoutworker import fill

ITEMS = (10_000, 100_000)
QUICK = (500, 2_000)
BARE, OURS = "bare copy", "payout"


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--items", type=int, nargs="+", default=ITEMS, help="items of the payouts")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match small payouts and large ones with the bare copy."""
    sizes = options.items if not report.quick else QUICK
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        contestants: dict[str, Callable[[], Awaitable[Sample]]] = {}
        for size in sizes:
            books = folder / f"{size}.db"
            await upgrade(f"sqlite:///{books}")
            fill(books, size)
            for kind in (BARE, OURS):
                contestants[f"{kind} of {size:,}"] = partial(sample, books, size, kind)
        done = await rounds(contestants, report.rounds, report.say)
        report.match("Requesting a payout", done, f"{BARE} of {sizes[0]:,}", "items")
        for size in sizes:
            mine, theirs = f"{OURS} of {size:,}", f"{BARE} of {size:,}"
            report.note(f"{mine}: {ratio(done, mine, theirs)} times as fast as the {theirs}")
        small, large = (f"{OURS} of {size:,}" for size in (sizes[0], sizes[-1]))
        said = f"memory at its most {memory_times(done, large, small)} times that of {small}"
        report.note(f"{large}: {said}")


async def sample(books: Path, items: int, kind: str) -> Sample:
    """Request or copy once, on a copy of the books, in a new process."""
    copy = books.with_suffix(".run.db")
    shutil.copy(books, copy)
    words = ["-m", "benchmarks.payoutworker", "--books", str(copy)]
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        *(["--bare"] if kind == BARE else []),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await child.communicate()
    for left in books.parent.glob("*.run.db*"):
        left.unlink()
    if child.returncode:
        return Sample(1, 1.0, wrong=error.decode()[-200:])
    measured = json.loads(out)
    wrong = "" if measured["items"] == items else f"{measured['items']} items"
    more = {"MiB most": measured["MiB most"]}
    return Sample(items, measured["seconds"], {"ours": measured["cpu"]}, more, wrong)
