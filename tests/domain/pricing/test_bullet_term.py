"""A bullet bears interest over one term, from the disbursement to its only due date."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.amounts import Component
from domain.pricing.payoff import quote
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build

ORACLES = {
    DayCount.THIRTY_360: ql.Thirty360(ql.Thirty360.USA),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.European),
    DayCount.ACT_360: ql.Actual360(),
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_ACT: ql.ActualActual(ql.ActualActual.ISDA),
}


def terms(**changed: Any) -> ScheduleTerms:
    """1200.00 at 12 percent for twelve months from 31 January 2023."""
    values: dict[str, Any] = {
        "principal_minor": 120_000,
        "currency": "USD",
        "annual_rate_percent": Decimal(12),
        "periods": 12,
        "method": Method.BULLET,
        "day_count": DayCount.THIRTY_360,
        "disbursed_on": date(2023, 1, 31),
        "first_due_on": date(2023, 2, 28),
        "every": Frequency(1, "month"),
        "anchor_day": 31,
    }
    return ScheduleTerms(**(values | changed))


def test_a_year_of_thirty_day_months_is_a_year() -> None:
    """31 January to 31 January is 360 days of 30/360; month by month they were 358."""
    [line] = build(terms())
    assert (line.due_on, line.days, line.interest) == (date(2024, 1, 31), 360, 14_400)


def test_a_bullet_quoted_on_the_way_counts_its_days_in_one_too() -> None:
    """31 January to 31 July is 180 days, to 30 July as well; a day before the end 359."""
    made = terms()
    lines = build(made)
    for day, minor in (
        (date(2023, 7, 31), 7_200),
        (date(2023, 7, 30), 7_200),
        (date(2024, 1, 29), 14_360),
        (date(2024, 1, 31), 14_400),
        (date(2023, 1, 31), 0),
    ):
        assert quote(made, lines, day).of(Component.INTEREST) == minor


def test_interest_free_periods_are_not_in_the_term_that_bears() -> None:
    """Three of twelve months are free: nine bear, 270 days from 30 April."""
    made = terms(interest_free=3)
    lines = build(made)
    assert lines[0].interest == 120_000 * 12 * 270 // 36_000
    assert quote(made, lines, date(2023, 4, 30)).of(Component.INTEREST) == 0
    assert quote(made, lines, date(2023, 5, 1)).of(Component.INTEREST) == 40
    free = terms(interest_free=12)
    assert build(free)[0].interest == 0
    assert quote(free, build(free), date(2023, 12, 1)).of(Component.INTEREST) == 0


@pytest.mark.parametrize("count", [DayCount.MONTHS, DayCount.THIRTY_360])
def test_free_periods_bear_nothing_whichever_way_a_term_is_counted(count: DayCount) -> None:
    """Nine months of twelve at one percent each, by months as by thirty days."""
    assert build(terms(interest_free=3, day_count=count))[0].interest == 10_800


def test_parts_bear_from_their_own_day_and_rates_from_theirs() -> None:
    """600 for 360 days, 600 more from 31 July for 180, all at half the rate from 31 October."""
    made = terms(
        drawdowns=((date(2023, 7, 31), 60_000),),
        rate_changes=((date(2023, 10, 31), Decimal(6)),),
    )
    wanted = Fraction(60_000 * 12, 36_000) * 270 + Fraction(60_000 * 6, 36_000) * 90
    wanted += Fraction(60_000 * 12, 36_000) * 90 + Fraction(60_000 * 6, 36_000) * 90
    assert build(made)[0].interest == wanted
    free = terms(
        interest_free=7, drawdowns=((date(2023, 7, 31), 60_000), (date(2023, 8, 31), 30_000))
    )
    # What was lent in free months is in the balance when interest begins on 31 August.
    assert build(free)[0].interest == Fraction(120_000 * 12 * 150, 36_000)


@pytest.mark.parametrize("count", list(ORACLES))
@given(
    start=st.dates(date(2019, 1, 1), date(2026, 12, 31)),
    periods=st.integers(1, 48),
)
def test_the_term_of_a_bullet_is_counted_as_quantlib_counts_it(
    count: DayCount, start: date, periods: int
) -> None:
    """From the disbursement to the due date, whatever months lie between."""
    every = Frequency(1, "month")
    made = terms(
        principal_minor=10**12,
        day_count=count,
        disbursed_on=start,
        first_due_on=every.date_at(start, 1),
        anchor_day=start.day,
        periods=periods,
    )
    [line] = build(made)
    dates = [ql.Date(day.day, day.month, day.year) for day in (start, line.due_on)]
    assert line.interest == pytest.approx(
        ORACLES[count].yearFraction(*dates) * 12 * 10**10, abs=10, rel=1e-12
    )
    assert line.days == ORACLES[count].dayCount(*dates)
