"""Schedules: published vectors, every method by hand, and what is refused."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.pricing.interest import accrue
from domain.pricing.schedule import (
    DayCount,
    Frequency,
    Method,
    Rounding,
    ScheduleLine,
    ScheduleTerms,
    build,
    check,
)


def terms(**changed: Any) -> ScheduleTerms:
    """5000.00 at 12 percent over 18 months from 1 November 2022, unless changed."""
    values: dict[str, Any] = {
        "principal_minor": 500_000,
        "currency": "EUR",
        "annual_rate_percent": Decimal(12),
        "periods": 18,
        "method": Method.EQUAL_INSTALLMENT,
        "day_count": DayCount.MONTHS,
        "disbursed_on": date(2022, 11, 1),
        "first_due_on": date(2022, 12, 1),
        "every": Frequency(1, "month"),
    }
    return ScheduleTerms(**(values | changed))


def interest_sum(lines: tuple[ScheduleLine, ...]) -> int:
    """All interest, in minor units."""
    return sum(line.interest for line in lines)


@pytest.mark.parametrize("count", [DayCount.MONTHS, DayCount.THIRTY_360, DayCount.THIRTY_E_360])
def test_fineract_rs02_installment_rounded_to_a_whole_unit(count: DayCount) -> None:
    """Apache Fineract LoanRepayment.feature RS02: 305, last 303.22, interest 488.22."""
    lines = build(terms(day_count=count, round_installment_to_minor=100))
    assert {line.total for line in lines[:-1]} == {30_500}
    assert lines[-1].total == 30_322
    assert interest_sum(lines) == 48_822
    assert build(terms())[0].total == 30_491


def test_fineract_rs01_flat_interest() -> None:
    """Apache Fineract LoanRepayment.feature RS01: 278 + 50 each, last 324, interest 900."""
    lines = build(terms(method=Method.FLAT, round_installment_to_minor=100))
    assert {(line.principal, line.interest) for line in lines[:-1]} == {(27_800, 5_000)}
    assert lines[-1].total == 32_400
    assert interest_sum(lines) == 90_000


def test_chinese_mortgage_of_a_million() -> None:
    """1,000,000 at 4.9 percent, 360 months: 5307.27 a month; equal principal starts at 6861.11.

    The published totals 910616.19 and 737041.67 come from unrounded formulas; a schedule of whole
    cents differs by less than half a cent for each line.
    """
    whole = {"principal_minor": 100_000_000, "annual_rate_percent": Decimal("4.9"), "periods": 360}
    level = build(terms(**whole))
    assert level[0].total == 530_727
    assert abs(interest_sum(level) - 91_061_619) <= 180
    falling = build(terms(**whole, method=Method.EQUAL_PRINCIPAL))
    assert falling[0].total == 686_111
    assert abs(interest_sum(falling) - 73_704_167) <= 180
    assert {line.principal for line in falling[:-1]} == {277_778}


def test_european_commission_example_with_rounding_by_line() -> None:
    """DG FISMA 2015, example 1: 1432.86; month 1 1000.00 + 432.86, month 2 997.84 + 435.02."""
    lines = build(terms(principal_minor=20_000_000, annual_rate_percent=Decimal(6), periods=240))
    assert (lines[0].interest, lines[0].principal, lines[0].balance) == (
        100_000,
        43_286,
        19_956_714,
    )
    assert (lines[1].interest, lines[1].principal) == (99_784, 43_502)
    assert {line.total for line in lines[:-1]} == {143_286}


def test_last_installment_takes_what_rounding_left() -> None:
    """100.00 in three parts without interest: 33.33, 33.33, 33.34."""
    lines = build(terms(principal_minor=10_000, periods=3, method=Method.ZERO))
    assert [line.total for line in lines] == [3_333, 3_333, 3_334]
    assert [line.balance for line in lines] == [6_667, 3_334, 0]


def test_interest_only_repays_with_the_last_installment() -> None:
    """Fifty a month on 5000 at 12 percent, and 5050 at the end."""
    lines = build(terms(method=Method.INTEREST_ONLY, periods=4))
    assert [(line.principal, line.interest) for line in lines] == [
        (0, 5_000),
        (0, 5_000),
        (0, 5_000),
        (500_000, 5_000),
    ]


def test_bullet_pays_simple_interest_at_maturity() -> None:
    """One line: 5000 and 18 months of 1 percent; by days it is ACT/365F of the whole term."""
    (line,) = build(terms(method=Method.BULLET))
    assert (line.number, line.due_on, line.principal, line.interest) == (
        1,
        date(2024, 5, 1),
        500_000,
        90_000,
    )
    (by_day,) = build(terms(method=Method.BULLET, day_count=DayCount.ACT_365F))
    assert by_day.days == 547
    assert by_day.interest == 89_918  # 500000 * 0.12 * 547 / 365 = 89917.8


def test_balloon_is_paid_on_top_of_the_last_installment() -> None:
    """5000 at 12 percent, 18 months, 1000 left: the installment of 5000 with future value 1000."""
    lines = build(terms(method=Method.BALLOON, balloon_minor=100_000))
    assert {line.total for line in lines[:-1]} == {25_393}
    assert lines[-2].balance > 100_000
    assert abs(lines[-1].total - 25_393 - 100_000) < 18
    with_method = build(terms(balloon_minor=100_000))
    assert with_method == lines


def test_equal_principal_with_a_balloon_repays_the_rest_equally() -> None:
    """4000 over 4 months, 1000 on top of the last."""
    lines = build(terms(method=Method.EQUAL_PRINCIPAL, balloon_minor=100_000, periods=4))
    assert [line.principal for line in lines] == [100_000, 100_000, 100_000, 200_000]


def test_flat_interest_that_does_not_divide_ends_exactly() -> None:
    """1000 at 10 percent flat over 12 months is 100.00: eleven times 8.33, then 8.37."""
    lines = build(
        terms(
            principal_minor=100_000, annual_rate_percent=Decimal(10), periods=12, method=Method.FLAT
        )
    )
    assert [line.interest for line in lines] == [833] * 11 + [837]
    assert interest_sum(lines) == 10_000


def test_flat_interest_rounded_up_never_goes_below_zero_at_the_end() -> None:
    """Half a cent a month rounds up to one: six months take all six cents, then there is none."""
    lines = build(
        terms(principal_minor=60, annual_rate_percent=Decimal(10), periods=12, method=Method.FLAT)
    )
    assert [line.interest for line in lines] == [1] * 6 + [0] * 6


def test_actual_days_make_interest_differ_and_the_installment_level() -> None:
    """30 days bear 49.32 and 31 days more; every installment but the last is the same."""
    lines = build(terms(day_count=DayCount.ACT_365F))
    assert lines[0].interest == 4_932  # 500000 * 0.12 * 30 / 365 = 4931.5
    assert lines[0].days == 30
    assert len({line.total for line in lines[:-1]}) == 1
    assert abs(lines[-1].total - lines[0].total) <= 18


def test_a_loan_rounded_up_far_enough_ends_early() -> None:
    """100.00 over 12 months in steps of 20.00 is repaid in five."""
    lines = build(
        terms(
            principal_minor=10_000, periods=12, method=Method.ZERO, round_installment_to_minor=2_000
        )
    )
    assert [line.total for line in lines] == [2_000] * 5


def test_due_dates_go_back_to_the_anchor_day() -> None:
    """First due on 31 January: 28 February, 31 March, 30 April."""
    lines = build(terms(first_due_on=date(2023, 1, 31), periods=4))
    assert [line.due_on for line in lines] == [
        date(2023, 1, 31),
        date(2023, 2, 28),
        date(2023, 3, 31),
        date(2023, 4, 30),
    ]


def test_an_anchor_day_of_its_own_wins_over_the_first_due_date() -> None:
    """First due on 28 February with the 31st wanted: 31 March follows."""
    lines = build(
        terms(
            disbursed_on=date(2023, 1, 31),
            first_due_on=date(2023, 2, 28),
            anchor_day=31,
            periods=2,
        )
    )
    assert lines[1].due_on == date(2023, 3, 31)
    assert lines[0].interest == 5_000


@pytest.mark.parametrize(
    ("disbursed", "exact"),
    [
        (date(2022, 11, 1), Fraction(1, 12)),
        (date(2022, 11, 11), Fraction(20, 360)),
        (date(2022, 10, 22), Fraction(1, 12) + Fraction(10, 360)),
        (date(2022, 9, 1), Fraction(3, 12)),
    ],
)
def test_an_odd_first_period_bears_a_day_as_a_three_hundred_and_sixtieth(
    disbursed: date, exact: Fraction
) -> None:
    """Months counted back from the first due date, odd days at annual / 360."""
    lines = build(terms(disbursed_on=disbursed))
    wanted = 500_000 * Fraction(12, 100) * exact
    assert abs(lines[0].interest - wanted) <= Fraction(1, 2)
    assert len({line.total for line in lines[:-1]}) == 1


def test_interest_is_never_capitalised_by_a_long_first_period() -> None:
    """Two years at 60 percent cost more than an installment: the first line asks all of it."""
    lines = build(
        terms(disbursed_on=date(2020, 12, 1), annual_rate_percent=Decimal(60), periods=60)
    )
    assert lines[0].principal == 0
    assert lines[0].interest == 600_000
    assert lines[0].balance == 500_000
    assert sum(line.principal for line in lines) == 500_000


def test_an_odd_last_period_counts_its_own_days() -> None:
    """The last installment ten days later bears a month and ten days."""
    lines = build(terms(periods=3, last_due_on=date(2023, 2, 11)))
    assert lines[-1].due_on == date(2023, 2, 11)
    wanted = lines[1].balance * Fraction(12, 100) * (Fraction(1, 12) + Fraction(10, 360))
    assert abs(lines[-1].interest - wanted) <= Fraction(1, 2)
    (only,) = build(terms(periods=1, last_due_on=date(2022, 12, 11)))
    assert only.due_on == date(2022, 12, 11)


@pytest.mark.parametrize("periods", [1, 3])
def test_a_last_due_date_before_the_one_before_is_refused(periods: int) -> None:
    """Or before the disbursement, where there is one installment only."""
    with pytest.raises(InvalidInput, match="last_due"):
        build(terms(periods=periods, last_due_on=date(2022, 10, 1)))


@pytest.mark.parametrize(
    ("every", "first_due", "interest"),
    [
        ("1w", date(2022, 11, 8), Fraction(1, 52)),
        ("2w", date(2022, 11, 15), Fraction(2, 52)),
        ("10d", date(2022, 11, 11), Fraction(10, 365)),
        ("half-month", date(2022, 11, 16), Fraction(1, 24)),
        ("3m", date(2023, 2, 1), Fraction(1, 4)),
    ],
)
def test_unit_periods_share_the_year_out(every: str, first_due: date, interest: Fraction) -> None:
    """1/52, 2/52, 10/365, 1/24, 1/4 of a year's interest."""
    lines = build(terms(every=Frequency.parse(every), first_due_on=first_due, periods=4))
    assert abs(lines[0].interest - 60_000 * interest) <= Fraction(1, 2)
    assert len({line.total for line in lines[:-1]}) == 1


