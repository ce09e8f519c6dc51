"""Ceilings on the cost of a loan: the rule, the cap and the figure, compared exactly."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.money import Rounding
from domain.pricing.apr import AprMethod, apr, disclose
from domain.pricing.caps import (
    LEGAL,
    Cap,
    CapExceeded,
    CapRules,
    Costs,
    Fees,
    Measure,
    exceeded,
    legal_caps,
    room,
)
from domain.pricing.cashflow import Flow
from domain.pricing.costs import broken_caps, check_caps, of_schedule
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build
from domain.pricing.unitperiod import UnitPeriod

CN_24 = legal_caps("cn-institutions-24")
UK_TOTAL, UK_DAILY = legal_caps("uk-high-cost")
MONTHLY = Frequency(1, "month")
NO_FEES = Fees()
START = date(2024, 1, 15)
TERMS = ScheduleTerms(
    principal_minor=1_200_000,
    currency="CNY",
    annual_rate_percent=Decimal(12),
    periods=12,
    method=Method.EQUAL_INSTALLMENT,
    day_count=DayCount.MONTHS,
    disbursed_on=START,
    first_due_on=date(2024, 2, 15),
    every=MONTHLY,
)


def costs(terms: ScheduleTerms = TERMS, fees: Fees = NO_FEES) -> Costs:
    """What a loan costs that is paid as agreed."""
    advances = [(terms.disbursed_on, terms.first_part_minor), *terms.drawdowns]
    return of_schedule(terms.every, advances, build(terms), fees)


def monthly(*minor: int) -> Costs:
    """Costs of plain amounts a month apart, the first one on the first day."""
    flows = tuple(Flow(amount, index) for index, amount in enumerate(minor))
    return Costs(UnitPeriod(1, "month"), START, flows, 0)


def at_rate(percent: str, **changed: Any) -> tuple[CapExceeded, ...]:
    """What a loan of another rate breaks of the Chinese ceiling."""
    return exceeded(costs(replace(TERMS, annual_rate_percent=Decimal(percent), **changed)), CN_24)


def nominal(found: Costs) -> Decimal:
    """The rate of the flows by the solver, percent a year."""
    return apr(found.flows, AprMethod.IRR, found.unit.per_year).nominal


def test_interest_alone_stays_below_the_line_of_24_percent() -> None:
    """12 percent nominal; nothing is refused."""
    caps = (*CN_24, *legal_caps("cn-private-4xlpr", Decimal("3.45")), UK_TOTAL, UK_DAILY)
    assert exceeded(costs(), caps) == ()


def test_fees_and_guarantee_count_in_the_total_cost() -> None:
    """2 percent up front and 50.00 a month make 12 percent 24.73: the refusal says so."""
    (refusal,) = exceeded(costs(fees=Fees(24_000, 5_000)), CN_24)
    assert refusal == CapExceeded(CN_24[0].rule, Measure.NOMINAL, "24", "24.7312")
    assert str(refusal) == f"{CN_24[0].rule}: 24.7312 % is above 24 %"
    check_caps(())
    with pytest.raises(InvalidInput, match=r"cost: '24.7312 %' is refused: at most 24 % \(CN jin"):
        check_caps([refusal])


def test_24_percent_is_lawful_and_one_basis_point_more_is_refused() -> None:
    """Rows rounded to minor units lie a hair beside their rate: that alone refuses nobody."""
    assert at_rate("24") == ()
    (refusal,) = at_rate("24.01")
    assert (refusal.cap, refusal.figure) == ("24", "24.0101")


@given(
    minor=st.integers(1_000_000, 100_000_000),
    periods=st.integers(3, 60),
    method=st.sampled_from([Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL]),
)
@settings(max_examples=100, deadline=None)
def test_every_loan_from_ten_thousand_on_may_be_made_at_its_cap(
    minor: int, periods: int, method: Method
) -> None:
    """Rounding never comes near half a basis point there, and a whole one never passes."""
    changed = {"principal_minor": minor, "periods": periods, "method": method}
    assert at_rate("24", **changed) == ()
    assert len(at_rate("24.01", **changed)) == 1


@given(minor=st.integers(100, 100_000), periods=st.integers(1, 36))
@settings(max_examples=100, deadline=None)
def test_interest_rounded_down_never_passes_its_cap_however_small_the_loan(
    minor: int, periods: int
) -> None:
    """What to do with very small loans: each line a little below its rate, never above."""
    down = {"principal_minor": minor, "periods": periods, "rounding": Rounding.DOWN}
    assert at_rate("24", **down) == ()


@pytest.mark.parametrize(
    ("percent", "measure", "breaks"),
    [
        ("12", Measure.NOMINAL, False),
        ("11.9951", Measure.NOMINAL, False),
        ("11.995", Measure.NOMINAL, True),
        ("12.682503013196972066120100", Measure.EFFECTIVE, False),
        ("12.6775030132", Measure.EFFECTIVE, False),
        ("12.6775030131", Measure.EFFECTIVE, True),
    ],
)
def test_a_rate_is_at_its_cap_up_to_half_a_basis_point(
    percent: str, measure: Measure, breaks: bool
) -> None:
    """1 percent a month is 12 nominal and 12.6825030131969... effective."""
    found = monthly(-100_000, 101_000)
    assert bool(exceeded(found, [Cap("line", Decimal(percent), measure)])) is breaks


def test_a_refusal_says_the_rate_as_its_cap_counts_it() -> None:
    """The same loan, nominal and effective."""
    caps = [Cap("n", Decimal(11)), Cap("e", Decimal(11), Measure.EFFECTIVE)]
    found = exceeded(monthly(-100_000, 101_000), caps)
    assert [one.figure for one in found] == ["12.0000", "12.6825"]


@given(
    minor=st.integers(1_000, 10_000_000),
    percent=st.integers(1800, 3000),
    periods=st.integers(1, 48),
    upfront=st.integers(0, 30),
    each=st.integers(0, 20),
    day=st.integers(1, 31),
)
@settings(max_examples=150, deadline=None)
def test_the_solver_agrees_with_every_result(
    minor: int, percent: int, periods: int, upfront: int, each: int, day: int
) -> None:
    """Lawful means a rate below the cap and half a basis point; unlawful, that or more."""
    terms = replace(
        TERMS,
        principal_minor=minor,
        annual_rate_percent=Decimal(percent) / 100,
        periods=periods,
        first_due_on=date(2024, 3, day),
    )
    found = costs(terms, Fees(minor * upfront // 1000, minor * each // 10_000))
    assert bool(exceeded(found, CN_24)) is (nominal(found) >= Decimal("24.005"))


def test_four_times_the_prime_rate_is_the_line_of_private_lending() -> None:
    """3.45 percent makes 13.80; one basis point more is refused."""
    caps = legal_caps("cn-private-4xlpr", Decimal("3.45"))
    assert [cap.percent for cap in caps] == [Decimal("13.80")]
    for percent, breaks in (("13.8", False), ("13.81", True)):
        dear = replace(TERMS, annual_rate_percent=Decimal(percent))
        assert bool(exceeded(costs(dear), caps)) is breaks


@pytest.mark.parametrize(
    ("name", "rate", "said"),
    [
        ("cn-private-4xlpr", None, "one_year_lpr_percent"),
        ("cn-private-4xlpr", Decimal(-1), "one_year_lpr_percent"),
        ("cn-24", None, "one of cn-institutions-24, uk-high-cost, cn-private-4xlpr"),
    ],
)
def test_an_unknown_ceiling_or_a_prime_rate_left_out_is_refused(
    name: str, rate: Decimal | None, said: str
) -> None:
    """A ceiling that nobody meant protects nobody."""
    with pytest.raises(InvalidInput, match=said):
        legal_caps(name, rate)
    assert set(LEGAL) == {"cn-institutions-24", "uk-high-cost"}


@pytest.mark.parametrize(("paid", "breaks"), [(200, False), (201, True)])
def test_total_cost_may_reach_and_not_exceed_what_was_lent(paid: int, breaks: bool) -> None:
    """CONC 5A: 100 percent."""
    found = exceeded(monthly(-100, paid), [UK_TOTAL])
    assert bool(found) is breaks
    if breaks:
        assert (found[0].measure, found[0].cap, found[0].figure) == ("total", "100", "101.0000")


@pytest.mark.parametrize(("fees", "breaks"), [(0, False), (2_400, False), (2_401, True)])
def test_a_day_of_high_cost_credit_costs_at_most_four_fifths_of_a_percent(
    fees: int, breaks: bool
) -> None:
    """CONC 5A: 100.00 for 30 days may cost 24.00, fees included, and not a penny more."""
    terms = replace(
        TERMS,
        principal_minor=10_000,
        currency="GBP",
        annual_rate_percent=Decimal(0),
        periods=1,
        method=Method.BULLET,
        day_count=DayCount.ACT_365F,
        disbursed_on=date(2024, 1, 1),
        first_due_on=date(2024, 1, 31),
    )
    found = exceeded(costs(terms, Fees(each=fees)), [UK_DAILY])
    assert bool(found) is breaks
    if breaks:
        assert (found[0].measure, found[0].cap, found[0].figure) == ("daily", "0.8", "0.8003")


def test_a_day_counts_the_principal_that_is_outstanding_on_it() -> None:
    """100.00 for 31 days, then 50.00 for 29: 4550 days of 1.00, of which 0.8 percent are 36.40."""
    terms = replace(
        TERMS,
        principal_minor=10_000,
        method=Method.ZERO,
        periods=2,
        disbursed_on=date(2024, 1, 15),
    )
    assert costs(terms).principal_days == 10_000 * 31 + 5_000 * 29
    assert exceeded(costs(terms, Fees(each=1_820)), [UK_DAILY]) == ()
    assert len(exceeded(costs(terms, Fees(1, 1_820)), [UK_DAILY])) == 1


def test_loans_lent_in_parts_count_each_part_on_its_day() -> None:
    """The second part is an advance of its own, one period later."""
    terms = replace(TERMS, drawdowns=((date(2024, 2, 15), 400_000),))
    found = costs(terms)
    assert [(flow.minor, flow.at) for flow in found.flows[:2]] == [(-800_000, 0), (-400_000, 1)]
    assert found.advanced == 1_200_000
    # The balance of the first line is what is left before the second part is lent on its day.
    assert found.principal_days == 800_000 * 31 + 400_000 * 29 + sum(
        before.balance * (line.due_on - before.due_on).days
        for before, line in pairwise(build(terms))
    )
    assert exceeded(found, [Cap("line", Decimal("12.01"))]) == ()


@pytest.mark.parametrize(
    ("found", "measure"),
    [
        (costs(fees=Fees(1_200_000)), Measure.NOMINAL),
        (costs(fees=Fees(1_200_000)), Measure.TOTAL),
        (monthly(-1, 10**12), Measure.EFFECTIVE),
        (monthly(-1000, 3600, -4310, 1716), Measure.NOMINAL),
        (monthly(-100, 101), Measure.DAILY),
    ],
)
def test_a_cost_that_no_rate_says_is_refused_all_the_same(found: Costs, measure: Measure) -> None:
    """All kept back, a senseless rate, several, nothing outstanding: refused without a figure."""
    (refusal,) = exceeded(found, [Cap("line", Decimal(24), measure)])
    assert refusal.figure == ""
    assert str(refusal) == "line: a cost that no single rate says is above 24 %"
    with pytest.raises(InvalidInput, match="no single rate"):
        check_caps([refusal])


@given(
    percent=st.integers(1, 2600),
    paid=st.integers(0, 11),
    day=st.dates(date(2024, 2, 15), date(2027, 1, 1)),
    caps=st.lists(
        st.sampled_from(
            [
                *CN_24,
                Cap("effective", Decimal(26), Measure.EFFECTIVE),
                Cap("total", Decimal("13.37"), Measure.TOTAL),
                Cap("daily", Decimal("0.07"), Measure.DAILY),
            ]
        ),
        min_size=1,
        unique=True,
    ),
)
@settings(max_examples=150, deadline=None)
def test_room_is_the_last_lawful_minor_unit(
    percent: int, paid: int, day: date, caps: Sequence[Cap]
) -> None:
    """So much may be charged under every cap; one more breaks the one that is named."""
    terms = replace(TERMS, annual_rate_percent=Decimal(percent) / 100)
    found = costs(terms, Fees(paid * 1_000))
    minor, named = room(found, caps, day)
    assume(minor >= 0)

    def breaks(more: int) -> set[Cap]:
        """Caps that are passed when so much is paid besides on the day."""
        whole, part = divmod(found.unit.between_us(START, day), 1)
        charged = replace(found, flows=(*found.flows, Flow(more, int(whole), part)))
        return {cap for cap in caps if _passed(charged, cap)}

    assert not breaks(minor)
    assert named in breaks(minor + 1)


def _passed(found: Costs, cap: Cap) -> bool:
    """Whether a cap is passed, by the solver and by plain fractions."""
    rate = apr(found.flows, AprMethod.IRR, found.unit.per_year)
    match cap.measure:
        case Measure.NOMINAL:
            return rate.nominal > cap.percent + Decimal("1e-15")
        case Measure.EFFECTIVE:
            return rate.effective > cap.percent + Decimal("1e-15")
        case Measure.TOTAL:
            return Fraction(found.cost * 100, found.advanced) > Fraction(cap.percent)
        case Measure.DAILY:
            return Fraction(found.cost * 100, found.principal_days) > Fraction(cap.percent)


def test_an_excuse_for_rounding_leaves_no_room_for_charges() -> None:
    """A schedule a hair above its cap is lawful as agreed, and nothing may be put on top."""
    found = monthly(-100_000, 102_000 + 1)
    assert disclose(nominal(found), 3) == "24.012"
    assert exceeded(found, [Cap("line", Decimal("24.01"))]) == ()
    assert room(found, [Cap("line", Decimal("24.01"))], date(2024, 2, 15))[0] == -1


def test_rows_given_from_outside_are_held_against_the_caps_of_a_product() -> None:
    """Boarding has rows and a disbursement, whatever they were made from; no rules, no refusal."""
    rules = CapRules(CN_24, MONTHLY, Fraction(2, 100), 0, Fraction(0), 5_000)
    (refusal,) = broken_caps(rules, 1_200_000, START, build(TERMS))
    assert refusal.figure == "24.7312"
    assert broken_caps(None, 1_200_000, START, build(TERMS)) == ()


@pytest.mark.parametrize("year", [2023, 9999])
def test_a_senseless_date_is_judged_and_never_a_fault(year: int) -> None:
    """Before the disbursement counts as on it; past a hundred years is worth next to nothing."""
    (line,) = build(replace(TERMS, periods=1))
    odd = replace(line, due_on=date(year, 2, 15))
    assert bool(broken_caps(CapRules(CN_24, MONTHLY), 1_200_000, START, [odd])) is (
        year < START.year
    )


def test_fees_are_fixed_or_of_the_principal_and_rounded_once() -> None:
    """1.5 percent of 3.33 is 0.04995 up front, with 0.10 fixed; a third of a percent each time."""
    rules = CapRules(CN_24, MONTHLY, Fraction(15, 1000), 10, Fraction(1, 300), 2)
    assert rules.fees_on(333) == Fees(15, 3)
    assert CapRules(CN_24, MONTHLY).fees_on(333) == Fees()


def test_rules_without_a_ceiling_and_ceilings_below_zero_are_refused() -> None:
    """Both would be mistakes of a product file."""
    with pytest.raises(InvalidInput, match="at least one ceiling"):
        CapRules((), MONTHLY)
    with pytest.raises(InvalidInput, match="percent a year"):
        Cap("line", Decimal(-1))
