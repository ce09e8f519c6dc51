"""Annual percentage rates: what a loan costs a year, by the rule of a jurisdiction.

- us-actuarial: Regulation Z appendix J; nominal, unit-period rate times periods a year.
- eu: Directive 2008/48/EC annex I; effective, with time in years.
- irr: internal rate of return, nominal and effective.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from typing import assert_never

from domain.errors import InvalidInput
from domain.pricing.cashflow import PRECISION, Flow, Odd
from domain.pricing.solver import solve

MOST_DECIMALS = 12


class AprMethod(StrEnum):
    """Which rule a rate follows."""

    US_ACTUARIAL = "us-actuarial"
    EU = "eu"
    IRR = "irr"


@dataclass(frozen=True, slots=True)
class Apr:
    """A rate, in percent a year, exact to many digits; `rounded` gives what is disclosed.

    Attributes:
        nominal: rate of a unit period times unit periods a year.
        effective: what one unit grows by in a year, compounded each unit period.
        disclosed: the one of both that the method discloses.
    """

    method: AprMethod
    unit_rate: Decimal
    nominal: Decimal
    effective: Decimal

    @property
    def disclosed(self) -> Decimal:
        """Effective for the EU method, nominal for the others."""
        return self.effective if self.method is AprMethod.EU else self.nominal


def apr(
    flows: Sequence[Flow],
    method: AprMethod,
    periods_per_year: Fraction,
    nominal_per_year: Fraction | None = None,
) -> Apr:
    """The rate of these flows.

    Args:
        flows: their times count periods of which a year has `periods_per_year`.
        method: the rule.
        periods_per_year: 12 for months, 1 where times are in years.
        nominal_per_year: compounding periods a year of the nominal rate, where they are not those
            in which the flows are timed.

    Raises:
        InvalidInput: there is no such rate (below zero only for irr), or there are several.
    """
    match method:
        case AprMethod.US_ACTUARIAL:
            unit_rate = solve(flows, Odd.SIMPLE)
        case AprMethod.EU:
            unit_rate = solve(flows, Odd.COMPOUND)
        case AprMethod.IRR:
            unit_rate = solve(flows, Odd.COMPOUND, negative=True)
        case _:
            assert_never(method)
    with localcontext() as context:
        context.prec = PRECISION
        context.Emax, context.Emin = MAX_EMAX, MIN_EMIN
        per_year = Decimal(periods_per_year.numerator) / periods_per_year.denominator
        growth = (1 + unit_rate) ** per_year
        nominal = unit_rate * per_year
        if nominal_per_year is not None and nominal_per_year != periods_per_year:
            times = Decimal(nominal_per_year.numerator) / nominal_per_year.denominator
            nominal = (growth ** (1 / times) - 1) * times
        return Apr(method, unit_rate, nominal * 100, (growth - 1) * 100)


def disclose(percent: Decimal, decimals: int = 2) -> str:
    """A rate as text, rounded half up: `9.69`; minus zero is zero."""
    if not 0 <= decimals <= MOST_DECIMALS:
        raise InvalidInput("decimals", decimals, f"0 to {MOST_DECIMALS}")
    with localcontext() as context:
        # Room for every digit before the point too: compounded rates have no largest one.
        context.prec = PRECISION + max(0, percent.adjusted())
        rounded = percent.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{abs(rounded) if rounded == 0 else rounded:f}"
