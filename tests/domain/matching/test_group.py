"""Who of a group shows how much of what: sums agree, the fee lies in the first piece."""

from dataclasses import replace
from datetime import date

import pytest

from domain.matching.group import Group, Meant, Part, Shown
from domain.matching.model import Pass
from domain.matching.result import LineResult, Status

DAY = date(2026, 3, 10)
FOUND = LineResult(Status.MATCHED, Pass.END_TO_END, posts=True)


def shown(name: str, minor: int) -> Shown:
    """A piece on a line of its own."""
    return Shown(name, f"line-{name}", "A", DAY, minor, "CNY")


def meant(name: str, minor: int, loan_id: str = "L1") -> Meant:
    """A payment of a loan."""
    return Meant(name, "payment", loan_id, 1, name, minor)


def told(group: Group) -> list[tuple[str, str, int, int]]:
    """Line, expectation, amount and fee of each part."""
    return [(it.line, it.meant.id, it.minor, it.fee_minor) for it in group.parts()]


@pytest.mark.parametrize(
    ("pieces", "wanted", "fee", "parts"),
    [
        ([100], [100], 0, [("line-0", "e0", 100, 0)]),
        ([60, 40], [100], 0, [("line-0", "e0", 60, 0), ("line-1", "e0", 40, 0)]),
        ([100], [60, 40], 0, [("line-0", "e0", 60, 0), ("line-0", "e1", 40, 0)]),
        (
            [50, 50],
            [70, 30],
            0,
            [("line-0", "e0", 50, 0), ("line-1", "e0", 20, 0), ("line-1", "e1", 30, 0)],
        ),
        ([98], [100], 2, [("line-0", "e0", 100, 2)]),
        ([-53], [-50], 3, [("line-0", "e0", 50, 3)]),
    ],
)
def test_pieces_and_expectations_are_paired_in_order(
    pieces: list[int], wanted: list[int], fee: int, parts: list[tuple[str, str, int, int]]
) -> None:
    """One with one, several with one, one with several, and several with several."""
    group = Group(
        replace(FOUND, fee_minor=fee),
        tuple(shown(str(at), minor) for at, minor in enumerate(pieces)),
        tuple(meant(f"e{at}", minor) for at, minor in enumerate(wanted)),
    )
    assert told(group) == parts


def test_money_of_a_loan_is_all_the_loans() -> None:
    """Whatever is due, each piece is money of its own for the loan."""
    result = replace(FOUND, loan="loan/L1")
    group = Group(result, (shown("a", 70),), (meant("loan/L1", 0),))
    assert list(group.parts()) == [Part("line-a", group.meant[0], 70)]


def test_what_cannot_be_ordered_has_no_parts() -> None:
    """A payout is named by no order, and a group that is too large is left to people."""
    payout = Group(FOUND, (shown("a", -70),), (meant("payout/X", -70, loan_id=""),))
    assert told(payout) == []
    large = Group(FOUND, (shown("a", 70),), (meant("e", 70),), is_whole=False)
    assert told(large) == []
