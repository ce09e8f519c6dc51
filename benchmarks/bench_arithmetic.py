"""How fast the arithmetic is, beside independent libraries in the same run.

QuantLib, numpy-financial and pyxirr compute in floats and without rounding; ours is exact, to the
minor unit, line by line, and the APR is proven to 18 digits.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy_financial as npf
import pyxirr
import QuantLib as ql  # noqa: N813

from benchmarks.harness import Report, Sample, rounds
from domain.pricing.apr import AprMethod, apr
from domain.pricing.cashflow import Flow
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build

MONTHS = 36
RATE = Decimal("14.07")
_CENT, _SAME_RATE = 0.5, 1e-9


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--schedules", type=int, default=1_000, help="of each contestant")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match schedules, then rates."""
    count = report.size(options.schedules, 20)
    report.note(f"{count} loans of {MONTHS} months for each contestant and round")
    schedules = {
        "acquit": lambda index: build(terms(index)),
        "acquit, ACT/365F": lambda index: build(terms(index, DayCount.ACT_365F)),
        "QuantLib": sinking,
        "numpy-financial": numpy_schedule,
    }
    done = await rounds(_samples(schedules, count, _schedule_fault), report.rounds, report.say)
    report.match("Schedules", done, "acquit", "schedules")
    payment = build(terms(0))[0].total
    flows = [Flow(-1_000_000, 0), *(Flow(payment, number) for number in range(1, MONTHS + 1))]
    amounts = [float(flow.minor) for flow in flows]
    rates: Mapping[str, Callable[[int], object]] = {
        "acquit": lambda _: apr(flows, AprMethod.US_ACTUARIAL, Fraction(12)),
        "pyxirr": lambda _: pyxirr.irr(amounts),
        "numpy-financial": lambda _: npf.irr(amounts),
    }
    theirs = pyxirr.irr(amounts) or 0.0
    done = await rounds(
        _samples(rates, count, lambda: _rate_fault(flows, theirs)), report.rounds, report.say
    )
    report.match("Annual rates", done, "acquit", "rates")


def _samples(
    contestants: Mapping[str, Callable[[int], object]], count: int, fault: Callable[[], str]
) -> dict[str, Callable[[], Awaitable[Sample]]]:
    def of(work: Callable[[int], object]) -> Callable[[], Awaitable[Sample]]:
        async def sample() -> Sample:
            began, started = time.perf_counter(), time.process_time()
            for index in range(count):
                work(index)
            spent = time.process_time() - started
            return Sample(count, time.perf_counter() - began, {"ours": spent}, {}, fault())

        return sample

    return {name: of(work) for name, work in contestants.items()}


def _schedule_fault() -> str:
    """Ours repays exactly, and QuantLib's balances are the same but for rounding."""
    lines, theirs = build(terms(0)), list(sinking(0))
    if sum(line.principal for line in lines) != terms(0).principal_minor:
        return "the principal is not repaid exactly"
    apart = max(abs(line.balance - their) for line, their in zip(lines, theirs[1:], strict=False))
    return "" if apart <= _CENT * MONTHS else f"balances are {apart} minor units apart"


def _rate_fault(flows: list[Flow], theirs: float) -> str:
    ours = apr(flows, AprMethod.US_ACTUARIAL, Fraction(12)).unit_rate
    return "" if abs(float(ours) - theirs) < _SAME_RATE else f"{ours} and {theirs} a month"


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


def sinking(index: int) -> list[float]:
    """Balances of the same loan in QuantLib, without dates or rounding."""
    tenor = ql.Period(MONTHS // 12, ql.Years)
    return list(ql.sinkingNotionals(tenor, ql.Monthly, float(RATE) / 100, 1e6 + index))


def numpy_schedule(index: int) -> object:
    """Principal and interest of every period in numpy-financial, without dates or rounding."""
    periods = range(1, MONTHS + 1)
    rate = float(RATE) / 1200
    return (
        npf.ppmt(rate, list(periods), MONTHS, 1e6 + index),
        npf.ipmt(rate, list(periods), MONTHS, 1e6 + index),
    )
