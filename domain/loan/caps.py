"""Ceilings on what a loan may cost: the rate of all borrower cash flows against product and law.

Every cap is compared by the exact worth of the flows at the cap's own rate, so no solver decides
whether a loan is lawful; the figure in the message comes from the solver.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal, assert_never

from domain.errors import InvalidInput
from domain.loan.apr import AprMethod, apr, disclose
from domain.loan.cashflow import PRECISION, Flow, Odd, check_flows, flow_at, worth
from domain.loan.schedule import ScheduleLine, ScheduleTerms
from domain.loan.unitperiod import UnitPeriod


@dataclass(frozen=True, slots=True)
class RateCap:
    """Most percent a year for the rate of all flows; `nominal` counts periods, no compounding."""

    rule: str
    percent: Decimal
    measure: Literal["nominal", "effective"] = "nominal"
    kind: Literal["rate"] = "rate"


@dataclass(frozen=True, slots=True)
class CostCap:
    """Most cost (everything paid above what was advanced) as a fraction of what was advanced."""

    rule: str
    fraction: Fraction
    kind: Literal["cost"] = "cost"


@dataclass(frozen=True, slots=True)
class DailyCap:
    """Most cost of a day as a fraction of what is outstanding on it."""

    rule: str
    fraction: Fraction


Cap = RateCap | CostCap
_EQUAL = Decimal("1e-20")
"""Worth, in minor units, that is only the end of the digits."""

CN_INSTITUTIONS = RateCap("CN jin-gui [2025] 9: total financing cost of a single loan", Decimal(24))
UK_HIGH_COST = CostCap("UK CONC 5A: total cost of high-cost short-term credit", Fraction(1))

UK_HIGH_COST_DAILY = DailyCap("UK CONC 5A: cost of a day", Fraction(8, 1000))


def four_times_lpr(one_year_lpr_percent: Decimal) -> RateCap:
    """Private lending: four times the one-year loan prime rate (SPC 2020, art. 25 to 29)."""
    return RateCap("CN private lending: 4 x one-year LPR", one_year_lpr_percent * 4)


@dataclass(frozen=True, slots=True)
class CapExceeded:
    """A refusal: the rule, what it allows, and what the loan costs; percent as text."""

    rule: str
    cap: str
    figure: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.figure} % is above {self.cap} %"


def borrower_flows(
    terms: ScheduleTerms,
    lines: Sequence[ScheduleLine],
    *,
    upfront_minor: int = 0,
    each_minor: int = 0,
    charges: Sequence[tuple[int, int]] = (),
) -> tuple[tuple[Flow, ...], Fraction]:
    """All cash flows of a borrower in unit periods of the schedule, and such periods a year.

    Args:
        terms: what the schedule was built from.
        lines: its lines.
        upfront_minor: fees kept back or paid when the loan is disbursed.
        each_minor: paid with every installment besides it, such as a guarantee fee.
        charges: (installment number, minor) raised later: penalties, costs.
    """
    unit = UnitPeriod.of(terms.every)
    later = dict.fromkeys((line.number for line in lines), each_minor)
    for number, minor in charges:
        if number not in later:
            raise InvalidInput("charge", number, f"an installment from 1 to {lines[-1].number}")
        later[number] += minor
    flows = [Flow(upfront_minor - terms.first_part_minor, 0)]
    flows += [_at(unit, -minor, terms, day) for day, minor in terms.drawdowns]
    flows += [_at(unit, line.total + later[line.number], terms, line.due_on) for line in lines]
    return tuple(flows), unit.per_year


def exceeded(
    flows: Sequence[Flow], periods_per_year: Fraction, caps: Sequence[Cap]
) -> tuple[CapExceeded, ...]:
    """Every cap that these flows break, in the order of the caps; none means lawful."""
    ordered = check_flows(flows)
    return tuple(
        broken for cap in caps if (broken := _broken(ordered, periods_per_year, cap)) is not None
    )


def daily_exceeded(
    terms: ScheduleTerms,
    lines: Sequence[ScheduleLine],
    cap: DailyCap,
    fees_minor: int = 0,
) -> CapExceeded | None:
    """Whether interest and fees are more than the cap on what is outstanding, day by day.

    `fees_minor` are all fees beside the schedule. Days are actual ones.
    """
    balance, day, outstanding = terms.first_part_minor, terms.disbursed_on, 0
    for line in lines:
        outstanding += balance * (line.due_on - day).days
        balance, day = line.balance, line.due_on
    cost = Fraction(sum(line.interest + line.fee for line in lines) + fees_minor, outstanding)
    if cost <= cap.fraction:
        return None
    return CapExceeded(cap.rule, _percent(cap.fraction), _percent(cost))


def _at(unit: UnitPeriod, minor: int, terms: ScheduleTerms, day: date) -> Flow:
    return flow_at(minor, unit.between_us(terms.disbursed_on, day))


def _broken(flows: Sequence[Flow], periods_per_year: Fraction, cap: Cap) -> CapExceeded | None:
    match cap:
        case RateCap():
            if worth(flows, _unit_rate(cap, periods_per_year), Odd.COMPOUND) <= _EQUAL:
                return None
            rate = apr(flows, AprMethod.IRR, periods_per_year)
            figure = rate.nominal if cap.measure == "nominal" else rate.effective
            return CapExceeded(cap.rule, f"{cap.percent}", disclose(figure, 4))
        case CostCap():
            advanced = -sum(flow.minor for flow in flows if flow.minor < 0)
            cost = Fraction(sum(flow.minor for flow in flows), advanced)
            if cost <= cap.fraction:
                return None
            return CapExceeded(cap.rule, _percent(cap.fraction), _percent(cost))
        case _:
            assert_never(cap)


def _unit_rate(cap: RateCap, periods_per_year: Fraction) -> Decimal:
    """The cap as a rate per unit period."""
    with localcontext() as context:
        context.prec = PRECISION
        per_year = Decimal(periods_per_year.numerator) / periods_per_year.denominator
        if cap.measure == "nominal":
            return cap.percent / 100 / per_year
        return (1 + cap.percent / 100) ** (1 / per_year) - 1


def _percent(fraction: Fraction) -> str:
    return disclose(Decimal(fraction.numerator * 100) / fraction.denominator, 4)
