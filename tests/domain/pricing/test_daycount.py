"""Day counts and frequencies, against QuantLib and by hand."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.pricing.daycount import DayCount, add_months, days_between, whole_months, year_fraction
from domain.pricing.frequency import Frequency

ORACLES = {
    DayCount.THIRTY_360: ql.Thirty360(ql.Thirty360.NASD),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.European),
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_360: ql.Actual360(),
    DayCount.ACT_ACT: ql.ActualActual(ql.ActualActual.ISDA),
}
DATES = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def ql_date(day: date) -> ql.Date:
    """The same day for QuantLib."""
    return ql.Date(day.day, day.month, day.year)


@pytest.mark.parametrize("count", [kind for kind in ORACLES if kind is not DayCount.THIRTY_360])
@given(start=DATES, length=st.integers(0, 4000))
def test_year_fractions_agree_with_quantlib(count: DayCount, start: date, length: int) -> None:
    """Every convention that QuantLib has under the same definition, for any two dates."""
    end = start + timedelta(days=length)
    theirs = ORACLES[count].yearFraction(ql_date(start), ql_date(end))
    assert float(year_fraction(start, end, count)) == pytest.approx(theirs, abs=1e-13)


@given(start=DATES, length=st.integers(0, 4000))
def test_thirty_360_us_agrees_with_quantlib_outside_february_ends(start: date, length: int) -> None:
    """QuantLib's bond basis has the same rule for the 31st, and none for the end of February."""
    end = start + timedelta(days=length)
    if (start + timedelta(days=1)).day == 1 and start.month == 2:
        return
    theirs = ql.Thirty360(ql.Thirty360.BondBasis).dayCount(ql_date(start), ql_date(end))
    assert days_between(start, end, DayCount.THIRTY_360) == theirs


@pytest.mark.parametrize(
    ("start", "end", "us", "european"),
    [
        (date(2024, 1, 31), date(2024, 2, 29), 29, 29),
        (date(2024, 2, 29), date(2024, 3, 31), 30, 31),
        (date(2023, 2, 28), date(2024, 2, 29), 360, 361),
        (date(2023, 2, 28), date(2023, 8, 31), 180, 182),
        (date(2024, 2, 28), date(2024, 3, 31), 33, 32),
        (date(2024, 1, 30), date(2024, 1, 31), 0, 0),
        (date(2024, 1, 31), date(2024, 3, 31), 60, 60),
        (date(2024, 1, 29), date(2024, 3, 31), 62, 61),
    ],
)
def test_thirty_360_at_the_ends_of_months(start: date, end: date, us: int, european: int) -> None:
    """The US rule makes the end of February a 30th when the period starts there; 30E does not."""
    assert days_between(start, end, DayCount.THIRTY_360) == us
    assert days_between(start, end, DayCount.THIRTY_E_360) == european


def test_act_act_counts_leap_years_apart() -> None:
    """ISDA: 1 November 2003 to 1 May 2004 is 61/365 + 121/366."""
    found = year_fraction(date(2003, 11, 1), date(2004, 5, 1), DayCount.ACT_ACT)
    assert found == Fraction(61, 365) + Fraction(121, 366)


def test_a_month_is_a_twelfth_and_an_odd_day_a_three_hundred_and_sixtieth() -> None:
    """Seen without a schedule, months and ICMA count alike."""
    for count in (DayCount.MONTHS, DayCount.ACT_ACT_ICMA):
        found = year_fraction(date(2024, 1, 10), date(2024, 3, 15), count)
        assert found == Fraction(2, 12) + Fraction(5, 360)


@pytest.mark.parametrize(
    ("start", "end", "months", "days"),
    [
        (date(2023, 1, 31), date(2023, 2, 28), 1, 0),
        (date(2024, 1, 31), date(2024, 2, 29), 1, 0),
        (date(2023, 2, 28), date(2023, 3, 31), 1, 0),
        (date(2023, 1, 30), date(2023, 3, 31), 2, 1),
        (date(1978, 1, 10), date(1978, 3, 1), 1, 22),
        (date(1978, 2, 10), date(1978, 4, 1), 1, 19),
        (date(2024, 5, 5), date(2024, 5, 5), 0, 0),
        (date(2022, 11, 15), date(2024, 1, 20), 14, 5),
        (date(2024, 5, 5), date(2024, 6, 4), 0, 30),
    ],
)
def test_whole_months_are_counted_back_from_the_later_date(
    start: date, end: date, months: int, days: int
) -> None:
    """Odd days lie at the beginning; a month cut short by February is whole."""
    assert whole_months(start, end) == (months, days)