def test_odd_days_beside_half_months_and_weeks() -> None:
    """A month and five days before half-months; ten days before weeks."""
    half = build(
        terms(
            every=Frequency(1, "half-month"),
            disbursed_on=date(2022, 10, 27),
            first_due_on=date(2022, 12, 1),
        )
    )
    assert half[0].interest == 5_833  # 60000 * (1/12 + 5/360) = 5833.33
    whole = build(
        terms(
            every=Frequency(1, "half-month"),
            disbursed_on=date(2022, 11, 1),
            first_due_on=date(2022, 12, 1),
        )
    )
    assert whole[0].interest == 5_000
    weeks = build(terms(every=Frequency(1, "week"), first_due_on=date(2022, 11, 11), periods=4))
    assert weeks[0].interest == 1_648  # 60000 * 10/364 = 1648.35


def test_icma_takes_regular_periods_as_parts_of_a_year() -> None:
    """A quarter is 1/4 whatever its days; a long first one counts its odd part by its own days."""
    quarter = Frequency(3, "month")
    lines = build(
        terms(day_count=DayCount.ACT_ACT_ICMA, every=quarter, first_due_on=date(2023, 2, 1))
    )
    assert lines[0].interest == 15_000
    odd = build(
        terms(
            day_count=DayCount.ACT_ACT_ICMA,
            every=quarter,
            disbursed_on=date(2022, 10, 2),
            first_due_on=date(2023, 2, 1),
        )
    )
    wanted = 60_000 * (Fraction(1, 4) + Fraction(1, 4) * Fraction(30, 92))
    assert abs(odd[0].interest - wanted) <= Fraction(1, 2)


