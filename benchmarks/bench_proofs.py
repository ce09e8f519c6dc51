"""Checkpoints and proofs: time and memory, in small books and in large ones, next to bare reading.

The books are written by bulk inserts. `rows` reads the rows of the journal and makes nothing of
them, `hashes` chains the bytes of the items from a flat file and does nothing else: what the rest
takes beyond both is decoding and comparing. `against` verifies everything.
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

STEPS = ("rows", "hashes", "seal", "seal again", "prove", "against")


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--proven", type=int, nargs="+", default=(100_000, 1_000_000))


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match the steps in each of the books, and each step in small books and in large ones.

    One round, in the order of the steps: the first checkpoint can be made once.
    """
    sizes = options.proven if not report.quick else (1_000, 4_000)
    with tempfile.TemporaryDirectory() as scratch:
        urls: dict[int, str] = {}
        for size in sizes:
            urls[size] = f"sqlite:///{Path(scratch) / f'{size}.db'}"
            began = time.perf_counter()
            made = await grown(urls[size], size)
            report.note(f"{made:,} postings inserted in {figure(time.perf_counter() - began)} s")
        contestants: dict[str, Callable[[], Awaitable[Sample]]] = {
            _named(step, size): partial(sample, url, step)
            for size, url in urls.items()
            for step in STEPS
        }
        done = await rounds(contestants, 1, report.say)
    for size in sizes:
        mine = [
            {name: it for name, it in one.items() if name.endswith(f", {size:,}")} for one in done
        ]
        for base in ("rows", "hashes"):
            title = f"{size:,} postings in the books, next to {base}"
            report.match(title, mine, _named(base, size), "postings")
    for step in STEPS:
        few, many = _named(step, sizes[0]), _named(step, sizes[-1])
        said = f"memory at its most {memory_times(done, many, few)} times that of {few}"
        report.note(f"{many}: {said}")


def _named(step: str, size: int) -> str:
    return f"{step}, {size:,}"
