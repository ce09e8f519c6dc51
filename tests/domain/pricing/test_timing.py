"""Unit periods and the clocks of the APR methods."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from domain.errors import InvalidInput
from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.frequency import Frequency
from domain.pricing.timing import Payments, dated, of_dates, undated
from domain.pricing.unitperiod import UnitPeriod, years_between_eu

US, EU, IRR = AprMethod.US_ACTUARIAL, AprMethod.EU, AprMethod.IRR
MONTH, YEAR, WEEK = UnitPeriod(1, "month"), UnitPeriod(1, "year"), UnitPeriod(1, "week")


@pytest.mark.parametrize(
    ("text", "shown", "per_year", "days"),
    [
        ("month", "month", Fraction(12), 30),
        ("1m", "month", Fraction(12), 30),
        ("2m", "2m", Fraction(6), 60),
        ("12m", "year", Fraction(1), 365),
        ("1y", "year", Fraction(1), 365),
        ("year", "year", Fraction(1), 365),
        ("week", "week", Fraction(52), 7),
        ("2w", "2w", Fraction(26), 14),
        ("half-month", "half-month", Fraction(24), 15),
        ("day", "day", Fraction(365), 1),
        ("90d", "90d", Fraction(365, 90), 90),
    ],
)
def test_unit_periods_are_read_and_counted(
    text: str, shown: str, per_year: Fraction, days: int
) -> None:
    """Appendix J (b) (5): 12, 24, 52, 365 a year; 30, 15, 7 days for odd ones."""
    unit = UnitPeriod.parse(text)
    assert (str(unit), unit.per_year, unit.days) == (shown, per_year, days)


@pytest.mark.parametrize("text", ["", "0m", "13m", "53w", "366d", "2y", "fortnight", "2half-month"])
def test_a_unit_period_is_at_most_a_year(text: str) -> None:
    """And written in one of the known ways."""
    with pytest.raises(InvalidInput) as refused:
        UnitPeriod.parse(text)
    assert refused.value.field == "unit_period"


def test_unit_periods_and_frequencies_go_together() -> None:
    """A year is twelve months; what is longer than a year counts in years."""
    assert YEAR.every == Frequency(12, "month")
    assert UnitPeriod(2, "week").every == Frequency(2, "week")
    assert UnitPeriod.of(Frequency(3, "month")) == UnitPeriod(3, "month")
    assert UnitPeriod.of(Frequency(12, "month")) == YEAR
    assert UnitPeriod.of(Frequency(24, "month")) == YEAR
    assert UnitPeriod.of(Frequency(1, "half-month")) == UnitPeriod(1, "half-month")


@pytest.mark.parametrize(
    ("unit", "start", "end", "wanted"),
    [
        (MONTH, date(1978, 2, 10), date(1978, 4, 1), 1 + Fraction(19, 30)),
        (UnitPeriod(2, "month"), date(1978, 1, 10), date(1978, 3, 1), Fraction(52, 60)),
        (UnitPeriod(3, "month"), date(1978, 5, 23), date(1978, 10, 1), 1 + Fraction(39, 90)),
        (UnitPeriod(1, "half-month"), date(1978, 2, 23), date(1978, 3, 1), Fraction(6, 15)),
        (WEEK, date(1978, 3, 20), date(1978, 4, 21), 4 + Fraction(4, 7)),
        (UnitPeriod(1, "day"), date(2024, 1, 1), date(2024, 3, 1), Fraction(60)),
        (YEAR, date(2020, 1, 1), date(2022, 7, 1), 2 + Fraction(6, 12)),
        (YEAR, date(2020, 1, 1), date(2022, 1, 11), 2 + Fraction(10, 365)),
    ],
)
def test_us_time_is_counted_back_from_the_later_date(
    unit: UnitPeriod, start: date, end: date, wanted: Fraction
) -> None:
    """Appendix J (b) (5) (ii) to (v)."""
    assert unit.between_us(start, end) == wanted


@pytest.mark.parametrize(
    ("unit", "start", "end", "wanted"),
    [
        (MONTH, date(2024, 1, 31), date(2024, 2, 29), Fraction(1, 12)),
        (MONTH, date(2023, 1, 12), date(2023, 3, 15), Fraction(2, 12) + Fraction(3, 365)),
        (MONTH, date(2024, 2, 27), date(2024, 3, 5), Fraction(7, 366)),
        (WEEK, date(2023, 1, 2), date(2023, 1, 18), Fraction(2, 52) + Fraction(2, 365)),
        (YEAR, date(2021, 3, 1), date(2022, 9, 1), Fraction(18, 12)),
        (YEAR, date(2021, 3, 1), date(2022, 9, 11), 1 + Fraction(194, 365)),
        (UnitPeriod(1, "day"), date(2023, 3, 1), date(2023, 6, 9), Fraction(100, 365)),
    ],
)
def test_eu_time_is_in_years(unit: UnitPeriod, start: date, end: date, wanted: Fraction) -> None:
    """Whole periods back from the payment, then days over the length of their year."""
    assert years_between_eu(start, end, unit) == wanted


def test_undated_payments_follow_one_another() -> None:
    """The first one period after the advance, and so on, groups one behind the other."""
    timed = undated(1_000, [Payments(10, 2), Payments(20)], US)
    assert [(flow.minor, flow.at) for flow in timed.flows] == [
        (-1_000, 0),
        (10, 1),
        (10, 2),
        (20, 3),
    ]
    assert (timed.unit, timed.per_year) == (MONTH, 12)


def test_odd_days_are_thirtieths_of_a_month_or_parts_of_a_year() -> None:
    """19 days are 19/30 of a month for appendix J and 19/365 of a year for the others."""
    us = undated(1, [Payments(1)], US, odd_days=19)
    assert us.flows[1].at == 1 + Fraction(19, 30)
    eu = undated(1, [Payments(1)], EU, odd_days=19)
    assert eu.flows[1].at == 1 + Fraction(12 * 19, 365)
    none = undated(1, [Payments(1, 2)], US, odd_periods=Fraction(0), odd_days=6)
    assert [flow.at for flow in none.flows] == [0, Fraction(1, 5), 1 + Fraction(1, 5)]


def test_the_shortest_period_named_is_the_clock() -> None:
    """Monthly and yearly payments count in months; a yearly one is twelve of them."""
    timed = undated(1, [Payments(1, every=MONTH), Payments(1, every=YEAR)], IRR)
    assert [flow.at for flow in timed.flows] == [0, 1, 13]
    yearly = undated(1, [Payments(1, 2, every=YEAR)], EU)
    assert (yearly.per_year, [flow.at for flow in yearly.flows]) == (1, [0, 1, 2])


def test_dates_give_the_published_rate_as_well() -> None:
    """8000 on 10 January 1978, 449.36 on 1 March, then every two months: 7.30."""
    two = UnitPeriod(2, "month")
    timed = dated(
        [Payments(800_000, on=date(1978, 1, 10))],
        [
            Payments(44_936, on=date(1978, 3, 1)),
            Payments(46_500, 18, every=two),
            Payments(20_000, every=two),
        ],
        US,
    )
    assert timed.unit == two
    assert disclose(apr(timed.flows, US, timed.per_year).disclosed) == "7.30"


def test_several_advances_count_from_the_first() -> None:
    """A second advance after a month, payments from the third on."""
    timed = dated(
        [Payments(100, on=date(2024, 1, 1)), Payments(50, on=date(2024, 2, 1))],
        [Payments(60, 3, on=date(2024, 4, 1), every=MONTH)],
        US,
    )
    assert [(flow.minor, flow.at) for flow in timed.flows] == [
        (-100, 0),
        (-50, 1),
        (60, 3),
        (60, 4),
        (60, 5),
    ]


def test_irr_counts_days_and_eu_counts_years() -> None:
    """The same two dates on two clocks."""
    amounts = [(date(2023, 1, 1), -100), (date(2024, 1, 1), 110)]
    assert of_dates(amounts, IRR).flows[1].at == 1
    assert of_dates(amounts, IRR).unit == YEAR
    assert of_dates(amounts, EU).flows[1].at == 1
    assert of_dates(amounts, EU).unit == MONTH
    leap = [(date(2024, 1, 1), -100), (date(2025, 1, 1), 110)]
    assert of_dates(leap, IRR).flows[1].at == Fraction(366, 365)


@pytest.mark.parametrize(
    ("days", "unit"),
    [
        ([date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1)], "month"),
        ([date(2024, 1, 1), date(2024, 1, 8), date(2024, 1, 15)], "week"),
        ([date(2024, 1, 1), date(2024, 1, 11), date(2024, 1, 21)], "10d"),
        ([date(2024, 1, 1), date(2024, 7, 1)], "6m"),
        ([date(2024, 1, 1), date(2024, 3, 31)], "90d"),
        ([date(2024, 1, 1), date(2025, 1, 1)], "year"),
        ([date(2024, 1, 1), date(2026, 1, 1)], "year"),
        ([date(2024, 1, 1), date(2025, 3, 5)], "year"),
        ([date(2024, 1, 31), date(2025, 1, 30)], "365d"),
        ([date(2024, 2, 29), date(2025, 2, 28)], "year"),
        (
            [
                date(2024, 1, 1),
                date(2024, 2, 1),
                date(2024, 3, 1),
                date(2024, 6, 1),
                date(2024, 9, 1),
            ],
            "month",
        ),
    ],
)
def test_the_unit_period_is_the_most_common_interval(days: list[date], unit: str) -> None:
    """Appendix J (b) (4): the shorter of two that tie; a single payment's own term."""
    amounts = [(days[0], -100), *((day, 60) for day in days[1:])]
    assert str(of_dates(amounts, US).unit) == unit