def test_principal_grace_and_interest_free_installments() -> None:
    """Two installments of interest only, the first of them free, then 16 equal ones."""
    lines = build(terms(principal_grace=2, interest_free=1))
    assert [line.total for line in lines[:2]] == [0, 5_000]
    assert lines[2].total == build(terms(periods=16))[0].total
    free = build(terms(interest_free=18))
    assert interest_sum(free) == 0
    falling = build(terms(method=Method.EQUAL_PRINCIPAL, principal_grace=2))
    assert [line.principal for line in falling[:3]] == [0, 0, 31_250]
    flat = build(terms(method=Method.FLAT, principal_grace=2, interest_free=1))
    assert [(line.principal, line.interest) for line in flat[:3]] == [
        (0, 0),
        (0, 5_000),
        (31_250, 5_000),
    ]


def test_a_rate_change_on_a_due_date_sets_a_new_installment() -> None:
    """From 1 June on 6 percent: the seventh line bears half a percent and the level falls."""
    lines = build(terms(rate_changes=((date(2023, 5, 1), Decimal(6)),)))
    before = build(terms())
    assert lines[:6] == before[:6]
    assert lines[6].interest == round(lines[5].balance / 200)
    assert lines[6].total < lines[5].total
    assert len({line.total for line in lines[6:-1]}) == 1
    rest = build(
        terms(
            principal_minor=lines[5].balance,
            annual_rate_percent=Decimal(6),
            periods=12,
            disbursed_on=date(2023, 5, 1),
            first_due_on=date(2023, 6, 1),
        )
    )
    assert [line.total for line in rest] == [line.total for line in lines[6:]]


