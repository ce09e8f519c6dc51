"""Schedules of any terms: what always holds, and what independent libraries say."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy_financial as npf
import pytest
import QuantLib as ql  # noqa: N813
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.pricing.periods import periods_of
from domain.pricing.schedule import (
    DayCount,
    Frequency,
    Method,
    Rounding,
    ScheduleTerms,
    build,
    check,
)

RATES = st.decimals(0, 60, places=2)
EVERY = st.sampled_from(["1m", "3m", "1w", "2w", "half-month", "10d"]).map(Frequency.parse)
METHODS = st.sampled_from([kind for kind in Method if kind is not Method.EXPLICIT])


@st.composite
def some_terms(draw: st.DrawFn) -> ScheduleTerms:
    """Terms of every method, with odd first periods, rate changes and drawdowns."""
    method = draw(METHODS)
    principal = draw(st.integers(1_000, 10**9))
    every = draw(EVERY)
    periods = draw(st.integers(1, 60))
    start = draw(st.dates(date(2015, 1, 1), date(2035, 12, 31)))
    first = every.date_at(start, draw(st.integers(1, 2)))
    last = every.date_at(first, periods - 1)
    between = st.dates(start, last).filter(lambda day: start < day < last)
    moved = draw(st.lists(between, max_size=2, unique=True)) if (last - start).days > 1 else []
    changes = tuple((day, draw(RATES)) for day in sorted(moved))
    drawn = method not in {Method.FLAT, Method.ZERO} and moved and draw(st.booleans())
    has_balloon = method in {Method.BALLOON, Method.EQUAL_PRINCIPAL, Method.EQUAL_INSTALLMENT}
    balloon = draw(st.integers(1, principal // 2)) if has_balloon else 0
    rounded = method not in {Method.INTEREST_ONLY, Method.BULLET}
    return ScheduleTerms(
        principal_minor=principal,
        currency="CNY",
        annual_rate_percent=draw(RATES),
        periods=periods,
        method=method,
        day_count=draw(st.sampled_from(DayCount)),
        disbursed_on=start,
        first_due_on=first,
        every=every,
        rounding=draw(st.sampled_from(Rounding)),
        round_installment_to_minor=draw(st.sampled_from([0, 1, 100])) if rounded else 0,
        balloon_minor=balloon,
        rate_changes=changes,
        drawdowns=((moved[0], principal // 3),) if drawn else (),
        principal_grace=draw(st.integers(0, periods - 1)),
        interest_free=draw(st.integers(0, 1)),
    )


@settings(max_examples=300, deadline=None)
@given(some_terms())
def test_every_schedule_adds_up_and_ends_at_zero(terms: ScheduleTerms) -> None:
    """Principal sums to what was lent, nothing is negative, dates rise, balances end at zero."""
    lines = build(terms)
    assert sum(line.principal for line in lines) == terms.principal_minor
    assert lines[-1].balance == 0
    assert all(min(line.principal, line.interest, line.balance) >= 0 for line in lines)
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert sorted({line.due_on for line in lines}) == [line.due_on for line in lines]
    if not terms.drawdowns:
        check(lines, terms.principal_minor)
        balances = [terms.principal_minor, *(line.balance for line in lines)]
        assert balances == sorted(balances, reverse=True)


@given(some_terms())
def test_the_same_terms_give_the_same_schedule(terms: ScheduleTerms) -> None:
    """No state, no clock: building twice gives equal lines."""
    assert build(terms) == build(terms)


@settings(max_examples=200, deadline=None)
@given(
    principal=st.integers(100_000, 10**9),
    rate=st.decimals("0.01", 60, places=2),
    periods=st.integers(2, 360),
)
@example(principal=100_000_000, rate=Decimal("4.9"), periods=360)
@example(principal=20_000_000, rate=Decimal(6), periods=240)
@example(principal=554_718_461, rate=Decimal("0.02"), periods=2)
def test_equal_installments_agree_with_numpy_financial(
    principal: int, rate: Decimal, periods: int
) -> None:
    """`pmt` of an independent library, to the cent, and each line's interest by hand."""
    terms = ScheduleTerms(
        principal_minor=principal,
        currency="CNY",
        annual_rate_percent=rate,
        periods=periods,
        method=Method.EQUAL_INSTALLMENT,
        day_count=DayCount.MONTHS,
        disbursed_on=date(2024, 1, 15),
        first_due_on=date(2024, 2, 15),
        every=Frequency(1, "month"),
    )
    lines = build(terms)
    theirs = -npf.pmt(float(rate) / 1200, periods, principal)
    if len(lines) == periods:
        # Their 1 - (1 + r)^-n loses digits as r becomes small; ours is exact.
        blur = theirs * 1e-15 / (float(rate) / 1200)
        assert abs(lines[0].total - theirs) <= 0.5001 + blur
    balance = principal
    for line in lines:
        exact = balance * Fraction(rate) / 1200
        assert abs(line.interest - exact) <= Fraction(1, 2)
        balance = line.balance


