"""Early repayment of loans lent in parts, of bullets at their end, and within principal grace."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.amounts import Component
from domain.pricing.payoff import accrued_interest, quote
from domain.pricing.prepay import prepay
from domain.pricing.restructure import Effect, reamortise
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms, build

PRINCIPAL, INTEREST = Component.PRINCIPAL, Component.INTEREST
SECOND_PART = date(2024, 3, 20)


def terms(**changed: Any) -> ScheduleTerms:
    """12000.00 at 12 percent over 12 months, due on the 15th from 15 February 2024."""
    values: dict[str, Any] = {
        "principal_minor": 1_200_000,
        "currency": "CNY",
        "annual_rate_percent": Decimal(12),
        "periods": 12,
        "method": Method.EQUAL_INSTALLMENT,
        "day_count": DayCount.MONTHS,
        "disbursed_on": date(2024, 1, 15),
        "first_due_on": date(2024, 2, 15),
        "every": Frequency(1, "month"),
    }
    return ScheduleTerms(**(values | changed))


def test_a_bullet_asks_its_interest_once_on_its_last_day() -> None:
    """12000 and a year at 12 percent: 13440, as the one line of its schedule says."""
    made = terms(method=Method.BULLET)
    found = quote(made, build(made), date(2025, 1, 15))
    assert [(part.component, part.minor) for part in found.parts] == [
        (INTEREST, 144_000),
        (PRINCIPAL, 1_200_000),
    ]
    assert (found.total, found.interest_saved) == (1_344_000, 0)


def test_a_last_line_moved_beyond_its_period_bears_no_interest_on_the_way() -> None:
    """Three lines of 4000 for twelve periods; the third is due in April, or moved to July."""
    made = terms(method=Method.EQUAL_PRINCIPAL, round_installment_to_minor=400_000)
    lines = build(made)
    moved = (*lines[:2], replace(lines[2], due_on=date(2024, 7, 1)))
    assert len(lines) == 3
    assert accrued_interest(made, moved, date(2024, 4, 25)) == 0
    assert accrued_interest(made, moved, date(2024, 6, 20)) == 0
    assert accrued_interest(made, moved, date(2024, 7, 1)) == 0
    assert accrued_interest(made, moved, date(2024, 3, 25)) == 400_000 * 12 * 10 // 36_000


@pytest.mark.parametrize(
    ("as_of", "paid", "owed"),
    [
        # 10000 lent at first, 2000 on 20 March; two installments repay 788.49 and 796.37.
        (date(2024, 2, 14), 0, 1_000_000),
        (date(2024, 2, 15), 1, 921_151),
        (date(2024, 3, 17), 2, 841_514),
        (date(2024, 3, 19), 2, 841_514),
        (SECOND_PART, 2, 1_041_514),
        (date(2024, 4, 14), 2, 1_041_514),
        (date(2024, 4, 15), 3, 941_676),
        # The third is paid ahead, before the second part is lent.
        (date(2024, 3, 17), 3, 741_676),
        (date(2024, 3, 20), 3, 941_676),
    ],
)
def test_a_payoff_asks_what_has_been_lent_by_then(as_of: date, paid: int, owed: int) -> None:
    """A part not lent yet is not owed; one that is lent is, from its day on."""
    made = terms(drawdowns=((SECOND_PART, 200_000),))
    assert quote(made, build(made), as_of, paid_through=paid).of(PRINCIPAL) == owed


@given(
    st.dates(date(2024, 1, 15), date(2025, 1, 14)),
    st.lists(st.dates(date(2024, 1, 16), date(2025, 1, 14)), max_size=3, unique=True),
    st.sampled_from([Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY]),
)
def test_what_is_owed_is_what_was_lent_less_what_was_repaid(
    as_of: date, days: list[date], method: Method
) -> None:
    """With every installment due by then paid."""
    made = terms(method=method, drawdowns=tuple((day, 100_000) for day in sorted(days)))
    lines = build(made)
    due = [line for line in lines if line.due_on <= as_of]
    found = quote(made, lines, as_of, paid_through=len(due)).of(PRINCIPAL)
    lent = made.first_part_minor + sum(100_000 for day in days if day <= as_of)
    assert found == lent - sum(line.principal for line in due)


@pytest.mark.parametrize("effect", [Effect.SHORTER_TERM, Effect.SMALLER_INSTALLMENT])
@pytest.mark.parametrize("method", [Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL])
def test_a_part_to_be_lent_later_is_in_the_new_schedule(method: Method, effect: Effect) -> None:
    """1000 repaid early before the second part: the new lines repay the rest and that part."""
    made = terms(method=method, drawdowns=((SECOND_PART, 200_000),))
    as_of = date(2024, 3, 17)
    lines = build(made)
    found = prepay(made, lines, as_of, 100_000, effect)
    assert sum(line.principal for line in found.lines) + found.principal == sum(
        line.principal for line in lines[2:]
    )
    assert found.lines[-1].balance == 0


@pytest.mark.parametrize("method", [Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL])
def test_within_principal_grace_a_shorter_term_keeps_the_installment_after_it(
    method: Method,
) -> None:
    """Half the loan repaid in grace of three months: five lines of the old size, not one big one.

    What is paid in grace is interest alone, and no installment to go on with.
    """
    made = terms(method=method, principal_grace=3)
    lines = build(made)
    new = reamortise(made, lines, date(2024, 2, 15), 600_000, Effect.SHORTER_TERM)
    assert [line.principal for line in new[:2]] == [0, 0]
    assert len(new) in {2 + 5, 2 + 4}
    old = lines[3].total if method is Method.EQUAL_INSTALLMENT else lines[3].principal
    kept = [
        line.total if method is Method.EQUAL_INSTALLMENT else line.principal for line in new[2:-1]
    ]
    assert set(kept) == {old}
    assert new[-1].balance == 0


def test_an_equal_principal_after_grace_is_that_of_the_loan() -> None:
    """The same in the last period, where only one line is left to take it from."""
    made = terms(principal_grace=11)
    lines = build(made)
    [last] = reamortise(made, lines, date(2024, 12, 15), 500_000, Effect.SHORTER_TERM)
    assert last.principal == 500_000


@pytest.mark.parametrize("method", [Method.EQUAL_INSTALLMENT, Method.FLAT, Method.BULLET])
def test_a_loan_that_is_overdue_after_its_end_can_still_be_paid_off(method: Method) -> None:
    """The last line is open a month after it was due: it, the penalty, and nothing more."""
    made = terms(method=method)
    lines = build(made)
    found = quote(made, lines, date(2025, 2, 15), paid_through=len(lines) - 1, penalty_minor=1_234)
    assert found.total == lines[-1].total + 1_234
    assert found.of(INTEREST) == lines[-1].interest
    assert found.interest_saved == 0
