"""The worked examples of Regulation Z, appendix J (c), from their dates alone.

12 CFR 1026 appendix J (c) (1) to (5); the later rows are dates moved by others and confirmed with a
spreadsheet (FSharp.Finance.Personal, AprUsActuarialTests.fs, read as facts).
"""

from collections.abc import Sequence
from datetime import date

import pytest

from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.frequency import Frequency
from domain.pricing.timing import of_dates
from domain.pricing.unitperiod import UnitPeriod

US = AprMethod.US_ACTUARIAL


def loan(lent_on: date, lent: str, every: str, first: date, *paid: str) -> list[tuple[date, int]]:
    """An advance and payments such as `23000x24`, one period apart; amounts in cents."""
    amounts = [
        int(minor)
        for group in paid
        for minor, _, count in [group.partition("x")]
        for _ in range(int(count or 1))
    ]
    dates = [Frequency.parse(every).date_at(first, index) for index in range(len(amounts))]
    return [(lent_on, -int(lent)), *zip(dates, amounts, strict=True)]


JANUARY = date(1978, 1, 10)
FEBRUARY = date(1978, 2, 10)
QUARTERLY = ("1000000", "3m", date(1978, 10, 1), "38500x40")
FIVE_WEEKS = ("100000", "1w", date(2023, 11, 30), "25000x5")


@pytest.mark.parametrize(
    ("amounts", "unit", "published"),
    [
        # (c) (1): one advance, regular but for the first period.
        (loan(JANUARY, "500000", "1m", FEBRUARY, "23000x24"), "month", "9.69"),
        (loan(FEBRUARY, "600000", "1m", date(1978, 4, 1), "20000x36"), "month", "11.82"),
        (
            loan(date(1978, 2, 23), "500000", "half-month", date(1978, 3, 1), "21917x24"),
            "half-month",
            "10.34",
        ),
        (loan(date(1978, 5, 23), *QUARTERLY), "3m", "8.97"),
        (
            loan(date(1978, 3, 20), "50000", "1w", date(1978, 4, 21), "1760x30"),
            "week",
            "14.96",
        ),
        # (c) (2): an odd first payment.
        (loan(JANUARY, "500000", "1m", FEBRUARY, "25000", "23000x23"), "month", "10.08"),
        (
            loan(date(1978, 3, 18), "40000", "4w", date(1978, 4, 20), "3950", "3831x11"),
            "4w",
            "28.50",
        ),
        # (c) (3): an odd final payment.
        (loan(JANUARY, "500000", "1m", FEBRUARY, "23000x23", "28000"), "month", "10.50"),
        (
            loan(date(1978, 4, 3), "20000", "2w", date(1978, 4, 11), "950x19", "3000"),
            "2w",
            "12.22",
        ),
        # (c) (4): both.
        (loan(JANUARY, "500000", "1m", FEBRUARY, "25000", "23000x22", "28000"), "month", "10.90"),
        (
            loan(JANUARY, "800000", "2m", date(1978, 3, 1), "44936", "46500x18", "20000"),
            "2m",
            "7.30",
        ),
        # (c) (5): one payment, its term in days.
        ([(date(1978, 1, 3), -100_000), (date(1978, 9, 15), 108_000)], "255d", "11.45"),
        # Moved: a quarter or less before the first payment, days, weeks around one week, years.
        (loan(date(1978, 6, 23), *QUARTERLY), "3m", "9.15"),
        (loan(date(1978, 7, 23), *QUARTERLY), "3m", "9.32"),
        (loan(date(2023, 10, 26), "100000", "1d", date(2023, 11, 30), "22000x5"), "day", "94.15"),
        (loan(date(2023, 10, 28), *FIVE_WEEKS), "week", "176.52"),
        (loan(date(2023, 11, 23), *FIVE_WEEKS), "week", "412.40"),
        (loan(date(2023, 11, 24), *FIVE_WEEKS), "week", "434.30"),
        (loan(date(2023, 10, 26), "100000", "12m", date(2023, 11, 30), "50000x5"), "year", "78.34"),
    ],
)
def test_the_dates_of_a_loan_give_its_published_rate(
    amounts: Sequence[tuple[date, int]], unit: str, published: str
) -> None:
    """Unit period, whole and odd time and rate, nothing named by hand; and the same when named."""
    for named in (None, UnitPeriod.parse(unit)):
        timed = of_dates(amounts, US, named)
        assert str(timed.unit) == unit
        assert disclose(apr(timed.flows, US, timed.per_year).disclosed) == published
