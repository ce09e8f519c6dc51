"""Boards a tape in a process of its own, as `acquit board` does: prints figures as JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.report.tape import read_tape
from benchmarks.machine import ROOT, most_kib
from cli.boarding import board_all, forecast_by
from workers.compose import open_stack
from workers.settings import Settings


async def main() -> None:
    """Read, judge and board."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--tape", type=Path, required=True)
    options = parser.parse_args()
    products = read_products(ROOT / "examples" / "products")
    began, spent = time.perf_counter(), time.process_time()
    report = read_tape(options.tape, CANONICAL_MAP, products, load_calendar)
    async with open_stack(Settings(home=options.home)) as stack:
        forecast = await forecast_by(stack, report)
        if forecast.report.fault_count:
            raise SystemExit(str(forecast.report.faults[0]))
        boarded = await board_all(stack, forecast.report.rows)
    figures = {
        "boarded": boarded.boarded,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - spent,
        "MiB most": most_kib() / 2**10,
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
