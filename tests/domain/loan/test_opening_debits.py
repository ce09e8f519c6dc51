"""What an opening says of debits and holds is refused where it contradicts itself."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.debit.attempt import AttemptState
from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.loan.opening import OpeningItem
from tests.support.memory import MemoryBooks, board
from tests.support.openings import APRIL, AS_OF, WHOLE, held, opening, ordered, paid

TAKEN: dict[str, Any] = {"outcome_class": None, "code": "00", "state": AttemptState.CONFIRMED}
BACK = ordered(state=AttemptState.RETURNED)
CASES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "installment",
        "one of which something was left then",
        {
            "payments": (paid((2, WHOLE), on=date(2026, 4, 18)),),
            "items": (OpeningItem(number=2, written_off_on=AS_OF),),
        },
    ),
    (
        "installment",
        "one of which something was left then",
        {"items": (OpeningItem(number=2, waived=WHOLE, written_off_on=AS_OF),)},
    ),
    ("payments[1]", "at least one part", {"payments": (paid(returned_minor=5),)}),
    ("unplaced", "not negative", {"payments": (paid((1, WHOLE), unplaced_minor=-1),)}),
    ("returned", "not negative", {"payments": (paid((1, WHOLE), returned_minor=-1),)}),
    ("unplaced", "unless order_no names the debit", {"payments": (paid(unplaced_minor=5),)}),
    (
        "returned",
        "unless order_no names the debit",
        {"payments": (paid((1, WHOLE), returned_minor=5),)},
    ),
    (
        "order_no",
        "the order of a confirmed attempt",
        {"payments": (paid(unplaced_minor=5, order_no="OLD-1"),)},
    ),
    (
        "returned",
        "where its attempt was returned",
        {
            "payments": (paid((1, WHOLE), order_no="OLD-1", returned_minor=5),),
            "attempts": (ordered(**TAKEN, amount_minor=10105),),
        },
    ),
    (
        "returned",
        "where its attempt was returned",
        {"payments": (paid((1, WHOLE), order_no="OLD-1"),), "attempts": (BACK,)},
    ),
    (
        "order_no",
        "at most 101.00 CNY",
        {
            "payments": (paid((1, WHOLE), order_no="OLD-1", returned_minor=5),),
            "attempts": (BACK,),
        },
    ),
    (
        "order_no",
        "as much as the payment that names it",
        {
            "payments": (paid((1, WHOLE), order_no="OLD-1", returned_minor=5),),
            "attempts": (replace(BACK, amount_minor=10106),),
        },
    ),
    (
        "order_no",
        "as much as the payment that names it",
        {"attempts": (ordered(**TAKEN),)},
    ),
    ("holds", "the loan once", {"holds": (held(), held())}),
    ("holds", "in their order", {"holds": (held(2), held(1))}),
    ("holds", "installments that there are", {"holds": (held(4),)}),
    ("holds", "2026-04-19 or before", {"holds": (held(since=date(2026, 4, 20)),)}),
    ("holds", "a reason of 1 to 200", {"holds": (held(reason=""),)}),
    ("holds", "a reason of 1 to 200", {"holds": (held(reason="x" * 201),)}),
]


@pytest.mark.parametrize(("field", "why", "said"), CASES)
def test_a_contradiction_is_refused_by_its_rule(field: str, why: str, said: dict[str, Any]) -> None:
    """The rule names what is wrong; nothing is kept."""
    books = MemoryBooks(at=APRIL)
    answer = books.apply(replace(board(), opening=opening(**said)))
    assert isinstance(answer, Refusal), answer
    assert answer.rule == f"opening.{field}"
    assert why in answer.reason
    assert not books.loans


def test_holds_that_agree_are_taken() -> None:
    """Of the loan, and of installments of their own."""
    books = MemoryBooks(at=APRIL)
    said = opening(holds=(held(), held(1), held(3, since=None)))
    assert isinstance(books.apply(replace(board(), opening=said)), Change)
