"""Amounts by component add, subtract and list what they hold."""

from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.amounts import Amounts, Component

AMOUNTS = st.builds(Amounts, *[st.integers(-(10**6), 10**6)] * 5)


@given(AMOUNTS, AMOUNTS)
def test_amounts_add_and_subtract_by_component(one: Amounts, two: Amounts) -> None:
    """Sum and difference undo each other, and totals follow."""
    assert one + two - two == one
    assert (one + two).total == one.total + two.total
    assert -one + one == Amounts()


def test_amounts_list_what_is_not_zero() -> None:
    """In the order of the components; one may be added to."""
    amounts = Amounts(principal=5, penalty=2).plus(Component.FEE, 3)
    assert list(amounts.items()) == [
        (Component.PRINCIPAL, 5),
        (Component.FEE, 3),
        (Component.PENALTY, 2),
    ]
    assert amounts.of(Component.FEE) == 3
