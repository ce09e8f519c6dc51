"""Early repayment to the last word: every part of a quote with its amount and its reason.

Borrowers read these lines; `acquit payoff` prints them. All figures are of 12000.00 at 12 percent
over twelve months in equal parts of principal, lent on 15 January 2024, due on the 15th.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.pricing.amounts import Component
from domain.pricing.payoff import EU_CONSUMER_CREDIT, EarlyFee, FeeCap, QuotePart, quote
from domain.pricing.prepay import prepay
from domain.pricing.restructure import Effect
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build

APRIL, MAY = date(2024, 4, 15), date(2024, 5, 3)
FEE, INTEREST, PRINCIPAL = Component.FEE, Component.INTEREST, Component.PRINCIPAL


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
        "first_due_on": date(2024, 2, 15),
        "every": Frequency(1, "month"),
    }
    return ScheduleTerms(**(values | changed))


def test_a_quote_names_every_part_with_its_reason() -> None:
    """One of three due is paid, fees stand on the lines, a fee and a penalty besides."""
    made = terms()
    lines = tuple(replace(line, fee=250) for line in build(made))
    found = quote(
        *(made, lines, MAY),
        paid_through=1,
        fee=EarlyFee(Fraction(1, 200)),
        penalty_minor=77,
    )
    assert found.as_of == MAY
    assert found.parts == (
        QuotePart(Component.PENALTY, 77, "penalty up to the day of payment"),
        QuotePart(FEE, 500, "fees of installments 2, 3, already due"),
        QuotePart(INTEREST, 21_000, "interest of installments 2, 3, already due"),
        QuotePart(PRINCIPAL, 200_000, "principal of installments 2, 3, already due"),
        QuotePart(INTEREST, 5_400, "interest accrued from 2024-04-15 to 2024-05-03, 18 days"),
        QuotePart(PRINCIPAL, 900_000, "principal not yet due"),
        QuotePart(FEE, 4_500, "early-repayment fee, 1/2 % of the principal repaid early"),
    )
    assert found.total == 77 + 500 + 21_000 + 200_000 + 5_400 + 900_000 + 4_500


def test_interest_paid_ahead_is_given_back_with_its_reason_and_counts_as_saved() -> None:
    """Five are paid on the day of the third: the interest of two comes back, all later is saved."""
    made = terms()
    found = quote(made, build(made), APRIL, paid_through=5)
    assert found.parts == (
        QuotePart(INTEREST, -17_000, "interest paid ahead and not accrued"),
        QuotePart(PRINCIPAL, 700_000, "principal not yet due"),
    )
    assert found.interest_saved == 9_000 + 8_000 + 28_000


@pytest.mark.parametrize(
    ("as_of", "principal"), [(date(2024, 3, 14), 600_000), (date(2024, 3, 15), 1_200_000)]
)
def test_what_is_lent_on_the_day_is_owed_on_the_day(as_of: date, principal: int) -> None:
    """Half of it is lent on 15 March: not a day earlier, and already on that day."""
    made = terms(method=Method.BULLET, drawdowns=((date(2024, 3, 15), 600_000),))
    assert quote(made, build(made), as_of).of(PRINCIPAL) == principal


def test_the_last_day_of_the_loan_can_still_be_quoted() -> None:
    """On it the last installment is due and nothing is early."""
    made = terms()
    found = quote(made, build(made), date(2025, 1, 15), paid_through=11)
    assert [part.why for part in found.parts] == [
        "interest of installments 12, already due",
        "principal of installments 12, already due",
    ]
    assert found.total == 101_000


CAPPED = FeeCap("house rule", Fraction(1, 100))


@pytest.mark.parametrize(
    ("fee", "minor", "why"),
    [
        (
            EarlyFee(Fraction(2, 100), (CAPPED,)),
            *(9_000, "early-repayment fee, limited by house rule"),
        ),
        (
            EarlyFee(Fraction(1, 100), (CAPPED,)),
            *(9_000, "early-repayment fee, 1 % of the principal repaid early"),
        ),
        (
            EarlyFee(Fraction(1, 100), EU_CONSUMER_CREDIT),
            4_500,
            "early-repayment fee, limited by 2008/48/EC art. 16 (2), one year or less left",
        ),
        (
            EarlyFee(Fraction(1, 2), within_interest=True),
            *(39_600, "early-repayment fee, limited by the interest saved"),
        ),
        (
            EarlyFee(Fraction(1, 2)),
            *(450_000, "early-repayment fee, 50 % of the principal repaid early"),
        ),
    ],
)
def test_the_fee_says_what_it_was_limited_by(fee: EarlyFee, minor: int, why: str) -> None:
    """A limit that is not reached, or just reached, is not named."""
    made = terms()
    found = quote(made, build(made), MAY, paid_through=3, fee=fee)
    assert found.parts[-1] == QuotePart(FEE, minor, why)


def test_a_fee_within_no_interest_saved_is_none() -> None:
    """At a rate of nothing no interest is saved, so the directive allows no fee at all."""
    made = terms(method=Method.ZERO)
    fee = EarlyFee(Fraction(1, 2), within_interest=True)
    found = quote(made, build(made), MAY, paid_through=3, fee=fee)
    assert [(part.component, part.minor) for part in found.parts] == [(PRINCIPAL, 900_000)]


def test_a_part_payment_names_its_parts_and_the_day() -> None:
    """3000.00 on 3 May: 54.00 interest so far, and the fee on what is left for principal."""
    made = terms()
    fee = EarlyFee(Fraction(2, 100), (CAPPED,))
    found = prepay(made, build(made), MAY, 300_000, Effect.SMALLER_INSTALLMENT, fee)
    assert found.as_of == MAY
    assert found.parts == (
        QuotePart(INTEREST, 5_400, "interest accrued from 2024-04-15 to 2024-05-03, 18 days"),
        QuotePart(PRINCIPAL, 291_684, "principal repaid early"),
        QuotePart(FEE, 2_916, "early-repayment fee, limited by house rule"),
    )
    assert found.left == 0


def test_the_cap_of_a_part_payment_looks_at_the_end_of_the_whole_loan() -> None:
    """24 months, 20 of them left: the cap for more than a year, which is one percent."""
    made = terms(periods=24)
    fee = EarlyFee(Fraction(2, 100), EU_CONSUMER_CREDIT)
    found = prepay(made, build(made), APRIL, 101_000, Effect.SMALLER_INSTALLMENT, fee)
    assert found.parts[-1] == QuotePart(
        *(FEE, 1_000),
        why="early-repayment fee, limited by 2008/48/EC art. 16 (2), more than one year left",
    )
    within = EarlyFee(Fraction(1), within_interest=True)
    saved = quote(made, build(made), APRIL, paid_through=3).interest_saved
    found = prepay(made, build(made), APRIL, 400_000, Effect.SMALLER_INSTALLMENT, within)
    assert found.parts[-1].minor == saved


def test_the_smallest_part_payment_repays_one_unit_or_is_left_over() -> None:
    """A cent above the interest is a cent of principal; where it costs a cent of fee, none."""
    made = terms()
    lines = build(made)
    free = prepay(made, lines, MAY, 5_401, Effect.SMALLER_INSTALLMENT)
    assert (free.principal, free.left) == (1, 0)
    dear = prepay(made, lines, MAY, 5_401, Effect.SMALLER_INSTALLMENT, EarlyFee(Fraction(1)))
    assert (dear.principal, dear.left) == (0, 1)


def test_installments_paid_ahead_are_named_one_by_one_fees_included() -> None:
    """Exactly two installments of 1092.50 and 1082.50, each with its fee of 2.50."""
    made = terms()
    lines = tuple(replace(line, fee=250) for line in build(made))
    found = prepay(made, lines, APRIL, 217_500, Effect.NEXT_INSTALLMENTS)
    assert found.as_of == APRIL
    assert found.parts == (
        QuotePart(PRINCIPAL, 100_000, "principal of installment 4"),
        QuotePart(INTEREST, 9_000, "interest of installment 4"),
        QuotePart(FEE, 250, "fee of installment 4"),
        QuotePart(PRINCIPAL, 100_000, "principal of installment 5"),
        QuotePart(INTEREST, 8_000, "interest of installment 5"),
        QuotePart(FEE, 250, "fee of installment 5"),
    )
    assert found.left == 0
