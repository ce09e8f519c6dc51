"""Ceilings on the cost of a loan: the rule, the cap and the figure, compared exactly."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.loan.caps import (
    CN_INSTITUTIONS,
    UK_HIGH_COST,
    UK_HIGH_COST_DAILY,
    CapExceeded,
    CostCap,
    RateCap,
    borrower_flows,
    daily_exceeded,
    exceeded,
    four_times_lpr,
)
from domain.loan.cashflow import Flow
from domain.loan.schedule import DayCount, Frequency, Method, ScheduleTerms, build

TERMS = ScheduleTerms(
    principal_minor=1_200_000,
    currency="CNY",
    annual_rate_percent=Decimal(12),
    periods=12,
    method=Method.EQUAL_INSTALLMENT,
    day_count=DayCount.MONTHS,
    disbursed_on=date(2024, 1, 15),
    first_due_on=date(2024, 2, 15),
    every=Frequency(1, "month"),
)


def broken(caps: list[RateCap | CostCap], **fees: Any) -> tuple[CapExceeded, ...]:
    """Caps that the loan breaks with these fees."""
    flows, per_year = borrower_flows(TERMS, build(TERMS), **fees)
    return exceeded(flows, per_year, caps)


def test_interest_alone_stays_below_the_line_of_24_percent() -> None:
    """12 percent nominal; nothing is refused."""
    assert broken([CN_INSTITUTIONS, four_times_lpr(Decimal("3.45")), UK_HIGH_COST]) == ()


def test_fees_and_guarantee_count_in_the_total_cost() -> None:
    """2 percent up front and 50.00 a month make 12 percent 24.73: the refusal says so."""
    (refusal,) = broken([CN_INSTITUTIONS], upfront_minor=24_000, each_minor=5_000)
    assert refusal.rule == CN_INSTITUTIONS.rule
    assert refusal.cap == "24"
    assert refusal.figure == "24.7312"
    assert str(refusal).endswith("24.7312 % is above 24 %")


def test_a_penalty_raised_later_is_looked_at_too() -> None:
    """50.00 with the third installment lift 12 percent over 12.5."""
    cap = RateCap("product", Decimal("12.5"))
    assert broken([cap]) == ()
    assert [refusal.rule for refusal in broken([cap], charges=[(3, 5_000)])] == ["product"]
    with pytest.raises(InvalidInput, match="charge"):
        broken([cap], charges=[(13, 1)])


def test_four_times_the_prime_rate_is_the_line_of_private_lending() -> None:
    """3.45 percent makes 13.80."""
    assert four_times_lpr(Decimal("3.45")).percent == Decimal("13.80")


@pytest.mark.parametrize(
    ("percent", "measure", "breaks"),
    [
        ("12", "nominal", False),
        ("11.9999999999", "nominal", True),
        ("12.682503013196972066120100", "effective", False),
        ("12.6825030131", "effective", True),
    ],
)
def test_a_rate_exactly_at_its_cap_is_lawful(percent: str, measure: Any, breaks: bool) -> None:
    """1 percent a month is 12 nominal and 12.6825030131969... effective, and not a hair above."""
    flows = [Flow(-100_000, 0), Flow(101_000, 1)]
    cap = RateCap("line", Decimal(percent), measure)
    assert bool(exceeded(flows, Fraction(12), [cap])) is breaks


@pytest.mark.parametrize(("paid", "breaks"), [(200, False), (201, True)])
def test_total_cost_may_reach_and_not_exceed_what_was_lent(paid: int, breaks: bool) -> None:
    """CONC 5A: 100 percent."""
    found = exceeded([Flow(-100, 0), Flow(paid, 1)], Fraction(12), [UK_HIGH_COST])
    assert bool(found) is breaks
    if breaks:
        assert (found[0].cap, found[0].figure) == ("100.0000", "101.0000")


def test_loans_lent_in_parts_count_each_part_on_its_day() -> None:
    """The second part is an advance of its own, one period later."""
    terms = replace(TERMS, drawdowns=((date(2024, 2, 15), 400_000),))
    flows, per_year = borrower_flows(terms, build(terms))
    assert [(flow.minor, flow.at) for flow in flows[:2]] == [(-800_000, 0), (-400_000, 1)]
    assert exceeded(flows, per_year, [RateCap("line", Decimal("12.01"))]) == ()


@pytest.mark.parametrize(("fees", "breaks"), [(0, False), (2_400, False), (2_401, True)])
def test_a_day_of_high_cost_credit_costs_at_most_four_fifths_of_a_percent(
    fees: int, breaks: bool
) -> None:
    """CONC 5A: 100.00 for 30 days may cost 24.00, fees included, and not a penny more."""
    terms = ScheduleTerms(
        principal_minor=10_000,
        currency="GBP",
        annual_rate_percent=Decimal(0),
        periods=1,
        method=Method.BULLET,
        day_count=DayCount.ACT_365F,
        disbursed_on=date(2024, 1, 1),
        first_due_on=date(2024, 1, 31),
        every=Frequency(1, "month"),
    )
    found = daily_exceeded(terms, build(terms), UK_HIGH_COST_DAILY, fees)
    assert (found is not None) is breaks
    if found is not None:
        assert (found.cap, found.figure) == ("0.8000", "0.8003")
