"""Worked cases of lines whose items, fees and amounts do not say the same."""

import pytest

from domain.debit.outcome import OutcomeClass
from domain.statement.statement import LineItem
from tests.domain.loan.decide.disputed import BANK, LINES, OWED, last_line, match, scene
from tests.support import invariants


def test_a_line_whose_items_do_not_add_up_proves_nothing() -> None:
    """1.00 with an item of 101.00 waits whole, and no debit of its installment leaves meanwhile."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    s.line(LineItem(order, None, None, 10100), minor=100)
    line = last_line(s)
    assert s.balances == {**OWED, BANK: 100, f"suspense/line/{line}": -100}
    waits = s.books.view().next_action
    assert waits is not None
    assert waits.reason == f"waits for the end of case line/{line}"


def test_a_line_of_nothing_whose_items_do_not_add_up_is_seen() -> None:
    """An amount of 0.00 with an item of 101.00 is a case, not silence."""
    s = scene()
    s.line(LineItem("X", None, None, 10100), minor=0)
    assert f"line/{last_line(s)}" in s.books.cases


def test_a_line_that_nets_to_zero_is_booked_item_by_item() -> None:
    """101.00 in and 101.00 out, both unknown: the line waits, each item is matched by itself."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.line(LineItem("A", None, None, 10100), LineItem("B", None, None, -10100))
    line = last_line(s)
    assert (s.books.lines[line].open_minor, f"line/{line}" in s.books.cases) == (0, True)
    assert match(s, line, order, 10100) == ""
    assert s.balances == {f"suspense/line/{line}": 10100, "held_by/funder-1": -10100}
    assert match(s, line, order, 10100) == ""
    assert s.balances == OWED
    assert f"line/{line}" not in s.books.cases
    invariants.check(s.books)


def test_a_charge_on_a_line_that_waited_is_booked_when_it_is_matched() -> None:
    """100.00 arrive of 101.00, the bank kept 1.00 of the line; matched by reference."""
    s = scene()
    s.until(LINES[0].due_on)
    s.line(LineItem("T-1", None, None, 10100), charges_minor=100)
    line = last_line(s)
    before = s.mark
    s.pay(10100, ref="T-1")
    assert s.posted(before)[1:3] == [
        ("rail_fee", {"rail_fees/transfer": 100, f"suspense/line/{line}": -100}),
        ("identified", {f"suspense/line/{line}": 10100, "clearing/transfer": -10100}),
    ]
    assert s.state == "SETTLED"
    assert s.books.lines[line].open_minor == 0


@pytest.mark.parametrize("stated", [True, False])
def test_a_fee_inside_a_line_is_booked_by_a_person(*, stated: bool) -> None:
    """100.00 of 101.00 on a line without a reference: the bank or a person says the fee."""
    s = scene()
    order = s.present()
    s.apply_outcome(order)
    s.line(LineItem(None, None, None, 10100 if stated else 10000, 100 if stated else 0))
    line = last_line(s)
    assert match(s, line, order, 10100, fee=0 if stated else 100) == ""
    assert s.balances == {BANK: 10000, "rail_fees/simbank": 100, "held_by/funder-1": -10100}
    invariants.check(s.books)


def test_a_debit_known_only_by_a_part_that_went_back_is_raised_when_its_line_is_matched() -> None:
    """40.00 are reported back of an order that nobody confirmed; a bare line shows 101.00."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.PENDING)
    s.returned(order, minor=4000)
    s.line(minor=10100)
    line = last_line(s)
    payment = s.payment(f"R-{order}")
    assert (payment.inferred, payment.amount_minor) == (True, 4000)
    assert match(s, line, order, 10100) == ""
    payment = s.payment(f"R-{order}")
    assert (payment.amount_minor, payment.settled_minor, payment.returned_minor) == (
        10100,
        10100,
        4000,
    )
    assert not payment.inferred
    assert f"line/{line}" not in s.books.cases
    invariants.check(s.books)
