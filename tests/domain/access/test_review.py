"""Which orders need a second person: every kind that there is, and limits that add up."""

from datetime import date

import pytest

from domain.access.orders import ALL_ORDERS, amount_of, loan_of, right_of
from domain.access.review import REVIEWS, Needed, Review, Spent, review_of
from domain.access.rights import Right
from domain.case.commands import CASE_ORDERS, AssignCase
from domain.errors import InvalidInput
from domain.kernel.order import OperatorOrder
from domain.loan.commands import RecordPayment, Waive
from domain.pricing.amounts import Component
from tests.support.memory import TESTER

FOUR_EYES = {
    "write_off", "cancel", "undo_match", "record_payment", "withdraw_payment",
    "change_date", "state_outcome", "approve_payout", "settle_payout", "clear_mandate",
    "replace_mandate", "state_leg_done", "waive_leg",
}  # fmt: skip


def _orders(of: type[OperatorOrder] = OperatorOrder) -> set[str]:
    found = set()
    for one in of.__subclasses__():
        found |= _orders(one)
        if one.__module__.startswith("domain.") and "kind" in one.__dict__:
            found.add(one.pinned())
    return found - {"", "raise_operator"}


def test_every_order_that_exists_has_a_review() -> None:
    """A new order without one would pass unseen, or be refused for ever."""
    assert _orders() == set(ALL_ORDERS)
    assert set(REVIEWS) == set(ALL_ORDERS)


def test_what_moves_money_or_ends_a_debt_needs_two() -> None:
    """The list is written down here a second time, so that a change of it is seen."""
    found = {kind for kind, review in REVIEWS.items() if review is Review.FOUR_EYES}
    assert found == FOUR_EYES
    assert {kind for kind, review in REVIEWS.items() if review is Review.LIMIT} == {
        "waive",
        "charge",
    }


@pytest.mark.parametrize("kind", REVIEWS)
def test_the_review_of_an_order_is_what_its_table_says(kind: str) -> None:
    """Whatever its amount, except for what has a limit."""
    small = review_of(kind, "CNY", 1, Spent())
    large = review_of(kind, "CNY", 10**9, Spent())
    match REVIEWS[kind]:
        case Review.FOUR_EYES:
            assert small == large == Needed(four_eyes=True, rule=f"{kind}.four_eyes")
        case Review.LIMIT:
            assert not small.four_eyes
            assert large == Needed(four_eyes=True, rule=f"{kind}.limit")
        case _:
            assert not small.four_eyes
            assert not large.four_eyes


def test_limits_add_up_for_the_loan_and_for_who_asks() -> None:
    """A sum in small parts passes no more than the sum, on one loan or over many loans."""
    assert not review_of("waive", "CNY", 10_000, Spent()).four_eyes
    assert review_of("waive", "CNY", 10_001, Spent()).rule == "waive.limit"
    assert not review_of("waive", "CNY", 5_000, Spent(5_000, 5_000)).four_eyes
    assert review_of("waive", "CNY", 1, Spent(10_000, 0)).rule == "waive.limit_of_loan"
    assert review_of("charge", "CNY", 1, Spent(0, 10_000)).rule == "charge.limit_of_requester"


def test_limits_are_in_units_of_the_currency() -> None:
    """100 yen are 100 minor units; another limit may be set."""
    assert review_of("waive", "JPY", 101, Spent()).four_eyes
    assert not review_of("waive", "JPY", 101, Spent(), limit_units=101).four_eyes


def test_a_case_needs_two_where_the_books_say_so() -> None:
    """The books know which cases keep a gate shut."""
    asked = review_of("resolve_case", "", 0, Spent(), asked=True)
    assert asked == Needed(four_eyes=True, rule="resolve_case.books")
    assert not review_of("resolve_case", "", 0, Spent()).four_eyes


def test_an_unknown_order_is_refused() -> None:
    """Nothing is let through because nobody thought of it."""
    with pytest.raises(InvalidInput, match="kind"):
        review_of("sing", "CNY", 1, Spent())


def test_orders_say_their_loan_amount_and_right() -> None:
    """A currency in the order wins over that of the loan."""
    waive = Waive(
        id="1", actor=TESTER, reason="r", loan_id="L1", number=1,
        component=Component.PENALTY, amount_minor=5,
    )  # fmt: skip
    paid = RecordPayment(
        id="1", actor=TESTER, reason="r", loan_id="L1", number=1, reference="T", amount_minor=7,
        currency="EUR", value_on=date(2026, 3, 1),
    )  # fmt: skip
    case = AssignCase(id="1", actor=TESTER, reason="r", case="k", assignee="ann")
    assert amount_of(waive, "CNY") == ("CNY", 5)
    assert amount_of(paid, "CNY") == ("EUR", 7)
    assert amount_of(case, "") == ("", 0)
    assert (loan_of(waive), loan_of(case)) == ("L1", "")
    rights = {kind: right_of(order) for kind, order in ALL_ORDERS.items()}
    of_cases = {kind for kind, right in rights.items() if right is Right.ORDER_CASES}
    assert of_cases == {*CASE_ORDERS, "retry_message", "drop_message"}
