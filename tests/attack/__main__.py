"""Run an attack from the command line: `python -m tests.attack --histories 50000 --seed 1 --lies`.

Prints how many histories ended with each finding, and the first of each kind, shrunk, as a test.
"""

import argparse
import sys
import time
from collections import Counter

from tests.attack import driven
from tests.attack.histories import History, script, shrunk


def main() -> int:
    """Attack, and print what was found; 1 when anything was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--lies", action="store_true", help="rails and banks that say what is not so"
    )
    parser.add_argument("--shrink", action="store_true", help="print one script for each rule")
    parser.add_argument("--avoid", default="", help="steps, fates and values that are not drawn")
    parser.add_argument("--only", default="", help="print findings of rules that begin with this")
    parser.add_argument("--orders", type=int, default=1, help="orders of news that are compared")
    asked = parser.parse_args()
    driven.ORDERS = asked.orders
    counts: Counter[str] = Counter()
    began = time.perf_counter()
    for seed in range(asked.seed, asked.seed + asked.histories):
        history = History.drawn(seed, lies=asked.lies, avoid=frozenset(asked.avoid.split(",")))
        if (found := history.finding()) is None:
            continue
        counts[found.rule] += 1
        if counts[found.rule] == 1 and found.rule.startswith(asked.only):
            sys.stdout.write(f"{found.rule} after {seed - asked.seed + 1} histories: {found}\n")
            if asked.shrink:
                sys.stdout.write(f"{script(shrunk(history, found.rule), found.rule)}\n\n")
            sys.stdout.flush()
    took = time.perf_counter() - began
    sys.stdout.write(f"{asked.histories} histories in {took:.1f} s: {dict(counts)}\n")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
