"""Rates of very short and very bad loans: large, and still exact."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from domain.errors import InvalidInput
from domain.loan.apr import AprMethod, apr, disclose
from domain.loan.cashflow import PRECISION, Flow

EU, IRR = AprMethod.EU, AprMethod.IRR


@pytest.mark.parametrize(
    ("paid", "at", "times_a_year"),
    [
        (150, Fraction(1, 52), 52),
        (200, Fraction(1, 52), 52),
        (105, Fraction(1, 365), 365),
        (110, Fraction(1, 365), 365),
        (120, Fraction(14, 365), Fraction(365, 14)),
    ],
)
def test_a_fee_for_a_few_days_is_an_effective_rate_of_many_digits(
    paid: int, at: Fraction, times_a_year: Fraction | int
) -> None:
    """2008/48/EC annex I: X = (paid / 100) ** (1 / t) - 1, whatever size it has.

    Half as much again after a week is 143 341 720 286 percent a year, not "there is no rate".
    """
    with localcontext() as context:
        context.prec = PRECISION
        exponent = Decimal(Fraction(times_a_year).numerator) / Fraction(times_a_year).denominator
        wanted = ((Decimal(paid) / 100) ** exponent - 1) * 100
    rate = apr([Flow(-100, 0), Flow(paid, 0, at)], EU, Fraction(1))
    assert disclose(rate.disclosed, 6) == disclose(wanted, 6)


def test_nearly_everything_may_be_lost() -> None:
    """A half percent back after a year is minus 99.50; nothing back has no rate."""
    assert disclose(apr([Flow(-10_000, 0), Flow(50, 1)], IRR, Fraction(1)).nominal) == "-99.50"
    with pytest.raises(InvalidInput):
        apr([Flow(-10_000_000, 0), Flow(1, 1)], IRR, Fraction(1))


@pytest.mark.parametrize("method", list(AprMethod))
def test_flows_that_end_at_nothing_have_the_rate_zero_and_maybe_another(method: AprMethod) -> None:
    """-1, +1002, -1001 is worth nothing at zero and at 100 000 percent: told, not chosen from.

    Norstrom's rule speaks of running sums that do not end at zero.
    """
    flows = [Flow(-1, 0), Flow(1_002, 1), Flow(-1_001, 2)]
    with pytest.raises(InvalidInput, match="at least 2"):
        apr(flows, method, Fraction(1))
