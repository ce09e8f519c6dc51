"""Reads a whole journal back in a process of its own: prints figures as JSON.

A new process each time: its greatest memory is what that one reading took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

import psutil

from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from benchmarks.machine import most_kib
from benchmarks.world import RULES
from workers.clock import WallClock


async def main() -> None:
    """Verify or audit the books, or stream every posting as an export does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--what", choices=("verify", "journal", "audit"), required=True)
    options = parser.parse_args()
    engine = books_engine(options.database)
    queries = SqlQueries(engine, WallClock(), RULES)
    before = psutil.Process().memory_info().rss
    began, spent = time.perf_counter(), time.process_time()
    wrong = ""
    if options.what == "verify":
        report = await queries.verify()
        postings, wrong = report.postings, "; ".join(report.faults[:1])
    elif options.what == "audit":
        audited = await SqlSelfAudit(engine, WallClock(), RULES).audit()
        postings = audited.chain.postings
        wrong = "; ".join(finding.text for finding in audited.findings[:1])
    else:
        postings = 0
        async for _ in queries.journal():
            postings += 1
    figures = {
        "postings": postings,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - spent,
        "MiB before": before / 2**20,
        "MiB most": most_kib() / 2**10,
    }
    await engine.dispose()
    sys.stdout.write(json.dumps({**figures, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
