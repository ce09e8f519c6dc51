"""Ceilings on what a loan may cost: all cash flows of the borrower against product and law.

Every cap is compared by exact arithmetic: a rate by the present value of the flows at the cap's
own rate, so no solver decides whether a loan is lawful; the figure in a message comes from it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from domain.errors import InvalidInput
from domain.money import Rounding, round_minor
from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.cashflow import MOST_PERIODS, PRECISION, Flow, Odd, present_value
from domain.pricing.frequency import Frequency
from domain.pricing.schedule_terms import check_rate
from domain.pricing.unitperiod import UnitPeriod

_EQUAL = Decimal("1e-20")
"""A present value of less than this, in minor units, counts as zero: it is rounding only."""
_HALF_BASIS_POINT = Decimal("0.005")
_SENSELESS = Decimal(10**9)
"""Percent a year; a rate above it is not shown as a figure."""


class Measure(StrEnum):
    """What a cap counts, in percent."""

    NOMINAL = "nominal"
    """Rate of all flows: that of a unit period times unit periods a year."""
    EFFECTIVE = "effective"
    """Rate of all flows, compounded each unit period."""
    TOTAL = "total"
    """Everything paid above what was advanced, of what was advanced."""
    DAILY = "daily"
    """The same cost, of the principal outstanding, for each day that it is."""


RATES = frozenset({Measure.NOMINAL, Measure.EFFECTIVE})


@dataclass(frozen=True, slots=True)
class Cap:
    """One ceiling: the rule that sets it, and the most percent of its measure."""

    rule: str
    percent: Decimal
    measure: Measure = Measure.NOMINAL

    def __post_init__(self) -> None:
        check_rate("cap", self.percent)


CN_PRIVATE = "cn-private-4xlpr"
"""The ceiling that moves with the one-year loan prime rate."""
LEGAL: Mapping[str, tuple[Cap, ...]] = MappingProxyType(
    {
        "cn-institutions-24": (
            Cap("CN jin-gui [2025] 9: total financing cost of a single loan", Decimal(24)),
        ),
        "uk-high-cost": (
            Cap("UK CONC 5A: total cost of high-cost credit", Decimal(100), Measure.TOTAL),
            Cap("UK CONC 5A: cost of a day", Decimal("0.8"), Measure.DAILY),
        ),
    }
)
"""Ceilings of law by id. They change with the law: a product keeps those it was made with."""


def legal_caps(name: str, one_year_lpr_percent: Decimal | None = None) -> tuple[Cap, ...]:
    """The ceilings that a law sets, by id.

    Private lending (SPC 2020, art. 25 to 29, overdue interest and fees included) is capped at four
    times the one-year loan prime rate on the day of the contract, so that rate must be given.

    Raises:
        InvalidInput: an id that is not known, or a prime rate missing.
    """
    if name == CN_PRIVATE:
        if one_year_lpr_percent is None:
            raise InvalidInput("one_year_lpr_percent", None, f"given for {CN_PRIVATE}")
        check_rate("one_year_lpr_percent", one_year_lpr_percent)
        return (Cap("CN private lending: 4 x one-year LPR", one_year_lpr_percent * 4),)
    if name not in LEGAL:
        raise InvalidInput("legal", name, f"one of {', '.join([*LEGAL, CN_PRIVATE])}")
    return LEGAL[name]


@dataclass(frozen=True, slots=True)
class CapRules:
    """Ceilings of a product, and what its borrowers pay that no installment asks for.

    Attributes:
        caps: all of them hold.
        every: how far apart installments are; rates count its unit periods.
        upfront_fraction, upfront_minor: of the principal, and fixed: kept back or paid when the
            loan is disbursed.
        each_fraction, each_minor: of the principal, and fixed: paid with every installment besides
            it, such as a guarantee fee.
    """

    caps: tuple[Cap, ...]
    every: Frequency
    upfront_fraction: Fraction = Fraction(0)
    upfront_minor: int = 0
    each_fraction: Fraction = Fraction(0)
    each_minor: int = 0

    def __post_init__(self) -> None:
        if not self.caps:
            raise InvalidInput("caps", 0, "at least one ceiling")

    def fees_on(self, principal_minor: int) -> "Fees":
        """What is paid besides the installments when so much is lent."""
        return Fees(
            self.upfront_minor + _part(self.upfront_fraction, principal_minor),
            self.each_minor + _part(self.each_fraction, principal_minor),
        )


@dataclass(frozen=True, slots=True)
class Fees:
    """Minor units paid besides a schedule: at the disbursement, and with every installment."""

    upfront: int = 0
    each: int = 0


@dataclass(frozen=True, slots=True)
class CapExceeded:
    """A cap that is broken: the rule, what it allows, and what the loan costs; percent as text.

    `figure` is empty where flows have no rate, several, or one of more digits than anybody reads.
    """

    rule: str
    measure: Measure
    cap: str
    figure: str

    def __str__(self) -> str:
        said = f"{self.figure} %" if self.figure else "a cost that no single rate says"
        return f"{self.rule}: {said} is above {self.cap} %"


@dataclass(frozen=True, slots=True)
class Payment:
    """What a borrower pays on a day: minor units in all, and the principal in it."""

    day: date
    minor: int
    principal: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """What caps are held against.

    Time runs from `start` in periods of `unit`; `principal_days` is the sum over all days of the
    principal outstanding on each.
    """

    unit: UnitPeriod
    start: date
    flows: tuple[Flow, ...]
    principal_days: int

    @property
    def advanced(self) -> int:
        """What the borrower was given, less what was paid or kept back on that day."""
        return -sum(flow.minor for flow in self.flows if flow.minor < 0)

    @property
    def cost(self) -> int:
        """Everything paid above what was advanced."""
        return sum(flow.minor for flow in self.flows)


def costs_of(
    every: Frequency, advances: Sequence[tuple[date, int]], payments: Iterable[Payment]
) -> Costs:
    """Costs of a loan with installments `every` so often; time runs from the first advance."""
    unit, start = UnitPeriod.of(every), advances[0][0]
    given: defaultdict[date, int] = defaultdict(int)
    taken: defaultdict[date, int] = defaultdict(int)
    principal_days = 0
    for day, minor in advances:
        given[day] -= minor
        principal_days -= minor * (day - start).days
    for payment in payments:
        (taken if payment.day > start else given)[payment.day] += payment.minor
        principal_days += payment.principal * (payment.day - start).days
    sums = (*given.items(), *taken.items())
    flows = tuple(Flow(minor, *_clock(unit, start, day)) for day, minor in sums)
    return Costs(unit, start, flows, principal_days)


@lru_cache(maxsize=4096)
def _clock(unit: UnitPeriod, start: date, day: date) -> tuple[int, Fraction]:
    """Whole unit periods from `start` to `day`, and the part of one; never before the start.

    A day more than `MOST_PERIODS` days (a hundred years) away counts as that many days away, where
    the present value of money is next to nothing: no date may make the day's work fail.
    """
    days = max(0, min((day - start).days, MOST_PERIODS))
    whole, part = divmod(unit.between_us(start, start + timedelta(days=days)), 1)
    return int(whole), part


def exceeded(costs: Costs, caps: Sequence[Cap]) -> tuple[CapExceeded, ...]:
    """Every cap that an agreed loan breaks, in the order of the caps; none means lawful.

    A rate less than half a basis point above its cap is at its cap: rows are rounded to minor
    units, and a loan at the ceiling must not be refused for that. Other measures hold exactly.
    """
    return tuple(
        CapExceeded(cap.rule, cap.measure, f"{cap.percent}", _figure(costs, cap))
        for cap in caps
        if _is_broken(costs, cap)
    )


def room(costs: Costs, caps: Sequence[Cap], day: date) -> tuple[int, Cap]:
    """The most minor units that may be charged besides, paid on `day`, and the cap that says so.

    Exact: one unit more would break that cap. Below zero where nothing may be charged. Here a rate
    is held at its cap itself: rounding excuses an agreed schedule, never a charge on top of it.
    """
    return min(((_room(costs, cap, day), cap) for cap in caps), key=lambda pair: pair[0])


def over(costs: Costs, caps: Sequence[Cap], minor: int, day: date) -> CapExceeded | None:
    """The cap that a charge of `minor`, paid on `day`, would exceed, with the cost; or None."""
    most, cap = room(costs, caps, day)
    if minor <= most:
        return None
    charged = Flow(minor, *_clock(costs.unit, costs.start, day))
    figure = _figure(replace(costs, flows=(*costs.flows, charged)), cap)
    return CapExceeded(cap.rule, cap.measure, f"{cap.percent}", figure)


def _is_broken(costs: Costs, cap: Cap) -> bool:
    if cap.measure in RATES:
        rate = _unit_rate(cap.percent + _HALF_BASIS_POINT, cap.measure, costs.unit.per_year)
        return present_value(costs.flows, rate, Odd.COMPOUND) >= -_EQUAL
    return costs.cost > _allowed(costs, cap)


def _room(costs: Costs, cap: Cap, day: date) -> int:
    if cap.measure not in RATES:
        return _allowed(costs, cap) - costs.cost
    with localcontext() as context:
        context.prec = PRECISION
        rate = _unit_rate(cap.percent, cap.measure, costs.unit.per_year)
        one = present_value([Flow(1, *_clock(costs.unit, costs.start, day))], rate, Odd.COMPOUND)
        left = -present_value(costs.flows, rate, Odd.COMPOUND) / one + _EQUAL
        return int(left.to_integral_value(ROUND_FLOOR))


def _allowed(costs: Costs, cap: Cap) -> int:
    """Minor units of cost under a cap that is no rate; parts of one are not allowed."""
    base = costs.advanced if cap.measure is Measure.TOTAL else costs.principal_days
    return Fraction(cap.percent) * base // 100


def _figure(costs: Costs, cap: Cap) -> str:
    if cap.measure in RATES:
        try:
            rate = apr(costs.flows, AprMethod.IRR, costs.unit.per_year)
        except InvalidInput:
            return ""
        percent = rate.nominal if cap.measure is Measure.NOMINAL else rate.effective
        return disclose(percent, 4) if percent < _SENSELESS else ""
    base = costs.advanced if cap.measure is Measure.TOTAL else costs.principal_days
    return disclose(Decimal(costs.cost * 100) / base, 4) if base > 0 else ""


def _unit_rate(percent: Decimal, measure: Measure, periods_per_year: Fraction) -> Decimal:
    """Percent a year as a rate per unit period."""
    with localcontext() as context:
        context.prec = PRECISION
        per_year = Decimal(periods_per_year.numerator) / periods_per_year.denominator
        if measure is Measure.NOMINAL:
            return percent / 100 / per_year
        return (1 + percent / 100) ** (1 / per_year) - 1


def _part(fraction: Fraction, principal_minor: int) -> int:
    return round_minor(fraction * principal_minor, Rounding.HALF_UP)
