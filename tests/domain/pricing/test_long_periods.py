"""Periods whose interest exceeds the installment, and irregular first and last periods."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.pricing.periods import periods_of
from domain.pricing.prepay import prepay
from domain.pricing.restructure import Effect, reamortise, remaining_terms
from domain.pricing.schedule import (
    DayCount,
    Frequency,
    Method,
    ScheduleLine,
    ScheduleTerms,
    build,
    usual_line,
)

JANUARY = date(2026, 1, 10)
MARCH = date(2026, 3, 1)


def mortgage(**changed: Any) -> ScheduleTerms:
    """300,000.00 at 7 percent over 360 months: the first period has fifty days."""
    values: dict[str, Any] = {
        "principal_minor": 30_000_000,
        "currency": "USD",
        "annual_rate_percent": Decimal(7),
        "periods": 360,
        "method": Method.EQUAL_INSTALLMENT,
        "day_count": DayCount.ACT_365F,
        "disbursed_on": JANUARY,
        "first_due_on": MARCH,
        "every": Frequency(1, "month"),
    }
    return ScheduleTerms(**(values | changed))


def quantlib_day(day: date) -> ql.Date:
    """The same day for QuantLib."""
    return ql.Date(day.day, day.month, day.year)


def level_by_quantlib(terms: ScheduleTerms, days: ql.DayCounter, paid: int) -> float:
    """The level installment after `paid` empty lines: its present value is the principal."""
    due = [terms.every.date_at(terms.first_due_on, index) for index in range(terms.periods)]
    annuity, discount = 0.0, 1.0
    for start, end in zip(due[paid - 1 :], due[paid:], strict=False):
        part = days.yearFraction(quantlib_day(start), quantlib_day(end))
        discount /= 1 + float(terms.annual_rate_percent) / 100 * part
        annuity += discount
    return (terms.principal_minor - terms.balloon_minor * discount) / annuity


def test_a_first_period_dearer_than_the_installment_leaves_the_term_as_it_is() -> None:
    """2876.71 of interest alone, then 359 equal installments of 1998.90, the last 1998.55."""
    lines = build(mortgage())
    assert len(lines) == 360
    assert (lines[0].principal, lines[0].interest) == (0, 287_671)
    assert {line.total for line in lines[1:-1]} == {199_890}
    assert lines[-1].total == 199_855
    assert usual_line(lines).total == 199_890


@pytest.mark.parametrize(
    ("count", "days"),
    [
        (DayCount.ACT_365F, ql.Actual365Fixed()),
        (DayCount.ACT_360, ql.Actual360()),
        (DayCount.ACT_ACT, ql.ActualActual(ql.ActualActual.ISDA)),
        (DayCount.THIRTY_E_360, ql.Thirty360(ql.Thirty360.European)),
        (DayCount.THIRTY_360, ql.Thirty360(ql.Thirty360.USA)),
    ],
)
@pytest.mark.parametrize("every", ["1m", "3m", "1w", "2w"])
@pytest.mark.parametrize("balloon", [0, 5_000_000])
def test_the_installment_after_a_long_first_period_is_that_of_quantlibs_day_count(
    count: DayCount, days: ql.DayCounter, every: str, balloon: int
) -> None:
    """For every frequency and day count, with a balloon and without: the term stays whole."""
    method = Method.BALLOON if balloon else Method.EQUAL_INSTALLMENT
    terms = mortgage(
        every=Frequency.parse(every),
        first_due_on=date(2026, 7, 1) if every == "3m" else MARCH,
        day_count=count,
        method=method,
        balloon_minor=balloon,
        periods=120,
        annual_rate_percent=Decimal(12),
    )
    lines = build(terms)
    assert len(lines) == 120
    assert lines[0].principal == 0
    assert all(line.principal >= 0 for line in lines)
    assert abs(lines[1].total - level_by_quantlib(terms, days, 1)) <= 0.5
    assert len({line.total for line in lines[1:-1]}) == 1


def test_every_period_dearer_than_the_installment_sets_it_anew() -> None:
    """A part lent on top makes the third period dearer than the installment: it counts anew."""
    drawn = ((date(2026, 4, 3), 90_000_000),)
    terms = mortgage(principal_minor=120_000_000, drawdowns=drawn, method=Method.EQUAL_INSTALLMENT)
    lines = build(terms)
    assert len(lines) == 360
    assert lines[0].principal == 0
    assert len({line.total for line in lines[3:-1]}) == 1


def test_an_installment_that_was_agreed_stays_whatever_the_first_period_costs() -> None:
    """It was not computed, so nothing computes it anew; the last line takes what is left."""
    lines = build(mortgage(installment_minor=199_600))
    assert lines[0].total == 287_671
    assert {line.total for line in lines[1:-1]} == {199_600}
    assert len(lines) == 360


def test_a_part_payment_before_the_first_due_date_keeps_the_usual_installment() -> None:
    """Not the odd first line: 1998.90 stays the installment, and the loan ends earlier."""
    terms = mortgage()
    paid = prepay(terms, build(terms), date(2026, 2, 1), 3_000_000, Effect.SHORTER_TERM)
    assert {line.total for line in paid.lines[1:-1]} == {199_890}
    assert 240 < len(paid.lines) < 360


def test_the_usual_line_is_the_first_that_repays_principal() -> None:
    """Grace is passed over; where only the last line repays principal, the first one is usual."""
    assert usual_line(build(mortgage(principal_grace=3))).number == 4
    assert usual_line(build(mortgage(method=Method.INTEREST_ONLY, periods=12))).number == 1
    assert usual_line(build(mortgage(periods=1))).number == 1


def test_an_odd_last_period_of_icma_counts_forward_from_the_date_before_it() -> None:
    """152 of the 182 days of a half-year that begins on 30 January 2000: 152/364 of a year."""
    terms = mortgage(
        principal_minor=1_000_000,
        annual_rate_percent=Decimal(12),
        periods=2,
        method=Method.INTEREST_ONLY,
        day_count=DayCount.ACT_ACT_ICMA,
        every=Frequency(6, "month"),
        disbursed_on=date(1999, 7, 30),
        first_due_on=date(2000, 1, 30),
        last_due_on=date(2000, 6, 30),
    )
    assert [line.interest for line in build(terms)] == [60_000, 50_110]


@st.composite
def stubbed(draw: st.DrawFn) -> ScheduleTerms:
    """Terms by ICMA with a first and a last period of any length."""
    every = Frequency(draw(st.sampled_from([1, 3, 6, 12])), "month")
    first = draw(st.dates(date(2000, 1, 1), date(2030, 12, 31)).filter(lambda d: d.day <= 28))
    periods = draw(st.integers(2, 6))
    before_last = every.date_at(first, periods - 2)
    return mortgage(
        every=every,
        periods=periods,
        day_count=DayCount.ACT_ACT_ICMA,
        disbursed_on=first - timedelta(draw(st.integers(1, 500))),
        first_due_on=first,
        last_due_on=before_last + timedelta(draw(st.integers(1, 500))),
    )


@settings(max_examples=300, deadline=None)
@given(stubbed())
def test_irregular_ends_of_icma_agree_with_quantlib(terms: ScheduleTerms) -> None:
    """Short and long ones: QuantLib is given the regular period beside each of them."""
    days = ql.ActualActual(ql.ActualActual.ISMA)
    made = periods_of(terms)
    first, last = made[0], made[-1]
    beside_first = (terms.every.date_at(first.due_on, -1), first.due_on)
    beside_last = (last.start, terms.every.date_at(last.start, 1))
    for period, regular in ((first, beside_first), (last, beside_last)):
        theirs = days.yearFraction(*map(quantlib_day, (period.start, period.due_on, *regular)))
        assert abs(theirs - float(period.fraction)) < 1e-9


def test_one_period_that_is_odd_at_both_ends_counts_both() -> None:
    """Lent ten days before a regular quarter and due thirty days after it."""
    terms = mortgage(
        periods=1,
        day_count=DayCount.ACT_ACT_ICMA,
        every=Frequency(3, "month"),
        disbursed_on=date(2025, 12, 22),
        first_due_on=date(2026, 4, 1),
        last_due_on=date(2026, 5, 1),
    )
    (only,) = periods_of(terms)
    # 10 of the 92 days before 1 January, the quarter to 1 April, 30 of the 91 days after it.
    assert only.fraction == Fraction(1, 4) * (Fraction(10, 92) + 1 + Fraction(30, 91))


def test_a_first_due_date_off_the_days_wanted_is_part_of_a_regular_period() -> None:
    """15 January with anchor 31: the days since 1 January are 15 of the 31 to the 31st."""
    terms = mortgage(
        periods=2,
        day_count=DayCount.ACT_ACT_ICMA,
        disbursed_on=date(2025, 12, 31),
        first_due_on=date(2026, 1, 15),
        anchor_day=31,
    )
    first, second = periods_of(terms)
    assert first.fraction * 12 * 31 == 15
    assert second.due_on == date(2026, 2, 28)
    assert (second.fraction - terms.every.year_fraction) * 12 * 31 == 16


def half_years(last: date) -> tuple[ScheduleTerms, tuple[ScheduleLine, ...]]:
    """Three half-years from 30 July 1999, the last one ending on `last`."""
    terms = mortgage(
        principal_minor=1_000_000,
        annual_rate_percent=Decimal(12),
        periods=3,
        method=Method.EQUAL_PRINCIPAL,
        day_count=DayCount.ACT_ACT_ICMA,
        every=Frequency(6, "month"),
        disbursed_on=date(1999, 7, 30),
        first_due_on=date(2000, 1, 30),
        last_due_on=last,
    )
    return terms, build(terms)


@pytest.mark.parametrize("last", [date(2000, 12, 30), date(2001, 3, 30)])
def test_an_odd_last_line_that_alone_is_left_keeps_its_regular_periods(last: date) -> None:
    """Nothing changes by asking anew on the due date before it for the same balance."""
    terms, lines = half_years(last)
    as_of = lines[1].due_on
    for effect in (Effect.SMALLER_INSTALLMENT, Effect.SHORTER_TERM):
        (again,) = reamortise(terms, lines, as_of, lines[1].balance, effect)
        assert (again.due_on, again.interest) == (last, lines[2].interest)
    late = remaining_terms(terms, lines, date(2001, 2, 1), 100) if last.year == 2001 else None
    assert late is None or late.first_due_on == date(2001, 7, 30)
