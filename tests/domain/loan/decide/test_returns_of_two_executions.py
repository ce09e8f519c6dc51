"""Returns in parts of an order that was executed twice: all orders of their news end alike."""

from itertools import permutations

import pytest

from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.scene import Scene

NEWS = [
    ("taken", "A", 10100),
    ("taken", "B", 10100),
    ("reported", "A", 4000),
    ("shown", "A", 4000),
    ("reported", "A", 6100),
    ("shown", "A", 6100),
]


def told(order: tuple[tuple[str, str, int], ...]) -> Scene:
    """The books after news of one order: executions, and returns by report and by line."""
    s = Scene.boarded()
    order_no = s.present()
    for what, name, minor in order:
        match what:
            case "taken":
                s.apply_outcome(order_no, minor=minor, bank_ref=name, source="webhook")
            case "reported":
                s.returned(order_no, minor, bank_ref=name)
            case _:
                s.line(LineItem(order_no, "M-L1", name, -minor, 0, "AM04"))
    return s


@pytest.mark.parametrize("first", range(len(NEWS)))
def test_what_went_back_in_parts_is_taken_back_once_in_every_order_of_news(first: int) -> None:
    """A part that was booked of the other execution is not taken once more when its line comes."""
    ends = set()
    rest = [news for place, news in enumerate(NEWS) if place != first]
    for order in permutations(rest):
        s = told((NEWS[first], *order))
        portions = s.books.loans["L1"].portions
        taken, back = (sum(sizes) for sizes in zip(*_sizes(s), strict=True))
        assert (len(portions), taken, back) == (2, 20200, 10100), order
        assert s.books.item().owed.total == 0
        invariants.check(s.books)
        ends.add((s.state, s.balances.get("clearing/simbank", 0)))
    assert len(ends) == 1


def _sizes(s: Scene) -> list[tuple[int, int]]:
    return [(it.amount_minor, it.returned_minor) for it in s.books.loans["L1"].portions]


def test_a_line_under_another_name_is_no_return_that_was_reported_under_one() -> None:
    """Each execution goes back for itself: neither stands for the other."""
    s = told((*NEWS[:2], ("reported", "B", 4000), ("shown", "A", 6100)))
    assert sorted(back for _, back in _sizes(s)) == [4000, 6100]
    s = told((*NEWS[:2], ("reported", "B", 4000), ("shown", "A", 6100), ("shown", "B", 4000)))
    assert sorted(back for _, back in _sizes(s)) == [4000, 6100]
