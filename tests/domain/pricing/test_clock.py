"""Unit periods counted from dates, and the rates that hang on them."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.clock import eu_clock, term_of_units, us_clock
from domain.pricing.timing import Payments, dated, of_dates, undated
from domain.pricing.unitperiod import UnitPeriod

US, EU, IRR = AprMethod.US_ACTUARIAL, AprMethod.EU, AprMethod.IRR
DAY, WEEK, HALF = UnitPeriod(1, "day"), UnitPeriod(1, "week"), UnitPeriod(1, "half-month")
MONTH, YEAR = UnitPeriod(1, "month"), UnitPeriod(1, "year")


def rate(amounts: list[tuple[date, int]], method: AprMethod, unit: UnitPeriod | None = None) -> str:
    """The rate of dated amounts as it is disclosed."""
    timed = of_dates(amounts, method, unit)
    return disclose(apr(timed.flows, method, timed.per_year, timed.unit.per_year).disclosed)


def test_fifteen_for_a_hundred_over_two_weeks_is_391_percent() -> None:
    """Appendix J (b) (5) (vii): 365 over the days of the term, so 391.07 and not 390.00.

    The figure that every United States payday lender shows for this loan.
    """
    flows = [(date(2024, 1, 1), -10_000), (date(2024, 1, 15), 11_500)]
    assert rate(flows, US) == "391.07"
    assert str(of_dates(flows, US).unit) == "14d"


@pytest.mark.parametrize("unit", [None, DAY, WEEK, MONTH, YEAR])
def test_a_single_payment_counts_in_its_own_term_whatever_is_named(unit: UnitPeriod | None) -> None:
    """Appendix J (b) (4) (ii): 1000, repaid by 1080 after 251 days, is 11.63."""
    assert rate([(date(1978, 1, 1), -100_000), (date(1978, 9, 9), 108_000)], US, unit) == "11.63"


@pytest.mark.parametrize(
    ("unit", "odd_periods", "odd_days", "shown", "at", "percent"),
    [
        (DAY, Fraction(251), 0, "251d", Fraction(1), "11.63"),
        (DAY, Fraction(365), 0, "365d", Fraction(1), "8.00"),
        (MONTH, Fraction(0), 251, "251d", Fraction(1), "11.63"),
        (WEEK, Fraction(2), 0, "14d", Fraction(1), "208.57"),
        (WEEK, Fraction(2), 1, "15d", Fraction(1), "194.67"),
        (MONTH, Fraction(6), 0, "6m", Fraction(1), "16.00"),
        (HALF, Fraction(2), 0, "month", Fraction(1), "96.00"),
        (MONTH, Fraction(12), 0, "year", Fraction(1), "8.00"),
        (MONTH, Fraction(18), 0, "year", Fraction(3, 2), "5.24"),
        (DAY, Fraction(366), 0, "year", 1 + Fraction(1, 365), "7.98"),
        # Months and days together: only dates tell how many days they are.
        (MONTH, Fraction(1), 19, "month", 1 + Fraction(19, 30), "57.70"),
        (HALF, Fraction(1), 0, "half-month", Fraction(1), "192.00"),
    ],
)
def test_a_single_payment_without_dates_counts_in_its_own_term_too(
    unit: UnitPeriod, odd_periods: Fraction, odd_days: int, shown: str, at: Fraction, percent: str
) -> None:
    """8 for 100 at the end: simple interest within a year, its odd part simple beyond."""
    timed = undated(10_000, [Payments(10_800)], US, unit, odd_periods, odd_days)
    assert (str(timed.unit), timed.flows[1].at) == (shown, at)
    assert disclose(apr(timed.flows, US, timed.per_year).disclosed) == percent


def test_a_part_of_a_day_is_no_term() -> None:
    """Nor is no time at all: both stay on the clock that was named."""
    assert term_of_units(DAY, Fraction(1, 2), 0) is None
    assert term_of_units(MONTH, Fraction(0), 0) is None


def test_the_other_methods_know_no_such_term() -> None:
    """Six months of the directive are half a year of compound interest."""
    timed = undated(10_000, [Payments(10_800)], EU, MONTH, Fraction(6))
    assert (timed.unit, timed.flows[1].at) == (MONTH, 6)
    assert disclose(apr(timed.flows, EU, timed.per_year).disclosed) == "16.64"


def test_two_payments_count_in_what_is_named() -> None:
    """The term rule is for one advance and one payment only."""
    start, first, second = date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)
    assert us_clock([start], [first, second], WEEK) == WEEK
    assert us_clock([start, first], [second], WEEK) == WEEK
    assert us_clock([start], [second], WEEK) == UnitPeriod(2, "month")


@pytest.mark.parametrize(
    "days",
    [
        # First and sixteenth; fifteenth and last; first and fifteenth; six days before them.
        [(1, 1), (1, 16), (2, 1), (2, 16), (3, 1), (3, 16), (4, 1)],
        [(1, 15), (1, 31), (2, 15), (2, 28), (3, 15), (3, 31)],
        [(1, 1), (1, 15), (2, 1), (2, 15), (3, 1), (3, 15), (4, 1)],
        [(2, 23), (3, 1), (3, 16), (4, 1), (4, 16)],
    ],
)
def test_two_dates_a_month_are_half_months(days: list[tuple[int, int]]) -> None:
    """Appendix J (b) (3) (iii): a semimonth is a standard interval, its days differ."""
    dates = [date(2023, month, day) for month, day in days]
    assert us_clock(dates[:1], dates[1:]) == HALF


def test_every_two_weeks_is_no_half_month_even_in_february() -> None:
    """Fourteen and fourteen days make that month, and are weeks all the same."""
    dates = [date(2023, 2, 1) + timedelta(days=14 * index) for index in range(3)]
    assert us_clock(dates[:1], dates[1:]) == UnitPeriod(2, "week")


def test_twelve_days_and_the_rest_are_no_halves() -> None:
    """Thirteen are, the least that February leaves: so here the months occur most often."""
    dates = [date(2023, month, day) for month in (2, 3, 4) for day in (1, 13)]
    assert us_clock(dates[:1], dates[1:]) == UnitPeriod(12, "day")


def test_advances_and_payments_are_two_series() -> None:
    """Appendix J (b) (3) (i): no interval lies between an advance and a payment but the first.

    Advances every month on the first, payments every month on the fifteenth: months, where one
    series of all dates would count days.
    """
    lent = [date(2024, month, 1) for month in (1, 2, 3)]
    paid = [date(2024, month, 15) for month in (1, 2, 3, 4)]
    assert us_clock(lent, paid) == MONTH
    amounts = [*((day, -100) for day in lent), *((day, 80) for day in paid)]
    assert of_dates(amounts, US).unit == MONTH


def test_money_paid_on_the_first_day_is_no_payment_of_the_series() -> None:
    """A fee kept back at once lessens the advance; the term is that of the one payment."""
    flows = [(date(2024, 1, 1), -100), (date(2024, 1, 1), 5), (date(2024, 7, 1), 105)]
    assert of_dates(flows, US).unit == UnitPeriod(6, "month")


@pytest.mark.parametrize(
    ("lengths", "unit"),
    [
        ([8, 52], MONTH),
        ([40, 65], UnitPeriod(7, "week")),
        ([10, 19], UnitPeriod(2, "week")),
        ([10, 20], HALF),
        ([10, 21], HALF),
        ([1, 2], DAY),
        ([200, 220], UnitPeriod(7, "month")),
        ([525, 996], YEAR),
        ([730, 730], YEAR),
        ([364, 366], YEAR),
    ],
)
def test_without_a_common_interval_the_average_one_is_the_unit_period(
    lengths: list[int], unit: UnitPeriod
) -> None:
    """Appendix J (b) (4) (i) (B): the nearest standard interval, the lower of two as near."""
    first = date(2023, 1, 10) + timedelta(days=lengths[0])
    paid = [first, first + timedelta(days=lengths[1])]
    assert us_clock([date(2023, 1, 10)], paid) == unit


def test_the_directive_counts_whole_weeks_where_there_are_no_whole_months() -> None:
    """2014/17/EU annex I: 21 weeks are 21/52 of a year, four weeks to February are a month."""
    start = date(2023, 1, 2)
    weekly = [start + timedelta(days=7 * index) for index in range(1, 22)]
    assert eu_clock(start, weekly) == WEEK
    flows = [(start, -100), *((day, 5) for day in weekly)]
    assert of_dates(flows, EU).flows[-1].at == Fraction(21, 52)
    assert eu_clock(date(2023, 2, 1), [date(2023, 3, 1)]) == MONTH
    assert eu_clock(start, [*weekly, date(2023, 6, 2)]) == MONTH
    assert of_dates(flows, EU, MONTH).flows[1].at == Fraction(7, 365)


def test_a_group_that_goes_on_keeps_its_day_of_the_month() -> None:
    """From 31 January: 28 February and then 31 March, in one group or in two."""
    lent = [Payments(100, on=date(2022, 12, 31))]
    one = dated(lent, [Payments(50, 3, date(2023, 1, 31), MONTH)], US)
    two = dated(lent, [Payments(50, 2, date(2023, 1, 31), MONTH), Payments(50, every=MONTH)], US)
    assert one.flows == two.flows
    assert two.flows[-1].at == 3
