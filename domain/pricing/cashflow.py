"""Cash flows of a borrower, and their present value at a rate: the equation behind every APR."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from domain.errors import InvalidInput

PRECISION = 50
"""Digits of the decimal arithmetic that checks what the solver found."""
MOST_FLOWS = 20_000
MOST_PERIODS = 40_000


class Odd(StrEnum):
    """How a part of a unit period bears interest."""

    SIMPLE = "simple"
    """1 + f i: the United States actuarial method (Regulation Z, appendix J (b) (8))."""
    COMPOUND = "compound"
    """(1 + i) ** f: the European Union's directive, and IRR."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One payment of the borrower (above zero) or advance to them (below zero), minor units.

    It lies `whole` unit periods and a `fraction` of one (0 to below 1) after the first advance.
    """

    minor: int
    whole: int
    fraction: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if not 0 <= self.whole <= MOST_PERIODS or not 0 <= self.fraction < 1:
            when = f"{self.whole} + {self.fraction}"
            raise InvalidInput("period", when, f"0 to {MOST_PERIODS} and a fraction of one")

    @property
    def at(self) -> Fraction:
        """Unit periods after the first advance."""
        return self.whole + self.fraction


def flow_at(minor: int, at: Fraction) -> Flow:
    """A flow so many unit periods after the first advance, whole and odd ones together."""
    whole, fraction = divmod(at, 1)
    return Flow(minor, int(whole), fraction)


def check_flows(flows: Sequence[Flow]) -> tuple[Flow, ...]:
    """Flows in order of time.

    Raises:
        InvalidInput: too many, or no advance, or no payment.
    """
    if len(flows) > MOST_FLOWS:
        raise InvalidInput("flows", len(flows), f"at most {MOST_FLOWS}")
    if not any(flow.minor < 0 for flow in flows):
        raise InvalidInput("advance", 0, "at least one amount advanced to the borrower")
    if not any(flow.minor > 0 for flow in flows):
        raise InvalidInput("payment", 0, "at least one payment")
    return tuple(sorted(flows, key=lambda flow: flow.at))


def present_value(flows: Iterable[Flow], rate: Decimal, odd: Odd) -> Decimal:
    """Present value of the flows at `rate` per unit period (above -1), to `PRECISION` digits."""
    with localcontext() as context:
        context.prec = PRECISION
        # A rate for a day, compounded over centuries, has more digits than numbers usually may.
        context.Emax, context.Emin = MAX_EMAX, MIN_EMIN
        growth = 1 + rate
        total = Decimal(0)
        powers: dict[int, Decimal] = {}
        parts: dict[Fraction, Decimal] = {}
        for flow in flows:
            if (factor := powers.get(flow.whole)) is None:
                factor = powers[flow.whole] = growth**flow.whole
            if (part := parts.get(flow.fraction)) is None:
                part = parts[flow.fraction] = _odd_factor(flow.fraction, rate, odd)
            total += flow.minor / (factor * part)
        return total


def _odd_factor(fraction: Fraction, rate: Decimal, odd: Odd) -> Decimal:
    if not fraction:
        return Decimal(1)
    part = Decimal(fraction.numerator) / fraction.denominator
    return 1 + part * rate if odd is Odd.SIMPLE else (1 + rate) ** part


def sign_changes(amounts: Iterable[int]) -> int:
    """How often a series changes its sign, zeros left out."""
    signs = [amount > 0 for amount in amounts if amount]
    return sum(one != other for one, other in pairwise(signs))