@pytest.mark.parametrize(
    ("count", "exact"),
    [
        (DayCount.MONTHS, Fraction(1, 12) * (Fraction(12, 31) * 12 + Fraction(19, 31) * 6)),
        (DayCount.ACT_365F, Fraction(12, 365) * 12 + Fraction(19, 365) * 6),
        (DayCount.THIRTY_360, Fraction(12, 360) * 12 + Fraction(18, 360) * 6),
    ],
)
def test_a_rate_change_inside_a_period_splits_its_interest(
    count: DayCount, exact: Fraction
) -> None:
    """12 days at 12 percent and 19 at 6 in December; months share the month out by days."""
    lines = build(
        terms(
            day_count=count,
            disbursed_on=date(2022, 12, 1),
            first_due_on=date(2023, 1, 1),
            rate_changes=((date(2022, 12, 13), Decimal(6)),),
        )
    )
    assert abs(lines[0].interest - 500_000 * exact / 100) <= Fraction(1, 2)
    assert len({line.total for line in lines[:-1]}) == 1


def test_a_rate_change_on_the_last_day_of_a_period_sets_the_level_for_all_later_ones() -> None:
    """One day at 6 percent in December, then 6 percent: no installment is far from the others."""
    one = ((date(2022, 12, 31), Decimal(6)),)
    december = {"disbursed_on": date(2022, 12, 1), "first_due_on": date(2023, 1, 1)}
    lines = build(terms(**december, rate_changes=one))
    assert abs(lines[-1].total - lines[0].total) <= 18
    both = build(terms(**december, rate_changes=(*one, (date(2023, 1, 1), Decimal(24)))))
    assert both[0] == lines[0]
    assert both[1].total > lines[1].total


def test_a_change_on_a_due_date_leaves_the_installment_of_that_date_alone() -> None:
    """The period that ends on the day of the change bears, and repays, as before."""
    changed = build(terms(rate_changes=((date(2022, 12, 1), Decimal(24)),)))
    assert changed[0] == build(terms())[0]
    again = build(terms(rate_changes=((date(2023, 3, 1), Decimal(12)),)))
    assert [line.total for line in again[:4]] == [line.total for line in build(terms())[:4]]


