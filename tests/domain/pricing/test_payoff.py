"""Early repayment, whole or in part: each amount, its reason, and the schedule that follows."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.pricing.amounts import Component
from domain.pricing.caps import CapRules, Payment, legal_caps
from domain.pricing.payoff import EU_CONSUMER_CREDIT, EarlyFee, accrued_interest, quote
from domain.pricing.prepay import prepay
from domain.pricing.restructure import (
    Effect,
    check_cost,
    continue_from,
    reamortise,
    remaining_terms,
)
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build


def terms(**changed: Any) -> ScheduleTerms:
    """12000.00 at 12 percent over 12 months, due on the 15th from 15 February 2024."""
    values: dict[str, Any] = {
        "principal_minor": 1_200_000,
        "currency": "CNY",
        "annual_rate_percent": Decimal(12),
        "periods": 12,
        "method": Method.EQUAL_PRINCIPAL,
        "day_count": DayCount.MONTHS,
        "disbursed_on": date(2024, 1, 15),
        "first_due_on": date(2024, 2, 15),
        "every": Frequency(1, "month"),
    }
    return ScheduleTerms(**(values | changed))


def parts_of(
    as_of: date, made: ScheduleTerms | None = None, **options: Any
) -> list[tuple[str, int]]:
    """Components and amounts of a payoff quote."""
    made = made or terms()
    found = quote(made, build(made), as_of, **options)
    return [(part.component.value, part.minor) for part in found.parts]


def test_a_payoff_is_principal_and_interest_for_the_actual_days() -> None:
    """Three of twelve paid, 18 days later: 9000 and 9000 x 12 % x 18/360 = 54 (art. 677)."""
    made = terms()
    found = quote(made, build(made), date(2024, 5, 3), paid_through=3)
    assert found.of(Component.PRINCIPAL) == 900_000
    assert found.of(Component.INTEREST) == 5_400
    assert found.total == 905_400
    assert [part.why for part in found.parts] == [
        "interest accrued from 2024-04-15 to 2024-05-03, 18 days",
        "principal not yet due",
    ]
    assert found.interest_saved == sum(range(1_000, 10_000, 1_000)) - 5_400


def test_overdue_installments_penalty_and_what_is_not_yet_due_are_distinguished() -> None:
    """Two of three due are paid: the third with its interest, the rest, and the penalty."""
    found = parts_of(date(2024, 4, 15), paid_through=2, penalty_minor=77)
    assert found == [
        ("penalty", 77),
        ("interest", 10_000),
        ("principal", 100_000),
        ("principal", 900_000),
    ]


def test_on_the_day_of_disbursement_only_principal_is_owed() -> None:
    """No day has passed, no interest has accrued."""
    assert parts_of(date(2024, 1, 15)) == [("principal", 1_200_000)]


def test_interest_paid_ahead_comes_back() -> None:
    """The fourth installment is paid on the day of the third: its interest was not yet earned."""
    found = parts_of(date(2024, 4, 15), paid_through=4)
    assert found == [("interest", -9_000), ("principal", 800_000)]


@pytest.mark.parametrize(
    ("count", "minor"),
    [
        (DayCount.MONTHS, 5_400),
        (DayCount.ACT_365F, 5_326),  # 900000 * 0.12 * 18 / 365 = 5326.03
        (DayCount.ACT_360, 5_400),
        (DayCount.THIRTY_360, 5_400),
        (DayCount.ACT_ACT, 5_311),  # 900000 * 0.12 * 18 / 366 = 5311.48
        (DayCount.ACT_ACT_ICMA, 5_400),  # 900000 * 0.01 * 18 / 30
    ],
)
def test_accrued_interest_follows_the_day_count(count: DayCount, minor: int) -> None:
    """The same 18 days under every convention."""
    made = terms(day_count=count)
    assert accrued_interest(made, build(made), date(2024, 5, 3)) == minor


def test_a_part_of_a_month_never_bears_more_than_the_month() -> None:
    """30 days of a month of 31 are all of it, and so is its end."""
    made = terms()
    lines = build(made)
    assert accrued_interest(made, lines, date(2024, 4, 14)) == lines[2].interest
    eve = lines[-1].due_on - timedelta(days=1)
    assert 0 < accrued_interest(made, lines, eve) <= lines[-1].interest
    assert accrued_interest(made, lines, date(2024, 4, 15)) == 0


@pytest.mark.parametrize(
    ("changed", "minor"),
    [
        ({"method": Method.ZERO}, 0),
        ({"method": Method.FLAT}, 7_200),
        ({"method": Method.BULLET}, 43_200),
        ({"interest_free": 4}, 0),
        ({"rate_changes": ((date(2024, 4, 25), Decimal(6)),)}, 4_200),
    ],
)
def test_accrued_interest_follows_the_method(changed: dict[str, Any], minor: int) -> None:
    """Nothing for zero; on the principal first lent for flat; from the start for bullet."""
    made = terms(**changed)
    assert accrued_interest(made, build(made), date(2024, 5, 3)) == minor


def test_a_bullet_with_parts_accrues_on_what_was_lent() -> None:
    """6000 from January, 6000 more from 15 March."""
    made = terms(method=Method.BULLET, drawdowns=((date(2024, 3, 15), 600_000),))
    found = parts_of(date(2024, 4, 15), made)
    assert found == [("interest", 6_000 * 3 + 6_000), ("principal", 1_200_000)]
    early = parts_of(date(2024, 2, 15), made)
    assert early == [("interest", 6_000), ("principal", 600_000)]


def test_a_loan_rounded_to_end_early_accrues_nothing_after_its_end() -> None:
    """Lines fewer than periods: what is repaid bears no interest."""
    made = terms(round_installment_to_minor=400_000)
    lines = build(made)
    assert len(lines) == 3
    assert accrued_interest(made, lines, date(2024, 9, 1)) == 0


@pytest.mark.parametrize(
    ("as_of", "fee", "minor"),
    [
        (date(2024, 5, 3), EarlyFee(Fraction(1, 100)), 9_000),
        (date(2024, 5, 3), EarlyFee(Fraction(1, 100), EU_CONSUMER_CREDIT), 4_500),
        (date(2024, 1, 15), EarlyFee(Fraction(2, 100), EU_CONSUMER_CREDIT), 6_000),
        (date(2024, 5, 3), EarlyFee(Fraction(1, 1000), EU_CONSUMER_CREDIT), 900),
        (date(2024, 5, 3), EarlyFee(Fraction(9, 10), (), within_interest=True), 39_600),
    ],
)
def test_the_fee_is_what_was_agreed_under_the_caps_of_the_law(
    as_of: date, fee: EarlyFee, minor: int
) -> None:
    """Directive 2008/48/EC art. 16: 1 percent, half of it in the last year, within the interest."""
    made = terms()
    paid = 3 if as_of.month == 5 else 0
    found = quote(made, build(made), as_of, paid_through=paid, fee=fee)
    assert found.of(Component.FEE) == minor


def test_more_than_a_year_before_the_end_the_cap_is_one_percent() -> None:
    """24 months left: 2 percent agreed, 1 percent allowed."""
    made = terms(periods=24)
    fee = EarlyFee(Fraction(2, 100), EU_CONSUMER_CREDIT)
    found = quote(made, build(made), date(2024, 1, 15), fee=fee)
    assert found.of(Component.FEE) == 12_000
    assert "more than one year left" in found.parts[-1].why


def test_without_a_cap_that_applies_the_fee_agreed_stands() -> None:
    """Only the long-term cap is given and less than a year is left."""
    made = terms()
    fee = EarlyFee(Fraction(2, 100), EU_CONSUMER_CREDIT[:1])
    assert quote(made, build(made), date(2024, 5, 15), fee=fee).of(Component.FEE) == 16_000


@pytest.mark.parametrize(
    ("as_of", "paid", "field"),
    [
        (date(2024, 1, 14), 0, "as_of"),
        (date(2024, 5, 3), -1, "paid_through"),
        (date(2024, 5, 3), 12, "paid_through"),
    ],
)
def test_a_quote_outside_the_loan_is_refused(as_of: date, paid: int, field: str) -> None:
    """Before it was lent, or with more paid than it has."""
    with pytest.raises(InvalidInput) as refused:
        parts_of(as_of, paid_through=paid)
    assert refused.value.field == field


LEVEL = terms(method=Method.EQUAL_INSTALLMENT)


def test_a_shorter_term_keeps_the_installment() -> None:
    """3000 early after three: the same 1066.19, and the last one is smaller and sooner."""
    lines = build(LEVEL)
    found = prepay(LEVEL, lines, date(2024, 4, 15), 300_000, Effect.SHORTER_TERM)
    assert found.principal == 300_000
    assert found.lines[0].number == 4
    assert {line.total for line in found.lines[:-1]} == {106_619}
    assert len(found.lines) == 6
    assert sum(line.principal for line in found.lines) == lines[2].balance - 300_000


def test_a_smaller_installment_keeps_the_term() -> None:
    """The last due date stays and every installment falls alike."""
    lines = build(LEVEL)
    found = prepay(LEVEL, lines, date(2024, 4, 15), 300_000, Effect.SMALLER_INSTALLMENT)
    assert [line.due_on for line in found.lines] == [line.due_on for line in lines[3:]]
    assert len({line.total for line in found.lines[:-1]}) == 1
    assert found.lines[0].total < 106_619


def test_between_due_dates_the_interest_so_far_is_paid_first() -> None:
    """18 days on 9132.95 are 54.80; the rest of 3000.00 is principal and a fee of 1 percent."""
    fee = EarlyFee(Fraction(1, 100))
    found = prepay(LEVEL, build(LEVEL), date(2024, 5, 3), 300_000, Effect.SHORTER_TERM, fee)
    amounts = {part.component: part.minor for part in found.parts}
    assert amounts == {
        Component.INTEREST: 5_480,
        Component.PRINCIPAL: 291_604,
        Component.FEE: 2_916,
    }
    assert found.left == 0
    assert found.lines[0].days == 12


@pytest.mark.parametrize(
    ("effect", "paid", "kept"),
    [
        (Effect.NEXT_INSTALLMENTS, [4, 5], [6, 7, 8, 9, 10, 11, 12]),
        (Effect.LAST_INSTALLMENTS, [12, 11], [4, 5, 6, 7, 8, 9, 10]),
    ],
)
def test_installments_may_be_paid_ahead_from_either_end(
    effect: Effect, paid: list[int], kept: list[int]
) -> None:
    """2200.00 pays two whole installments; what does not reach a third is left over."""
    lines = build(LEVEL)
    found = prepay(LEVEL, lines, date(2024, 5, 3), 220_000, effect)
    assert [line.number for line in found.lines] == kept
    assert found.left == 220_000 - sum(lines[number - 1].total for number in paid)
    assert found.principal == sum(lines[number - 1].principal for number in paid)
    everything = prepay(LEVEL, lines, date(2024, 5, 3), 10_000_000, effect)
    assert everything.lines == ()


@pytest.mark.parametrize("amount", [5_480, 918_775])
def test_too_little_or_too_much_is_no_part_payment(amount: int) -> None:
    """It has to exceed the interest so far and stay below the payoff."""
    with pytest.raises(InvalidInput, match="amount"):
        prepay(LEVEL, build(LEVEL), date(2024, 5, 3), amount, Effect.SHORTER_TERM)


def test_equal_principal_gets_shorter_by_whole_installments() -> None:
    """3500 left at 1000 each: three of 1000 and one of 500; a rest below one is one."""
    made = terms()
    lines = build(made)
    short = reamortise(made, lines, date(2024, 4, 15), 350_000, Effect.SHORTER_TERM)
    assert [line.principal for line in short] == [100_000, 100_000, 100_000, 50_000]
    (last,) = reamortise(made, lines, date(2024, 4, 15), 40_000, Effect.SHORTER_TERM)
    assert (last.number, last.principal) == (4, 40_000)


def test_methods_without_an_equal_part_cannot_get_shorter() -> None:
    """Interest-only has no installment to keep; the schedule effects need no new version."""
    made = terms(method=Method.INTEREST_ONLY)
    with pytest.raises(InvalidInput, match="effect"):
        reamortise(made, build(made), date(2024, 4, 15), 100, Effect.SHORTER_TERM)
    with pytest.raises(InvalidInput, match="effect"):
        reamortise(LEVEL, build(LEVEL), date(2024, 4, 15), 100, Effect.NEXT_INSTALLMENTS)


def test_new_terms_may_stretch_what_is_left() -> None:
    """After a restructure: 24 installments instead of nine, numbered on from four."""
    lines = build(LEVEL)
    left = remaining_terms(LEVEL, lines, date(2024, 4, 15), lines[2].balance, periods=24)
    new = continue_from(replace(left, annual_rate_percent=Decimal(8)), 3)
    assert [new[0].number, new[-1].number] == [4, 27]
    assert new[0].due_on == date(2024, 5, 15)
    assert sum(line.principal for line in new) == lines[2].balance


@pytest.mark.parametrize(
    ("rate", "each", "refused"), [("24", 0, ""), ("24", 5_000, "33.2301"), ("30", 0, "28.5103")]
)
def test_a_restructure_is_held_against_the_caps_with_all_that_was_paid(
    rate: str, each: int, refused: str
) -> None:
    """The loan as a whole counts: dear terms after cheap ones, and fees with every installment."""
    made = terms(method=Method.EQUAL_INSTALLMENT, annual_rate_percent=Decimal(24))
    lines = build(made)
    paid = [Payment(line.due_on, line.total + each, line.principal) for line in lines[:3]]
    left = remaining_terms(made, lines, date(2024, 4, 15), lines[2].balance, periods=24)
    new = continue_from(replace(left, annual_rate_percent=Decimal(rate)), 3)
    rules = CapRules(legal_caps("cn-institutions-24"), made.every, each_minor=each)
    if not refused:
        check_cost(rules, made, paid, new)
        return
    with pytest.raises(InvalidInput, match=rf"cost: '{refused} %") as found:
        check_cost(rules, made, paid, new)
    assert found.value.rule == f"at most 24 % ({rules.caps[0].rule})"


def test_a_penalty_paid_before_leaves_less_for_new_terms() -> None:
    """At the cap already: what was paid besides the schedule makes the new version unlawful."""
    made = terms(method=Method.EQUAL_INSTALLMENT, annual_rate_percent=Decimal(24))
    lines = build(made)
    paid = [Payment(line.due_on, line.total, line.principal) for line in lines[:3]]
    rules = CapRules(legal_caps("cn-institutions-24"), made.every)
    check_cost(rules, made, paid, lines[3:])
    with pytest.raises(InvalidInput, match=r"cost: '24\.1"):
        check_cost(rules, made, [*paid, Payment(date(2024, 4, 1), 1_000)], lines[3:])


def test_what_is_left_keeps_rates_parts_and_grace_that_are_still_to_come() -> None:
    """Past changes are in force already, future ones stay; grace is what remains of it."""
    made = terms(
        method=Method.EQUAL_INSTALLMENT,
        rate_changes=((date(2024, 3, 1), Decimal(10)), (date(2024, 8, 1), Decimal(9))),
        drawdowns=((date(2024, 2, 1), 100), (date(2024, 9, 1), 200)),
        principal_grace=4,
        interest_free=5,
    )
    left = remaining_terms(made, build(made), date(2024, 4, 15), 500_000)
    assert left.annual_rate_percent == 10
    assert left.rate_changes == ((date(2024, 8, 1), Decimal(9)),)
    assert left.drawdowns == ((date(2024, 9, 1), 200),)
    assert (left.principal_grace, left.interest_free, left.periods) == (1, 2, 9)
    assert left.anchor_day == 15


@pytest.mark.parametrize("as_of", [date(2025, 1, 15), date(2024, 1, 14)])
def test_nothing_is_left_after_the_end_or_before_the_beginning(as_of: date) -> None:
    """A restructure needs a loan that runs."""
    with pytest.raises(InvalidInput, match="as_of"):
        remaining_terms(LEVEL, build(LEVEL), as_of, 100)


@given(
    st.dates(date(2024, 1, 15), date(2024, 12, 31)),
    st.integers(1, 1_000_000),
    st.sampled_from([Effect.SHORTER_TERM, Effect.SMALLER_INSTALLMENT]),
    st.sampled_from([Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL]),
    st.sampled_from(DayCount),
)
def test_what_is_paid_early_and_what_is_left_sum_to_what_was_owed(
    as_of: date, amount: int, effect: Effect, method: Method, count: DayCount
) -> None:
    """No cent of principal appears or disappears, whatever the day, the effect, the method."""
    made = terms(method=method, day_count=count)
    lines = build(made)
    owed = made.principal_minor - sum(line.principal for line in lines if line.due_on <= as_of)
    try:
        found = prepay(made, lines, as_of, amount, effect, EarlyFee(Fraction(1, 100)))
    except InvalidInput as refused:
        assert refused.field == "amount"  # noqa: PT017
        return
    assert found.principal + sum(line.principal for line in found.lines) == owed
    assert sum(part.minor for part in found.parts) + found.left == amount
    assert 0 <= found.left <= 1
    assert len(found.lines) <= 12
