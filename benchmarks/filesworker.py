"""Takes a statement file through one step in a process of its own: prints figures as JSON.

Time is that of the step, the greatest memory that of keeping the file and the step.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
from temporalio.testing import ActivityEnvironment

from activities.statements import StatementActivities, StatementOrder
from adapters.sql.engine import books_engine
from adapters.sql.read.archive import SqlArchive
from adapters.sql.write.books import SqlBooks
from adapters.statements.anyfile import StatementFileReader
from benchmarks.machine import most_kib
from benchmarks.world import RULES
from workers.clock import WallClock

PART = 64 * 1024


async def main() -> None:
    """Keep a file and read it back, or survey or book it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--what", choices=("keep", "survey", "book"), required=True)
    options = parser.parse_args()
    engine, clock = books_engine(options.database), WallClock()
    archive = SqlArchive(engine, clock)
    async with SqlBooks(engine, clock, RULES) as books:
        activities = StatementActivities(archive, StatementFileReader(), books)
        before = psutil.Process().memory_info().rss
        began, spent = time.perf_counter(), time.process_time()
        sha256 = await archive.keep("statement", _parts(options.file))
        order, environment = StatementOrder("bench", sha256), ActivityEnvironment()
        if options.what == "keep":
            async with archive.open(sha256) as source:
                lines = sum(piece.count(b"<Ntry>") for piece in source)
        else:
            began, spent = time.perf_counter(), time.process_time()
            if options.what == "survey":
                surveyed = await environment.run(activities.survey, order)
                lines = sum(one.lines for one in surveyed.statements)
            else:
                lines = (await environment.run(activities.book, order)).lines
        figures = {
            "lines": lines,
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - spent,
            "MiB before": before / 2**20,
            "MiB most": most_kib() / 2**10,
        }
    await engine.dispose()
    sys.stdout.write(json.dumps(figures) + "\n")


async def _parts(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(PART):
            yield part


if __name__ == "__main__":
    asyncio.run(main())
