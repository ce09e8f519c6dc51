"""Matching lines with expectations: by sets, next to a bare join and to asking line by line.

The same rows in the same database, on SQLite and on PostgreSQL, each run in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from adapters.sql.schema.migrate import upgrade
from benchmarks.harness import Report, Sample, memory_times, rounds
from benchmarks.machine import ROOT
from benchmarks.matchworker import WHATS
from sandbox.postgres import LocalPostgres

_SMALL = 10


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--matched", type=int, default=100_000, help="lines, and expectations")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match the three ways on each database, and the memory of large and small runs."""
    size = options.matched if not report.quick else 2_000
    with tempfile.TemporaryDirectory() as scratch:
        async with AsyncExitStack() as closing:
            postgres = await closing.enter_async_context(LocalPostgres(os.environ))
            report.note(f"PostgreSQL {postgres.version}; {size:,} lines and as many expectations")
            urls = {
                "SQLite": f"sqlite:///{Path(scratch) / 'books.db'}",
                "PostgreSQL": await postgres.create_database(),
            }
            for url in urls.values():
                await upgrade(url)
            for name, url in urls.items():
                contestants: dict[str, Callable[[], Awaitable[Sample]]] = {
                    what: partial(_sample, url, what, size) for what in WHATS
                }
                small = f"sets, {size // _SMALL:,}"
                contestants[small] = partial(_sample, url, "sets", size // _SMALL)
                done = await rounds(contestants, report.rounds, report.say)
                report.match(f"{name}: lines a second", done, "one by one", "lines")
                more = memory_times(done, "sets", small)
                report.note(f"{name}: memory of this program {more} times that of {small} lines")


async def _sample(url: str, what: str, size: int) -> Sample:
    words = ["--database", url, "--what", what, "--size", str(size)]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.matchworker", *words),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    if child.returncode:
        return Sample(1, 1.0, wrong=f"exit code {child.returncode}")
    found = json.loads(out)
    more = {name: found[name] for name in ("fill s", "MiB most")}
    return Sample(found["units"], found["seconds"], {"ours": found["cpu"]}, more, found["wrong"])
