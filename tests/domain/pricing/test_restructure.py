"""New terms for what is left of a loan: everything the next version of a schedule takes over."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.pricing.restructure import Effect, reamortise, remaining_terms
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build

FEBRUARY, APRIL = date(2024, 2, 15), date(2024, 4, 15)


def terms(**changed: Any) -> ScheduleTerms:
    """12000.00 at 12 percent over 12 months, due on the 15th, unless changed."""
    values: dict[str, Any] = {
        "principal_minor": 1_200_000,
        "currency": "CNY",
        "annual_rate_percent": Decimal(12),
        "periods": 12,
        "method": Method.EQUAL_PRINCIPAL,
        "day_count": DayCount.MONTHS,
        "disbursed_on": date(2024, 1, 15),
        "first_due_on": FEBRUARY,
        "every": Frequency(1, "month"),
    }
    return ScheduleTerms(**(values | changed))


def test_an_odd_last_due_date_stays_unless_the_term_is_another() -> None:
    """The last installment on 20 January 2025: kept for the same term, void for a new one."""
    odd = date(2025, 1, 20)
    made = terms(last_due_on=odd)
    assert remaining_terms(made, build(made), APRIL, 900_000).last_due_on == odd
    assert remaining_terms(made, build(made), APRIL, 900_000, periods=9).last_due_on is None


def test_what_begins_on_the_day_is_in_force_and_not_still_to_come() -> None:
    """A rate and a part of 15 April belong to the balance and the rate of that day."""
    made = terms(
        method=Method.EQUAL_INSTALLMENT,
        rate_changes=((APRIL, Decimal(10)), (date(2024, 8, 1), Decimal(9))),
        drawdowns=((APRIL, 100), (date(2024, 9, 1), 200)),
    )
    left = remaining_terms(made, build(made), APRIL, 900_000)
    assert left.annual_rate_percent == 10
    assert left.rate_changes == ((date(2024, 8, 1), Decimal(9)),)
    assert left.drawdowns == ((date(2024, 9, 1), 200),)


@pytest.mark.parametrize(
    ("grace", "free", "periods", "left"),
    [(12, 12, None, (8, 9)), (12, 12, 2, (1, 2)), (2, 3, None, (0, 0)), (11, 4, None, (8, 1))],
)
def test_grace_is_what_remains_of_it_within_the_new_term(
    grace: int, free: int, periods: int | None, left: tuple[int, int]
) -> None:
    """Three have passed. The last of the new term repays principal, whatever grace remains."""
    made = terms(periods=13, principal_grace=grace, interest_free=free)
    lines = build(made)
    if periods is None:
        lines = lines[:-1]
    found = remaining_terms(made, lines, APRIL, 900_000, periods)
    assert (found.principal_grace, found.interest_free) == left


def test_a_balloon_and_a_rounding_never_exceed_what_is_left() -> None:
    """1000.00 left of a loan with a balloon of 3000.00 and installments in units of 2000.00."""
    made = terms(balloon_minor=300_000, round_installment_to_minor=200_000)
    left = remaining_terms(made, build(terms()), APRIL, 100_000)
    assert (left.balloon_minor, left.round_installment_to_minor) == (100_000, 100_000)
    same = remaining_terms(made, build(terms()), APRIL, 900_000)
    assert (same.balloon_minor, same.round_installment_to_minor) == (300_000, 200_000)


def test_an_agreed_installment_falls_with_the_balance() -> None:
    """Agreed at 1066.19; with half the balance the smaller installment is computed anew."""
    made = terms(method=Method.EQUAL_INSTALLMENT, installment_minor=106_619)
    lines = build(made)
    smaller = reamortise(made, lines, APRIL, lines[2].balance // 2, Effect.SMALLER_INSTALLMENT)
    assert [line.due_on for line in smaller] == [line.due_on for line in lines[3:]]
    assert smaller[0].total == 53_309


def test_equal_parts_get_fewer_before_the_same_balloon() -> None:
    """A balloon of 3000.00 stays for the end: 3500.00 left are one part of 750.00 before it."""
    made = terms(balloon_minor=300_000)
    lines = build(made)
    short = reamortise(made, lines, APRIL, 350_000, Effect.SHORTER_TERM)
    assert [line.principal for line in short] == [350_000]
    longer = reamortise(made, lines, APRIL, 450_000, Effect.SHORTER_TERM)
    assert [line.principal for line in longer] == [75_000, 375_000]


def test_a_shorter_term_ends_on_a_regular_date() -> None:
    """The odd date of the old last installment goes with it."""
    made = terms(last_due_on=date(2025, 1, 20))
    short = reamortise(made, build(made), APRIL, 200_000, Effect.SHORTER_TERM)
    assert [line.due_on for line in short] == [date(2024, 5, 15), date(2024, 6, 15)]


def test_parts_of_one_unit_get_fewer_as_well() -> None:
    """Twelve cents over twelve months: with two left of nine, two months."""
    made = terms(principal_minor=12)
    short = reamortise(made, build(made), APRIL, 2, Effect.SHORTER_TERM)
    assert [line.principal for line in short] == [1, 1]
