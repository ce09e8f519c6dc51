"""Penalty interest: which days count, at which rate, and that nothing drifts."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.pricing.amounts import Amounts
from domain.pricing.penalty import LONGEST_DAYS, PenaltyRule, penalty, to_book

DUE = date(2024, 1, 1)
OWED = Amounts(principal=100_000, interest=10_000)


def rule(**changed: Any) -> PenaltyRule:
    """18 percent over 360 days on principal, no grace: 50 minor units a day on 1000.00."""
    values: dict[str, Any] = {
        "annual_rate_percent": Decimal(18),
        "day_basis": 360,
        "on_interest": False,
        "grace_days": 0,
    }
    return PenaltyRule(**(values | changed))


def after(days: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=days)


@pytest.mark.parametrize(("days_late", "minor"), [(0, 0), (1, 50), (10, 500), (31, 1_550)])
def test_an_installment_paid_n_days_late_bears_n_days(days_late: int, minor: int) -> None:
    """The due date does not count, the day of payment does."""
    assert penalty(OWED, rule(), DUE, DUE, after(days_late)) == minor


def test_interest_bears_penalty_where_the_product_says_so() -> None:
    """18 percent of 1100.00 over 360 is 0.55 a day."""
    assert penalty(OWED, rule(on_interest=True), DUE, DUE, after(10)) == 550


def test_the_basis_is_360_or_365() -> None:
    """By 365 the same day is 18000 / 365."""
    assert penalty(OWED, rule(day_basis=365), DUE, DUE, after(1)) == Fraction(18_000, 365)


@pytest.mark.parametrize(("days_late", "minor"), [(3, 0), (4, 50), (10, 350)])
def test_days_of_grace_never_bear_penalty_also_later(days_late: int, minor: int) -> None:
    """Three days of grace: paid on the fourth day it is one day, not four."""
    assert penalty(OWED, rule(grace_days=3), DUE, DUE, after(days_late)) == minor


def test_days_that_we_caused_never_count() -> None:
    """Two days of rail failure out of ten; one outside the span does not matter."""
    excused = frozenset({after(4), after(5), after(90)})
    assert penalty(OWED, rule(), DUE, DUE, after(10), excused) == 400
    compounded = penalty(OWED, rule(compounding=True), DUE, DUE, after(3), excused)
    assert compounded == penalty(OWED, rule(compounding=True), DUE, DUE, after(3))


def test_rates_may_rise_with_days_past_due() -> None:
    """18 percent for 5 days, 36 from the sixth on: 5 x 50 + 5 x 100."""
    stepped = rule(steps=((6, Decimal(36)),))
    assert penalty(OWED, stepped, DUE, DUE, after(10)) == 750


def test_no_step_lifts_the_rate_over_its_cap() -> None:
    """36 percent from the sixth day, capped at 24: 5 x 50 + 5 x 66.67."""
    stepped = rule(steps=((6, Decimal(36)),), cap_rate_percent=Decimal(24))
    assert penalty(OWED, stepped, DUE, DUE, after(10)) == 250 + 5 * Fraction(24_000, 360)


def test_compounding_bears_penalty_on_penalty() -> None:
    """Three days at 0.05 percent: 100000 x (1.0005 ** 3 - 1)."""
    found = penalty(OWED, rule(compounding=True), DUE, DUE, after(3))
    assert found == 100_000 * (Fraction(10_005, 10_000) ** 3 - 1)


def test_caps_in_money_and_as_a_fraction() -> None:
    """At most 3.00, or 0.2 percent of the principal; what was accrued before fills the cap."""
    capped = rule(cap_minor=300)
    assert penalty(OWED, capped, DUE, DUE, after(10)) == 300
    assert penalty(OWED, capped, DUE, DUE, after(10), before=Fraction(280)) == 20
    assert penalty(OWED, capped, DUE, DUE, after(10), before=Fraction(400)) == 0
    assert penalty(OWED, rule(cap_fraction=Fraction(2, 1_000)), DUE, DUE, after(10)) == 200


def test_a_span_that_ends_before_it_begins_bears_nothing() -> None:
    """Also when only grace lies between."""
    assert penalty(OWED, rule(), DUE, after(5), after(4)) == 0


def test_a_span_of_more_than_ten_years_is_refused() -> None:
    """The longest is taken, one day more is a typing error."""
    assert penalty(OWED, rule(), DUE, DUE, after(LONGEST_DAYS)) == 50 * LONGEST_DAYS
    with pytest.raises(InvalidInput) as refused:
        penalty(OWED, rule(), DUE, DUE, after(LONGEST_DAYS + 1))
    assert refused.value.field == "to"
    assert refused.value.rule == f"at most {LONGEST_DAYS} days from 2024-01-02"


def test_a_value_date_back_reverses_what_was_booked_too_much() -> None:
    """Ten days booked, the payment counts from the seventh: 1.50 comes back."""
    booked = to_book(penalty(OWED, rule(), DUE, DUE, after(10)), 0)
    assert booked == 500
    assert to_book(penalty(OWED, rule(), DUE, DUE, after(7)), booked) == -150


@given(
    st.integers(1, 10**7),
    st.decimals("0.01", 40, places=2),
    st.lists(st.integers(1, 20), min_size=1, max_size=8),
    st.booleans(),
)
def test_booking_day_by_day_ends_where_booking_at_once_ends(
    principal: int, rate: Decimal, spans: list[int], compounding: bool
) -> None:
    """However the days are cut, what is booked sums to the rounded whole."""
    owed = Amounts(principal=principal)
    made = rule(annual_rate_percent=rate, compounding=compounding)
    exact, booked, day = Fraction(0), 0, 0
    for length in spans:
        exact += penalty(owed, made, DUE, after(day + 1), after(day + length), before=exact)
        booked += to_book(exact, booked)
        day += length
    assert exact == penalty(owed, made, DUE, DUE, after(day))
    assert booked == to_book(exact, 0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"annual_rate_percent": Decimal(-1)},
            "penalty rate: -1 is refused: 0 to 10000 percent a year",
        ),
        ({"day_basis": 364}, "day_basis: 364 is refused: 360 or 365"),
        ({"grace_days": -1}, "grace_days: -1 is refused: from 0 to 3660"),
        (
            {"steps": ((0, Decimal(1)),)},
            "steps: [0] is refused: days past due above zero, ascending, each once",
        ),
        (
            {"steps": ((5, Decimal(1)), (5, Decimal(2)))},
            "steps: [5, 5] is refused: days past due above zero, ascending, each once",
        ),
        (
            {"steps": ((6, Decimal(1)), (5, Decimal(2)))},
            "steps: [6, 5] is refused: days past due above zero, ascending, each once",
        ),
        (
            {"steps": ((5, Decimal(-1)),)},
            "penalty rate: -1 is refused: 0 to 10000 percent a year",
        ),
        ({"cap_minor": -1}, "cap: -1 is refused: not negative"),
        ({"cap_fraction": Fraction(-1)}, "cap: -1 is refused: not negative"),
        (
            {"cap_rate_percent": Decimal(-1)},
            "cap rate: -1 is refused: 0 to 10000 percent a year",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(changed: dict[str, Any], said: str) -> None:
    """Field, value and rule, before any day is counted; a step on the first day is taken."""
    with pytest.raises(InvalidInput) as refused:
        rule(**changed)
    assert str(refused.value) == said
    assert rule(steps=((1, Decimal(36)),), cap_minor=0, cap_fraction=Fraction(0)).grace_days == 0


@given(
    st.dictionaries(st.integers(1, 90), st.integers(0, 60), max_size=3).map(dict.items).map(sorted),
    st.lists(st.integers(0, 80), max_size=5),
    st.integers(0, 40),
    st.integers(0, 60),
    st.integers(0, 5),
)
def test_days_are_counted_as_if_one_by_one(
    steps: list[tuple[int, int]], out: list[int], first: int, length: int, grace: int
) -> None:
    """Rates that rise, days left out, a span that begins anywhere: the sum over all its days."""
    made = rule(steps=tuple((dpd, Decimal(rate)) for dpd, rate in steps), grace_days=grace)
    owed, last = Amounts(principal=100_000), first + length
    excused = frozenset(DUE + timedelta(days=dpd) for dpd in out)
    counted = [dpd for dpd in range(max(first, grace + 1), last + 1) if dpd not in out]
    wanted = sum((100_000 * made.rate_at(dpd) for dpd in counted), Fraction(0))
    days = DUE + timedelta(days=first), DUE + timedelta(days=last)
    assert penalty(owed, made, DUE, *days, excused) == wanted


def test_a_span_within_one_step_and_an_excused_day_of_compound_penalty() -> None:
    """Steps before and after the span add nothing; a day left out bears nothing, compounded too."""
    stepped = rule(steps=((10, Decimal(36)), (90, Decimal(72))))
    assert penalty(OWED, stepped, DUE, after(20), after(29)) == 10 * 100
    compound = rule(compounding=True)
    two_days = penalty(OWED, compound, DUE, after(1), after(2))
    assert penalty(OWED, compound, DUE, after(1), after(3), frozenset({after(2)})) == two_days
