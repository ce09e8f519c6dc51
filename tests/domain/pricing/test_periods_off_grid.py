"""A first due date that is not the day of the month wanted makes the second period odd."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from domain.pricing.periods import periods_of
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build


def terms(count: DayCount, every: str, first: date, anchor: int) -> ScheduleTerms:
    """1200.00 at 12 percent, interest only, lent on 15 January 2024."""
    return ScheduleTerms(
        principal_minor=120_000,
        currency="EUR",
        annual_rate_percent=Decimal(12),
        periods=4,
        method=Method.INTEREST_ONLY,
        day_count=count,
        disbursed_on=date(2024, 1, 15),
        first_due_on=first,
        every=Frequency.parse(every),
        anchor_day=anchor,
    )


@pytest.mark.parametrize(
    ("count", "every", "first", "anchor", "second", "third"),
    [
        # 15 February to 31 March: a month back is 29 February, and 14 days (of 29 before it).
        ("months", "1m", date(2024, 2, 15), 31, Fraction(1, 12) + Fraction(14, 360), (1, 12)),
        ("ACT/ACT-ICMA", "1m", date(2024, 2, 15), 31, Fraction(43, 12 * 29), (1, 12)),
        # On the grid: the last of February stands for the 31st.
        ("months", "1m", date(2024, 2, 29), 31, Fraction(1, 12), (1, 12)),
        # 10 February stands for the 15th; the 30th, in February the 29th, comes 19 days later.
        ("months", "half-month", date(2024, 2, 10), 15, Fraction(19, 360), (1, 24)),
        ("months", "half-month", date(2024, 2, 15), 31, Fraction(1, 24), (1, 24)),
        ("months", "2w", date(2024, 2, 15), 3, Fraction(2, 52), (2, 52)),
    ],
)
def test_the_second_period_counts_what_it_is(
    count: str,
    every: str,
    first: date,
    anchor: int,
    second: Fraction,
    third: tuple[int, int],
) -> None:
    """Not a regular one where its first day lies off the days wanted; the third is regular."""
    made = periods_of(terms(DayCount(count), every, first, anchor))
    assert made[1].fraction == second
    assert made[2].fraction == Fraction(*third)


def test_forty_five_days_bear_more_than_a_month() -> None:
    """12.00 a month: 17.60 for one month and 14 days, then 12.00 again."""
    lines = build(terms(DayCount.MONTHS, "1m", date(2024, 2, 15), 31))
    assert [line.due_on for line in lines][:3] == [
        date(2024, 2, 15),
        date(2024, 3, 31),
        date(2024, 4, 30),
    ]
    assert [line.interest for line in lines] == [1_200, 1_760, 1_200, 1_200]
