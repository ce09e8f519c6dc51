"""Order numbers fit the rail that they are for, and stay apart."""

from dataclasses import replace

import pytest

from domain.debit.rail import ORDER_NO_LEAST
from domain.errors import InvalidInput
from domain.loan.decide.driving import order_number
from tests.support.memory import RAIL, RULES, MemoryBooks, board
from tests.support.scene import Scene

LONG = "LOAN-2026-000000000000000000000000001"


@pytest.mark.parametrize("most", [12, 15, 18, 29, 30, 32, 35])
def test_a_number_has_at_most_what_the_rail_keeps_of_it(most: int) -> None:
    """Nacha 15, Bacs 18, WeChat 32, EndToEndId 35: letters and digits, never cut to be the same."""
    made = {
        order_number("t1", loan, number, attempt, most)
        for loan in (LONG, LONG.replace("2026", "2027"))
        for number in (1, 999)
        for attempt in (1, 2, 10)
    }
    assert len(made) == 12
    assert all(len(name) <= most and name.isascii() and name.isalnum() for name in made)


def test_a_rail_that_keeps_enough_shows_loan_installment_and_attempt() -> None:
    """People read it on statements."""
    assert order_number("t1", "L-1", 3, 2, 35).startswith("L100302")


@pytest.mark.parametrize("most", [15, 18])
def test_a_debit_is_ordered_under_a_number_that_its_rail_can_keep(most: int) -> None:
    """The limit is the rail's own, declared in its profile."""
    rail = replace(RAIL, order_no_most=most)
    scene = Scene(MemoryBooks(rules=replace(RULES, rails={"simbank": rail})))
    scene.books.apply(board())
    assert len(scene.present()) == most


def test_a_rail_that_keeps_too_little_is_refused() -> None:
    """Two orders could come to share a number."""
    with pytest.raises(InvalidInput, match="order_no_most"):
        replace(RAIL, order_no_most=ORDER_NO_LEAST - 1)