@pytest.mark.parametrize(
    ("amounts", "field"),
    [
        ([(date(2024, 1, 1), 5)], "advance"),
        ([(date(2024, 1, 2), -5), (date(2024, 1, 1), 5)], "date"),
        ([(date(2024, 1, 1), -5), (date(2024, 1, 1), 5)], "payment"),
    ],
)
def test_dates_that_tell_no_clock_are_refused(amounts: list[tuple[date, int]], field: str) -> None:
    """No advance, a payment before it, or none after it."""
    with pytest.raises(InvalidInput) as refused:
        of_dates(amounts, US)
    assert refused.value.field == field


def test_a_series_may_have_as_many_payments_as_flows_are_reckoned_with() -> None:
    """20 000 daily payments are a series; one more is refused (below)."""
    assert Payments(1, 20_000).count == 20_000


def test_without_a_unit_period_of_its_own_the_most_frequent_of_the_payments_names_it() -> None:
    """Two monthly groups of two outnumber a weekly one of three; of a tie the shorter is taken."""
    lent = [Payments(100, on=date(2024, 1, 1))]
    monthly = Payments(10, 2, date(2024, 2, 1), MONTH)
    weekly = Payments(10, 3, date(2024, 2, 1), WEEK)
    assert dated(lent, [monthly, weekly, monthly], US).unit == MONTH
    assert dated(lent, [weekly, monthly, weekly], US).unit == WEEK
    tie = replace(weekly, count=2)
    assert dated(lent, [monthly, tie], US).unit == WEEK
    assert dated(lent, [tie, monthly], US).unit == WEEK


