"""Run benchmarks: `python -m benchmarks [NAME ...] [--quick] [--pairs N] [--json FOLDER]`.

Run it from the root of the checkout; without a name all are run, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import sys
from pathlib import Path

from benchmarks.harness import Report
from benchmarks.machine import machine

NAMES = (
    "cost",
    "lifecycle",
    "ledger",
    "verify",
    "files",
    "matching",
    "boarding",
    "payouts",
    "audit",
    "proofs",
    "wakeup",
    "openset",
    "startup",
    "arithmetic",
)


def main() -> int:
    """Run what is asked for; 1 when a result was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="one small round of everything")
    parser.add_argument("--pairs", type=int, default=5, help="rounds; each runs every contestant")
    parser.add_argument("--json", type=Path, help="folder for the figures, one file each")
    modules = {name: importlib.import_module(f"benchmarks.bench_{name}") for name in NAMES}
    for name, module in modules.items():
        module.add_options(parser.add_argument_group(name))
    options = parser.parse_args()
    for name in options.names:
        if name not in NAMES:
            parser.error(f"no benchmark {name}: {', '.join(NAMES)}")
    logging.disable(logging.INFO)
    wrong = 0
    for name in options.names or NAMES:
        report = Report(name, options.quick, options.pairs)
        facts = machine()
        sys.stdout.write(f"\n## {name}\n\n")
        sys.stdout.write("".join(f"- {key}: {value}\n" for key, value in facts.items()))
        asyncio.run(modules[name].run(options, report))
        for line in report.wrong:
            sys.stdout.write(f"WRONG: {line}\n")
        wrong += len(report.wrong)
        if options.json is not None:
            options.json.mkdir(parents=True, exist_ok=True)
            report.save(options.json / f"{name}.json", facts)
    sys.stdout.flush()
    return int(wrong > 0)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Threads of the Temporal SDK may outlive the event loop: see `cli.tree.main`.
    os._exit(code)
