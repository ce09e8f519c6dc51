"""Annual percentage rates: the published figures of both continents, and proof of the solver."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import pyxirr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput, InvariantBroken
from domain.pricing import solver
from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.cashflow import (
    MOST_FLOWS,
    MOST_PERIODS,
    Flow,
    Odd,
    check_flows,
    flow_at,
    present_value,
)
from domain.pricing.solver import solve

US, EU, IRR = AprMethod.US_ACTUARIAL, AprMethod.EU, AprMethod.IRR


def loan(advance: int, payments: list[int], first: Fraction = Fraction(1)) -> list[Flow]:
    """One advance and payments one unit period apart, amounts in minor units."""
    paid = [flow_at(minor, first + index) for index, minor in enumerate(payments)]
    return [Flow(-advance, 0), *paid]


@pytest.mark.parametrize(
    ("flows", "per_year", "published"),
    [
        # 12 CFR 1026 appendix J (c) (1) (i): regular months.
        (loan(500_000, [23_000] * 24), 12, "9.69"),
        # (c) (1) (ii): one month and 19 days before the first of 36.
        (loan(600_000, [20_000] * 36, 1 + Fraction(19, 30)), 12, "11.82"),
        # (c) (1) (iv): quarters, a quarter and 39 days first.
        (loan(1_000_000, [38_500] * 40, 1 + Fraction(39, 90)), 4, "8.97"),
        # (c) (2): every two months, one month and 22 days (52/60) first.
        (loan(800_000, [44_936, *[46_500] * 18, 20_000], Fraction(52, 60)), 6, "7.30"),
        # (c) (1) (iii): half-months, six days first.
        (loan(500_000, [21_917] * 24, Fraction(6, 15)), 24, "10.34"),
        # (c) (1) (v): weeks, four weeks and four days first.
        (loan(50_000, [1_760] * 30, 4 + Fraction(4, 7)), 52, "14.96"),
    ],
)
def test_us_actuarial_rates_of_regulation_z(
    flows: list[Flow], per_year: int, published: str
) -> None:
    """12 CFR 1026 appendix J, worked examples, to the disclosed hundredth."""
    assert disclose(apr(flows, US, Fraction(per_year)).disclosed) == published


def test_actual_days_instead_of_the_rules_own_fraction_give_another_rate() -> None:
    """The trap: 50/60 by actual days would disclose 7.33."""
    flows = loan(800_000, [44_936, *[46_500] * 18, 20_000], Fraction(50, 60))
    assert disclose(apr(flows, US, Fraction(6)).disclosed) == "7.33"


@pytest.mark.parametrize(
    ("flows", "published"),
    [
        ([Flow(-100_000, 0), Flow(120_000, 1, Fraction(1, 2))], "12.92"),
        ([Flow(-100_000, 0), Flow(60_000, 1), Flow(60_000, 2)], "13.07"),
    ],
)
def test_eu_rates_of_the_directive(flows: list[Flow], published: str) -> None:
    """98/7/EC annex: effective, time in years."""
    assert disclose(apr(flows, EU, Fraction(1)).disclosed) == published


def test_eu_example_of_the_commission() -> None:
    """DG FISMA 2015, example 1: 200000 less a fee of 2 percent, 240 x 1432.86: 6.434412."""
    flows = loan(20_000_000 - 400_000, [143_286] * 240)
    assert disclose(apr(flows, EU, Fraction(12)).disclosed, 6) == "6.434412"


def test_flat_interest_is_dearer_than_it_sounds() -> None:
    """12000 at 0.8 percent flat a month: nominal 17.27, effective 18.71."""
    rate = apr(loan(1_200_000, [109_600] * 12), IRR, Fraction(12))
    assert (disclose(rate.nominal), disclose(rate.effective)) == ("17.27", "18.71")
    assert rate.disclosed == rate.nominal


def test_a_nominal_rate_may_compound_by_another_period() -> None:
    """Times in years, nominal by months: 12.682503 effective is 12 nominal."""
    flows = [Flow(-(10**10), 0), Flow(11_268_250_301, 1)]
    rate = apr(flows, EU, Fraction(1), Fraction(12))
    assert disclose(rate.nominal, 6) == "12.000000"
    same = apr(flows, EU, Fraction(1), Fraction(1))
    assert same.nominal == same.effective


def test_odd_time_bears_simple_interest_in_america_and_compound_interest_in_europe() -> None:
    """120 for 100 after a year and a half: (1+i)(1+i/2) = 1.2 there, (1+i)**1.5 = 1.2 here."""
    flows = [Flow(-100, 0), Flow(120, 1, Fraction(1, 2))]
    assert disclose(apr(flows, US, Fraction(1)).disclosed, 4) == "12.7882"
    assert disclose(apr(flows, EU, Fraction(1)).disclosed, 4) == "12.9243"
    assert disclose(apr(flows, IRR, Fraction(1)).disclosed, 4) == "12.9243"


def test_a_year_need_not_hold_a_whole_number_of_unit_periods() -> None:
    """1 percent in 90 days is 365/90 percent a year, and so it is where a year is the clock."""
    rate = apr(loan(100, [101]), US, Fraction(365, 90))
    assert rate.unit_rate == Decimal("0.01")
    assert disclose(rate.nominal, 4) == "4.0556"
    year = apr(loan(10**12, [10**12 + round(rate.effective * 10**10)]), EU, Fraction(1))
    ninety = apr(
        loan(10**12, [10**12 + round(rate.effective * 10**10)]), EU, Fraction(1), Fraction(365, 90)
    )
    assert disclose(year.nominal, 4) == disclose(rate.effective, 4)
    assert disclose(ninety.nominal, 4) == "4.0556"


def test_paying_back_what_was_lent_costs_nothing() -> None:
    """Zero, not minus zero and not an error."""
    flows = loan(1_200, [100] * 12)
    for method in AprMethod:
        assert disclose(apr(flows, method, Fraction(12)).disclosed) == "0.00"


def test_a_rate_below_zero_is_an_answer_for_irr_only() -> None:
    """Half the money back after a year is minus 50 percent; no law discloses that."""
    flows = loan(100, [50])
    assert disclose(apr(flows, IRR, Fraction(1)).nominal) == "-50.00"
    for method in (US, EU):
        with pytest.raises(InvalidInput, match="there is none"):
            apr(flows, method, Fraction(1))


def test_several_rates_are_named_and_none_is_chosen() -> None:
    """-1000, +2500, -1540 has a present value of zero at 10 and at 40 percent."""
    flows = [Flow(-1_000, 0), Flow(2_500, 1), Flow(-1_540, 2)]
    for rate in ("0.1", "0.4"):
        assert abs(present_value(flows, Decimal(rate), Odd.COMPOUND)) < Decimal("1e-40")
    with pytest.raises(InvalidInput, match="at least 2"):
        solve(flows, Odd.COMPOUND)


def test_flows_with_two_sign_changes_and_one_rate_are_solved() -> None:
    """A late advance: the running sum changes its sign once (Norstrom), so the rate is one."""
    flows = [Flow(-1_000, 0), Flow(600, 1), Flow(-100, 2), Flow(700, 3)]
    found = solve(flows, Odd.COMPOUND)
    assert abs(present_value(flows, found, Odd.COMPOUND)) < Decimal("1e-15")


def test_the_rate_above_zero_is_taken_where_there_is_exactly_one() -> None:
    """One rate above zero and one far below it: 10 percent, also where rates below zero count."""
    flows = [Flow(-1_000, 0), Flow(1_400, 1), Flow(-330, 2)]
    rates = [Flow(-100, 0), Flow(130, 1), Flow(-31, 2), Flow(20, 3)]
    for some in (flows, rates):
        found = solve(some, Odd.COMPOUND)
        assert found == solve(some, Odd.COMPOUND, negative=True)
    assert solve(flows, Odd.COMPOUND) == Decimal("0.1")


def test_flows_that_no_criterion_covers_are_searched_finely() -> None:
    """The running sum crosses zero three times, yet one rate exists above zero."""
    flows = [Flow(-100, 0), Flow(150, 1), Flow(-100, 2), Flow(120, 3)]
    found = solve(flows, Odd.COMPOUND)
    assert abs(present_value(flows, found, Odd.COMPOUND)) < Decimal("1e-15")


@pytest.mark.parametrize(
    ("flows", "field"),
    [
        ([Flow(100, 0), Flow(50, 1)], "advance"),
        ([Flow(-100, 0)], "payment"),
        ([], "advance"),
        ([Flow(-1, 0)] * (MOST_FLOWS + 1), "flows"),
    ],
)
def test_flows_need_an_advance_and_a_payment(flows: list[Flow], field: str) -> None:
    """And a bounded number of them."""
    with pytest.raises(InvalidInput) as refused:
        check_flows(flows)
    assert refused.value.field == field


def test_a_flow_lies_at_a_time_that_can_be_reckoned_with() -> None:
    """Not before the first advance, not beyond the last period, its fraction below one."""
    for whole, part in ((-1, Fraction(0)), (MOST_PERIODS + 1, Fraction(0)), (0, Fraction(1))):
        with pytest.raises(InvalidInput, match="period"):
            Flow(1, whole, part)
    assert flow_at(5, Fraction(7, 2)) == Flow(5, 3, Fraction(1, 2))
    assert Flow(5, MOST_PERIODS, Fraction(1, 2)).at == MOST_PERIODS + Fraction(1, 2)


@pytest.mark.parametrize(
    ("percent", "decimals", "text"),
    [
        ("9.685", 2, "9.69"),
        ("-0.0001", 2, "0.00"),
        ("12.5", 0, "13"),
        ("0.1", 6, "0.100000"),
        ("0.1", 12, "0.100000000000"),
    ],
)
def test_rates_are_disclosed_half_up(percent: str, decimals: int, text: str) -> None:
    """To the decimals asked for."""
    assert disclose(Decimal(percent), decimals) == text


@pytest.mark.parametrize("decimals", [-1, 13])
def test_decimals_are_bounded(decimals: int) -> None:
    """From none to twelve."""
    with pytest.raises(InvalidInput):
        disclose(Decimal(1), decimals)


def test_a_rate_that_is_none_is_never_passed_off_as_one() -> None:
    """The proof in decimals stops what the search got wrong."""
    with pytest.raises(InvariantBroken):
        solver._proven([Flow(-100, 0), Flow(110, 1)], Odd.COMPOUND, Decimal("1.2"))


def test_a_search_that_cannot_move_gives_its_best() -> None:
    """Equal present values, or too many steps, end the search; the proof then decides."""
    assert solver._search(lambda rate: 1.0, 0.0, 1.0) == 0.0
    assert solver._search(lambda rate: -1.0 if rate < 1.0 else 1e300, 0.0, 1.0) < 1.0


@settings(max_examples=200, deadline=None)
@given(
    st.integers(100_000, 10**9),
    st.integers(1, 360),
    st.floats(0.0001, 0.5),
    st.sampled_from(list(Odd)),
    st.fractions(0, 1, max_denominator=90).filter(lambda part: part < 1),
)
def test_the_solver_finds_the_rate_that_made_the_payments(
    principal: int, periods: int, rate: float, odd: Odd, part: Fraction
) -> None:
    """For any level loan: the equation holds, and the rate is where it was put, within rounding."""
    payment = round(principal * rate / (1 - (1 + rate) ** -periods)) + 1
    flows = loan(principal, [payment] * periods, 1 + part)
    assume(payment * periods > principal)
    found = solve(flows, odd)
    assert abs(present_value(flows, found, odd)) <= Decimal("1e-9")
    assert found >= 0
    if not part:
        assert float(found) == pytest.approx(rate, rel=0.02, abs=1e-4)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=60),
    st.integers(4, 240),
)
def test_irr_agrees_with_pyxirr(payments: list[int], twelfths: int) -> None:
    """Any payments after one advance of a third to twenty times as much, rates below zero too."""
    advance = sum(payments) * twelfths // 12 + 1
    theirs = pyxirr.irr([-advance, *payments])
    assume(theirs is not None and -0.95 < theirs < 1e4)
    ours = solve(loan(advance, payments), Odd.COMPOUND, negative=True)
    assert float(ours) == pytest.approx(theirs, rel=1e-7, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 10**5)), min_size=1, max_size=30))
def test_dated_irr_agrees_with_xirr(payments: list[tuple[int, int]]) -> None:
    """Days over 365, whatever the dates."""
    start = date(2023, 5, 17)
    advance = sum(minor for _, minor in payments) * 9 // 10 + 1
    days = [start, *(start + timedelta(days=offset) for offset, _ in payments)]
    theirs = pyxirr.xirr(days, [-advance, *(minor for _, minor in payments)])
    assume(theirs is not None and -0.9 < theirs < 1e3)
    flows = [Flow(-advance, 0)]
    flows += [flow_at(minor, Fraction(offset, 365)) for offset, minor in payments]
    assume(sum(flow.minor for flow in flows) != 0)
    ours = solve(flows, Odd.COMPOUND, negative=True)
    assert float(ours) == pytest.approx(theirs, rel=1e-6, abs=1e-8)


def test_a_rate_of_many_digits_is_disclosed_in_full() -> None:
    """A thousand times in a month compounds to 37 digits a year; nothing is cut or refused."""
    rate = apr([Flow(-1, 0), Flow(1_001, 1)], AprMethod.IRR, Fraction(12))
    assert disclose(rate.effective) == f"{(1_001**12 - 1) * 100}.00"
    assert disclose(rate.effective * 10**40, 12).endswith("00.000000000000")