def test_a_unit_period_given_is_the_clock_and_the_step_of_groups_that_name_none() -> None:
    """Advances and payments a week apart because the unit is a week; monthly ones on its clock."""
    lent = [Payments(50, 2, date(2024, 1, 1))]
    timed = dated(lent, [Payments(40, 2, date(2024, 1, 15)), Payments(30, every=MONTH)], US, WEEK)
    assert timed.unit == WEEK
    assert [(flow.minor, flow.at) for flow in timed.flows] == [
        (-50, 0),
        (-50, 1),
        (40, 2),
        (40, 3),
        (30, 7 + Fraction(3, 7)),
    ]


def test_an_amount_of_nothing_is_no_advance() -> None:
    """A row of zero before the first advance does not start the clock, and is refused as early."""
    with pytest.raises(InvalidInput, match="date"):
        of_dates([(date(2024, 1, 1), 0), (date(2024, 2, 1), -5), (date(2024, 3, 1), 6)], US)
    with pytest.raises(InvalidInput, match="date"):
        of_dates([(date(2024, 1, 1), 1), (date(2024, 2, 1), -5), (date(2024, 3, 1), 6)], US)


def test_times_in_years_have_one_period_a_year() -> None:
    """The rules of eu and irr count years, so a year has one period; amounts stay."""
    amounts = [(date(2023, 1, 1), -100), (date(2024, 1, 1), 110)]
    for method in (EU, IRR):
        timed = of_dates(amounts, method)
        assert timed.per_year == 1
        assert [flow.minor for flow in timed.flows] == [-100, 110]


def test_amounts_and_counts_are_above_zero() -> None:
    """And where one group is dated, the first of the others is too."""
    with pytest.raises(InvalidInput, match="amount"):
        Payments(0)
    for count in (0, 20_001):
        with pytest.raises(InvalidInput, match="count"):
            Payments(1, count)
    with pytest.raises(InvalidInput, match="advance"):
        dated([Payments(1)], [Payments(1, on=date(2024, 1, 1))], US)