def test_no_installment_but_the_last_reaches_into_the_balloon() -> None:
    """Rounded up to 1000.00 the loan reaches its balloon early, and then bears interest only."""
    lines = build(
        terms(method=Method.BALLOON, balloon_minor=300_000, round_installment_to_minor=100_000)
    )
    assert min(line.balance for line in lines[:-1]) == 300_000
    assert lines[-1].principal == 300_000
    assert lines[-2].total == lines[-2].interest == 3_000


@pytest.mark.parametrize(("unit", "total"), [(0, 30_491), (1, 30_491), (2, 30_492), (3, 30_492)])
def test_installments_are_rounded_up_to_small_units_as_well(unit: int, total: int) -> None:
    """304.91 by two cents is 304.92, by three as well."""
    assert build(terms(round_installment_to_minor=unit))[0].total == total


def test_drawdowns_bear_interest_from_their_own_day() -> None:
    """3000 at once, 2000 on 16 December: half of that month for the second part."""
    lines = build(
        terms(
            disbursed_on=date(2022, 12, 1),
            first_due_on=date(2023, 1, 1),
            drawdowns=((date(2022, 12, 16), 200_000),),
            day_count=DayCount.ACT_365F,
        )
    )
    wanted = Fraction(12, 100) * (300_000 * 31 + 200_000 * 16) / 365
    assert abs(lines[0].interest - wanted) <= Fraction(1, 2)
    assert sum(line.principal for line in lines) == 500_000
    later = build(terms(drawdowns=((date(2023, 1, 1), 200_000),)))
    assert later[0].interest == 3_000
    assert later[2].balance == later[1].balance + 200_000 - later[2].principal
    assert sum(line.principal for line in later) == 500_000
    (bullet,) = build(terms(method=Method.BULLET, drawdowns=((date(2023, 11, 1), 200_000),)))
    assert bullet.interest == 300_000 * 18 // 100 + 200_000 * 6 // 100


def test_an_agreed_installment_is_taken_as_it_is() -> None:
    """400.00 a month repays 5000 in fourteen installments, the last one smaller."""
    lines = build(terms(installment_minor=40_000))
    assert {line.total for line in lines[:-1]} == {40_000}
    assert len(lines) == 14
    assert lines[-1].total < 40_000


