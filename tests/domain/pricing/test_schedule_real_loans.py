"""Five thousand real loans: our installment against the one that the lender charged."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.money import parse_minor
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build, check

LOANS = Path(__file__).resolve().parents[4] / "shared" / "data" / "loans" / "lendingclub-2018q1.csv"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    """Rows of the tape, or a skip where the sample is absent."""
    if not LOANS.is_file():
        pytest.skip("sample loans are absent: ../shared/data/loans")
    with LOANS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def terms_of(row: dict[str, str]) -> ScheduleTerms:
    """Terms of one row: monthly from the month after its issue, rate / 12 a month."""
    year, month = map(int, row["issue_month"].split("-"))
    return ScheduleTerms(
        principal_minor=parse_minor(row["loan_amount"], "USD"),
        currency="USD",
        annual_rate_percent=Decimal(row["interest_rate"]),
        periods=int(row["term"]),
        method=Method.EQUAL_INSTALLMENT,
        day_count=DayCount.MONTHS,
        disbursed_on=date(year, month, 1),
        first_due_on=date(year, month + 1, 1),
        every=Frequency(1, "month"),
    )


def test_installments_of_five_thousand_real_loans_agree_within_one_cent(
    rows: list[dict[str, str]],
) -> None:
    """All but a few rows at exactly 6 percent, which the lender's own data got wrong."""
    assert len(rows) == 5000
    exceptions: dict[str, tuple[str, int]] = {}
    for row in rows:
        lines = build(terms_of(row))
        check(lines, parse_minor(row["loan_amount"], "USD"))
        difference = lines[0].total - parse_minor(row["installment"], "USD")
        if abs(difference) > 1:
            exceptions[row["loan_id"]] = (row["interest_rate"], difference)
    assert exceptions == {"LC01548": ("6", 3), "LC01968": ("6", 2088)}
