"""Rates of very short and very bad loans: large, and still exact."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.cashflow import PRECISION, Flow, Odd, flow_at
from domain.pricing.solver import solve

EU, IRR = AprMethod.EU, AprMethod.IRR


@pytest.mark.parametrize(
    ("paid", "at", "times_a_year"),
    [
        (150, Fraction(1, 52), 52),
        (200, Fraction(1, 52), 52),
        (105, Fraction(1, 365), 365),
        (110, Fraction(1, 365), 365),
        (120, Fraction(14, 365), Fraction(365, 14)),
        (115, Fraction(1, 365), 365),
        (1_000, Fraction(1, 366), 366),
        (10**17, Fraction(1, 366), 366),
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


@pytest.mark.parametrize(
    ("lent", "paid", "at", "percent"),
    [
        (10_000, 50, Fraction(1), "-99.500000000000"),
        (10_000_000, 1, Fraction(1), "-99.999990000000"),
        (10**15, 1, Fraction(1), "-99.999999999999900"),
        # Half of it after a day is 2 ** -365 of it after a year.
        (100, 50, Fraction(1, 365), "-100.000000000000"),
        (10**15, 1, Fraction(1, 366), "-100.000000000000"),
    ],
)
def test_nearly_everything_may_be_lost(lent: int, paid: int, at: Fraction, percent: str) -> None:
    """What comes back of a loan, however little, has a rate above minus 100 percent."""
    rate = apr([Flow(-lent, 0), flow_at(paid, at)], IRR, Fraction(1))
    assert disclose(rate.nominal, 12) == disclose(Decimal(percent), 12)
    assert rate.unit_rate > -1


def test_a_rate_that_is_almost_a_total_loss_keeps_all_its_digits() -> None:
    """One less what is left: 2 ** -365 has its first digit at place 110."""
    found = solve([Flow(-100, 0), Flow(50, 0, Fraction(1, 365))], Odd.COMPOUND, negative=True)
    with localcontext() as context:
        context.prec = 300
        assert abs((1 + found) / Decimal(2) ** -365 - 1) < Decimal("1e-28")


def test_a_rate_for_a_day_goes_with_flows_centuries_later() -> None:
    """A tenfold return in a day leaves nothing to be asked of what is paid in 900 years."""
    flows = [Flow(-100, 0), Flow(1_000, 0, Fraction(1, 365)), Flow(10**9, 900)]
    rate = apr(flows, EU, Fraction(1))
    with localcontext() as context:
        context.prec = 500
        assert abs((1 + rate.unit_rate) / Decimal(10) ** 365 - 1) < Decimal("1e-28")


@settings(max_examples=300, deadline=None)
@given(
    advances=st.lists(st.integers(1, 10**15), min_size=1, max_size=3),
    payments=st.lists(st.integers(1, 10**15), min_size=1, max_size=5),
    days=st.lists(st.integers(1, 4_000), min_size=8, max_size=8, unique=True).map(sorted),
)
def test_flows_that_turn_once_always_have_a_rate(
    advances: list[int], payments: list[int], days: list[int]
) -> None:
    """Descartes: exactly one above minus 100 percent, whatever the amounts and days."""
    minors = [*(-minor for minor in advances), *payments]
    flows = [flow_at(minor, Fraction(day, 365)) for minor, day in zip(minors, days, strict=False)]
    found = solve(flows, Odd.COMPOUND, negative=True)
    assert (found > 0) == (sum(minors) > 0)
    if sum(minors) > 0:
        assert solve(flows, Odd.COMPOUND) == found


@pytest.mark.parametrize("method", list(AprMethod))
def test_flows_that_end_at_nothing_have_the_rate_zero_and_maybe_another(method: AprMethod) -> None:
    """-1, +1002, -1001: present value zero at zero and at 100 000 percent: all are named.

    Norstrom's rule speaks of running sums that do not end at zero.
    """
    flows = [Flow(-1, 0), Flow(1_002, 1), Flow(-1_001, 2)]
    with pytest.raises(InvalidInput, match="at least 2"):
        apr(flows, method, Fraction(1))