@pytest.mark.parametrize("how", list(Rounding))
def test_every_rounding_ends_at_the_principal(how: Rounding) -> None:
    """Up, down, half up and half even all sum to what was lent."""
    lines = build(terms(rounding=how))
    assert sum(line.principal for line in lines) == 500_000
    assert lines[-1].balance == 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"principal_minor": 0}, "principal"),
        ({"periods": 0}, "periods"),
        ({"periods": 1201}, "periods"),
        ({"currency": "eur"}, "currency"),
        ({"annual_rate_percent": Decimal(-1)}, "rate"),
        ({"annual_rate_percent": Decimal("NaN")}, "rate"),
        ({"annual_rate_percent": Decimal(10_001)}, "rate"),
        ({"first_due_on": date(2022, 11, 1)}, "first_due"),
        ({"principal_grace": 18}, "principal_grace"),
        ({"interest_free": 19}, "interest_free"),
        ({"anchor_day": 32}, "anchor_day"),
        ({"anchor_day": 0}, "anchor_day"),
        ({"rate_changes": ((date(2022, 11, 1), Decimal(6)),)}, "rate_change"),
        ({"rate_changes": ((date(2023, 1, 1), Decimal(-6)),)}, "rate_change"),
        (
            {"rate_changes": ((date(2023, 2, 1), Decimal(6)), (date(2023, 1, 1), Decimal(5)))},
            "rate_change",
        ),
        ({"drawdowns": ((date(2022, 11, 1), 100),)}, "drawdown"),
        ({"drawdowns": ((date(2022, 12, 1), 0),)}, "drawdown"),
        ({"drawdowns": ((date(2022, 12, 1), 500_000),)}, "principal less drawdowns"),
        ({"drawdowns": ((date(2022, 12, 1), 100),), "method": Method.FLAT}, "drawdown"),
        ({"balloon_minor": 500_001}, "balloon"),
        ({"balloon_minor": 1, "method": Method.FLAT}, "balloon"),
        ({"method": Method.BALLOON}, "balloon"),
        ({"round_installment_to_minor": 500_001}, "round_installment_to"),
        ({"round_installment_to_minor": 100, "method": Method.BULLET}, "round_installment_to"),
        ({"installment_minor": -1}, "installment"),
        ({"installment_minor": 100, "method": Method.FLAT}, "installment"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_name(changed: dict[str, Any], field: str) -> None:
    """Each refusal names the field that is wrong."""
    with pytest.raises(InvalidInput) as refused:
        terms(**changed)
    assert refused.value.field == field


def test_a_drawdown_after_the_last_due_date_is_refused() -> None:
    """Nothing could repay it."""
    with pytest.raises(InvalidInput, match="drawdown"):
        build(terms(drawdowns=((date(2024, 5, 1), 100),)))


def test_explicit_rows_are_never_computed() -> None:
    """They come from the lender and are checked."""
    with pytest.raises(InvalidInput, match="method"):
        build(terms(method=Method.EXPLICIT))


ROWS = (
    ScheduleLine(1, date(2024, 2, 1), 31, 40, 5, 1, 60),
    ScheduleLine(2, date(2024, 3, 1), 29, 60, 3, 1, 0),
)


def test_rows_that_add_up_pass() -> None:
    """Numbers, dates, sums and balances all fit; the total holds principal, interest and fee.

    Two rows may fall due on one day: closures move both to the banking day that follows.
    """
    check((ROWS[0], replace(ROWS[1], due_on=ROWS[0].due_on)), 100)
    check(ROWS, 100)
    assert [line.total for line in ROWS] == [46, 64]


@pytest.mark.parametrize(
    ("index", "changed", "field"),
    [
        (1, {"number": 3}, "row 2 number"),
        (1, {"due_on": date(2024, 1, 31)}, "row 2 due_on"),
        (0, {"days": -1}, "row 1 days"),
        (0, {"principal": -1}, "row 1 principal"),
        (0, {"interest": -1}, "row 1 interest"),
        (0, {"fee": -1}, "row 1 fee"),
        (0, {"balance": 61}, "row 1 balance"),
        (1, {"principal": 61}, "row 2 principal"),
        (1, {"principal": 59, "balance": 1}, "principal"),
    ],
)
def test_a_row_that_does_not_add_up_is_named(
    index: int, changed: dict[str, Any], field: str
) -> None:
    """Row and column stand in the refusal, and the rule with its figure."""
    rows = list(ROWS)
    old = {name: getattr(rows[index], name) for name in ScheduleLine.__slots__}
    rows[index] = ScheduleLine(**(old | changed))
    with pytest.raises(InvalidInput) as refused:
        check(rows, 100)
    assert refused.value.field == field


def test_no_rows_are_no_schedule() -> None:
    """An empty list is refused, not passed."""
    with pytest.raises(InvalidInput, match="rows"):
        check([], 100)


def test_accrued_interest_says_what_it_was_computed_from() -> None:
    """10 days of 18 percent on 1000.00 by ACT/360: 5.00."""
    none = accrue(100_000, Decimal(18), date(2024, 1, 1), date(2024, 1, 1), DayCount.ACT_360)
    assert (none.days, none.exact, none.minor) == (0, 0, 0)
    found = accrue(100_000, Decimal(18), date(2024, 1, 1), date(2024, 1, 11), DayCount.ACT_360)
    assert (found.days, found.minor, found.fraction) == (10, 500, Fraction(10, 360))
    assert found.exact == 500
    with pytest.raises(InvalidInput, match="to"):
        accrue(1, Decimal(1), date(2024, 1, 2), date(2024, 1, 1), DayCount.ACT_360)
    with pytest.raises(InvalidInput, match="rate"):
        accrue(1, Decimal(-1), date(2024, 1, 1), date(2024, 1, 2), DayCount.ACT_360)
