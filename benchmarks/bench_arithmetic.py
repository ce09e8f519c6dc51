# ruff: noqa: INP001  (a program of its own, not a package)
"""How fast the arithmetic is, beside independent libraries in the same run.

Figures of one machine mean little; the ratios of one run do. Run it from the root of the checkout:
`python benchmarks/bench_arithmetic.py [--json FILE]`. QuantLib and pyxirr compute in floats and
without rounding; ours is exact, to the minor unit, line by line.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy_financial as npf
import pyxirr
import QuantLib as ql  # noqa: N813

from domain.loan.apr import AprMethod, apr
from domain.loan.cashflow import Flow
from domain.loan.schedule import DayCount, Frequency, Method, ScheduleTerms, build

MONTHS = 36
LOANS = 10_000
SOME = 500
RATE = Decimal("14.07")


def main() -> None:
    """Measure everything once and print one line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--loans", type=int, default=LOANS, help="schedules of the first line")
    options = parser.parse_args()
    figures = measure(options.loans)
    for name, value in figures.items():
        sys.stdout.write(f"{name:<44}{value:>14,.3f}\n")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(loans: int) -> dict[str, float]:
    """Seconds for the portfolio, rates per second, and ratios to the libraries beside us."""
    portfolio = seconds(lambda index: build(terms(index)), loans)
    by_days = SOME / seconds(lambda index: build(terms(index, DayCount.ACT_365F)), SOME)
    quantlib = SOME / seconds(sinking, SOME)
    numpy = SOME / seconds(numpy_schedule, SOME)
    ours = loans / portfolio
    payment = build(terms(0))[0].total
    flows = [Flow(-1_000_000, 0), *(Flow(payment, number) for number in range(1, MONTHS + 1))]
    amounts = [float(flow.minor) for flow in flows]
    rates = SOME / seconds(lambda _: apr(flows, AprMethod.US_ACTUARIAL, Fraction(12)), SOME)
    fast = SOME / seconds(lambda _: pyxirr.irr(amounts), SOME)
    slow = SOME / seconds(lambda _: npf.irr(amounts), SOME)
    return {
        f"seconds for {loans} loans of {MONTHS} months": portfolio,
        "schedules per second": ours,
        "schedules per second, ACT/365F": by_days,
        "QuantLib sinking notionals per second": quantlib,
        "numpy-financial ppmt+ipmt per second": numpy,
        "schedules: ours / QuantLib": ours / quantlib,
        "schedules: ours / numpy-financial": ours / numpy,
        "APRs per second, proven to 18 digits": rates,
        "pyxirr IRRs per second": fast,
        "numpy-financial IRRs per second": slow,
        "APRs: ours / pyxirr": rates / fast,
        "APRs: ours / numpy-financial": rates / slow,
    }


def seconds(work: Callable[[int], object], times: int) -> float:
    """Processor time of `times` calls: what others do on the machine does not count."""
    started = time.process_time()
    for index in range(times):
        work(index)
    return time.process_time() - started


def terms(index: int, count: DayCount = DayCount.MONTHS) -> ScheduleTerms:
    """Loans that differ in amount, so nothing can be remembered."""
    return ScheduleTerms(
        principal_minor=1_000_000 + index,
        currency="USD",
        annual_rate_percent=RATE,
        periods=MONTHS,
        method=Method.EQUAL_INSTALLMENT,
        day_count=count,
        disbursed_on=date(2024, 1, 1 + index % 28),
        first_due_on=date(2024, 2, 1 + index % 28),
        every=Frequency(1, "month"),
    )


def sinking(index: int) -> object:
    """Balances of the same loan in QuantLib, without dates or rounding."""
    tenor = ql.Period(MONTHS // 12, ql.Years)
    return ql.sinkingNotionals(tenor, ql.Monthly, float(RATE) / 100, 1e6 + index)


def numpy_schedule(index: int) -> object:
    """Principal and interest of every period in numpy-financial, without dates or rounding."""
    periods = range(1, MONTHS + 1)
    rate = float(RATE) / 1200
    return (
        npf.ppmt(rate, list(periods), MONTHS, 1e6 + index),
        npf.ipmt(rate, list(periods), MONTHS, 1e6 + index),
    )


if __name__ == "__main__":
    main()
