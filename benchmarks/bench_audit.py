"""The audit of the books alone: time and memory, in small books and in large ones.

The books are written by bulk inserts. Memory should be the same in either: nothing of an audit may
grow with the books.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from benchmarks.bench_verify import sample
from benchmarks.bulkbooks import grown
from benchmarks.harness import Report, Sample, figure, memory_times, rounds


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--audited", type=int, nargs="+", default=(50_000, 1_000_000))


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match small books and large ones, audited once each: the large ones take minutes."""
    sizes = options.audited if not report.quick else (1_000, 4_000)
    with tempfile.TemporaryDirectory() as scratch:
        contestants: dict[str, Callable[[], Awaitable[Sample]]] = {}
        for size in sizes:
            url = f"sqlite:///{Path(scratch) / f'{size}.db'}"
            began = time.perf_counter()
            made = await grown(url, size)
            report.note(f"{made:,} postings inserted in {figure(time.perf_counter() - began)} s")
            contestants[f"{size:,}"] = partial(sample, url, "audit")
        done = await rounds(contestants, 1, report.say)
        first, *others = contestants
        report.match("audit, postings in the books", done, first, "postings")
        for other in others:
            said = f"memory at its most {memory_times(done, other, first)} times that of {first}"
            report.note(f"audit, {other} postings: {said}")