@settings(max_examples=40, deadline=None)
@given(
    rate=st.decimals("0.5", 30, places=2),
    years=st.integers(1, 30),
    principal=st.integers(10_000_00, 10_000_000_00),
)
def test_balances_agree_with_the_sinking_notionals_of_quantlib(
    rate: Decimal, years: int, principal: int
) -> None:
    """QuantLib amortises in floats without rounding: its balances are ours within rounding."""
    theirs = ql.sinkingNotionals(
        ql.Period(years, ql.Years), ql.Monthly, float(rate) / 100, float(principal)
    )
    terms = ScheduleTerms(
        principal_minor=principal,
        currency="CNY",
        annual_rate_percent=rate,
        periods=years * 12,
        method=Method.EQUAL_INSTALLMENT,
        day_count=DayCount.MONTHS,
        disbursed_on=date(2024, 1, 15),
        first_due_on=date(2024, 2, 15),
        every=Frequency(1, "month"),
    )
    growth = 1 + float(rate) / 1200
    for line in build(terms):
        # Half a cent of installment and of interest a line, carried with interest.
        most = sum(growth**power for power in range(line.number)) + 1
        assert abs(line.balance - theirs[line.number]) <= most


@settings(max_examples=150, deadline=None)
@given(some_terms().filter(lambda terms: not terms.rate_changes))
def test_equal_installments_are_worth_the_principal_at_their_own_rate(terms: ScheduleTerms) -> None:
    """Discounted by each period's own interest, what is paid is what was lent, but for rounding."""
    if terms.method is not Method.EQUAL_INSTALLMENT or terms.drawdowns:
        return
    lines = build(terms)
    rate = Fraction(terms.annual_rate_percent) / 100
    worth, discount = Fraction(0), Fraction(1)
    for index, (line, period) in enumerate(zip(lines, periods_of(terms), strict=False)):
        bears = 0 if index < terms.interest_free else period.fraction * rate
        discount /= 1 + bears
        worth += line.total * discount
    assert abs(worth - terms.principal_minor) <= len(lines)


@pytest.mark.parametrize("every", ["1m", "3m"])
@given(start=st.dates(date(2020, 1, 1), date(2030, 12, 31)))
def test_due_dates_agree_with_quantlib(every: str, start: date) -> None:
    """A forward schedule without calendar has the same dates, at the ends of months too."""
    frequency = Frequency.parse(every)
    theirs = ql.MakeSchedule(
        effectiveDate=ql.Date(start.day, start.month, start.year),
        terminationDate=ql.Date(start.day, start.month, start.year)
        + ql.Period(24 * frequency.count, ql.Months),
        tenor=ql.Period(frequency.count, ql.Months),
        rule=ql.DateGeneration.Forward,
    )
    for index, day in enumerate(theirs):
        ours = frequency.date_at(start, index)
        assert (ours.year, ours.month, ours.day) == (day.year(), day.month(), day.dayOfMonth())
