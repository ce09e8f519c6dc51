"""Holds and order numbers that a loan in progress brings."""

from dataclasses import replace

import pytest

from domain.loan.aggregate import HoldKind
from domain.loan.change import Change
from domain.loan.decide.driving import order_number
from tests.support.doors import Past, Unhold
from tests.support.memory import board
from tests.support.openings import AS_OF, WHOLE, brought, held, opening, ordered, paid


def test_a_hold_of_the_loan_holds_all_of_it() -> None:
    """Also what is closed, for its money may come back; nothing is done until it is ended."""
    s = brought(opening(payments=(paid((1, WHOLE)),), holds=(held(),)), past=Past.OWED)
    holds = [item.hold for item in s.books.loans["L1"].installments]
    assert holds == [HoldKind.ALL] * 3
    assert s.books.item(2).hold_since == AS_OF
    assert [s.books.view(number).next_action for number in (2, 3)] == [None, None]
    moves = [move.detail for move in s.books.transitions if move.event == "held"]
    assert moves == ["all since 2026-04-19"] * 3
    s.order(Unhold, 2)
    assert s.present(2)


def test_an_installment_may_have_a_hold_of_its_own() -> None:
    """It takes the place of that of the loan, from a day that nobody knows."""
    mine = held(2, kind=HoldKind.DEBIT, reason="hardship", since=None)
    s = brought(opening(payments=(paid((1, WHOLE)),), holds=(held(), mine)))
    item = s.books.item(2)
    assert (item.hold, item.hold_reason, item.hold_since) == (HoldKind.DEBIT, "hardship", None)
    assert s.books.item(3).hold is HoldKind.ALL


def test_a_number_that_another_loan_brought_is_not_used_again() -> None:
    """Our numbers follow from loan, installment and attempt: a former system may have had one."""
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE)),)))
    ours = order_number("t1", "L1", 3, 1)
    other = opening(attempts=(ordered(1, ours, mandate_ref="M-L2"),))
    assert isinstance(s.books.apply(replace(board("L2"), opening=other)), Change)
    assert s.present(3) == order_number("t1", "L1", 3, 2)


@pytest.mark.parametrize("most", [30, 35])
def test_an_order_number_is_never_longer_than_its_rail_keeps(most: int) -> None:
    """What a rail cuts off would make one number of two: the loan is shown by less instead."""
    name = "A" * 16
    numbers = {order_number("t", name, n, a, most) for n in (1, 999, 1200) for a in (1, 99, 100)}
    assert len(numbers) == 9
    assert {len(number) for number in numbers} <= set(range(29, most + 1))
    assert order_number("t", name, 1, 1, most).startswith(name)