@given(DATES, st.integers(0, 600), st.integers(1, 31))
def test_months_keep_the_anchor_day_or_end_with_the_month(
    day: date, months: int, anchor: int
) -> None:
    """The day wanted, or the last one where the month is shorter."""
    found = add_months(day, months, anchor)
    assert found.day == anchor or (found + timedelta(days=1)).day == 1
    assert (found.year - day.year) * 12 + found.month - day.month == months


@pytest.mark.parametrize("months", [-24_300, 200_000])
def test_a_date_outside_the_calendar_is_refused(months: int) -> None:
    """Before year 1 or after year 9999; the first and the last year are taken."""
    with pytest.raises(InvalidInput) as refused:
        add_months(date(2024, 1, 1), months)
    assert refused.value.args == (
        f"date: '2024-01-01 + {months} months' is refused: a year from 1 to 9999",
    )
    assert add_months(date(2024, 1, 1), -2023 * 12) == date(1, 1, 1)
    assert add_months(date(2024, 1, 1), 7975 * 12) == date(9999, 1, 1)


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("1m", 1, "month"),
        ("3m", 3, "month"),
        ("2w", 2, "week"),
        ("10d", 10, "day"),
        ("half-month", 1, "half-month"),
    ],
)
def test_frequencies_are_read_and_written_alike(text: str, count: int, unit: str) -> None:
    """What is read is written the same way."""
    every = Frequency.parse(text)
    assert (every.count, every.unit, str(every)) == (count, unit, text)


@pytest.mark.parametrize("text", ["", "m", "0m", "1y", "-1m", "1.5m", "121m", "521w", "1M", "1m "])
def test_a_frequency_that_is_none_is_refused(text: str) -> None:
    """By field and rule; ten years of months and of weeks are the limit."""
    with pytest.raises(InvalidInput) as refused:
        Frequency.parse(text)
    assert refused.value.field == "every"


def test_the_limits_of_frequencies_are_taken() -> None:
    """120 months, 520 weeks, 999 days."""
    assert [str(Frequency.parse(text)) for text in ("120m", "520w", "999d")] == [
        "120m",
        "520w",
        "999d",
    ]


def test_monthly_dates_spring_back_to_the_anchor() -> None:
    """31 January, 29 February, 31 March, 30 April: never 29 March."""
    every = Frequency(1, "month")
    found = [every.date_at(date(2024, 1, 31), index) for index in range(4)]
    assert found == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]
    assert every.date_at(date(2024, 2, 29), 1, anchor=31) == date(2024, 3, 31)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        (date(2024, 1, 15), [date(2024, 1, 30), date(2024, 2, 15), date(2024, 2, 29)]),
        (date(2024, 1, 31), [date(2024, 2, 15), date(2024, 2, 29), date(2024, 3, 15)]),
        (date(2024, 1, 1), [date(2024, 1, 16), date(2024, 2, 1), date(2024, 2, 16)]),
        (date(2024, 1, 16), [date(2024, 2, 1), date(2024, 2, 16), date(2024, 3, 1)]),
        (date(2024, 2, 20), [date(2024, 3, 5), date(2024, 3, 20), date(2024, 4, 5)]),
    ],
)
def test_half_months_have_two_days_of_the_month(first: date, later: list[date]) -> None:
    """The 15th goes with the 30th, the 1st with the 16th, the 31st with the 15th."""
    every = Frequency(1, "half-month")
    assert [every.date_at(first, index) for index in (1, 2, 3)] == later
    assert every.date_at(later[1], -1, anchor=first.day) == later[0]


def test_weeks_and_days_are_counted() -> None:
    """Two weeks are fourteen days, also across a month's end; beyond the calendar is refused."""
    assert Frequency(2, "week").date_at(date(2024, 2, 20), 1) == date(2024, 3, 5)
    assert Frequency(10, "day").date_at(date(2024, 2, 20), -1) == date(2024, 2, 10)
    with pytest.raises(InvalidInput):
        Frequency(999, "day").date_at(date(9999, 1, 1), 1)


def test_regular_periods_are_parts_of_a_year() -> None:
    """1/12, 1/4, 1/24, 1/52, 10/365."""
    found = [
        Frequency.parse(text).year_fraction for text in ("1m", "3m", "half-month", "1w", "10d")
    ]
    assert found == [
        Fraction(1, 12),
        Fraction(1, 4),
        Fraction(1, 24),
        Fraction(1, 52),
        Fraction(10, 365),
    ]
