"""An entry balances in every currency, posts something, and says something twice at least."""

from datetime import date

import pytest

from domain.errors import InvariantBroken
from domain.ledger import accounts
from domain.ledger.accounts import SIDES, Side
from domain.ledger.entry import Entry, Posting

DAY = date(2026, 3, 10)


def test_a_balanced_entry_stands() -> None:
    """Two currencies, each for itself."""
    entry = Entry(
        "x",
        DAY,
        (
            Posting("a", 5, "CNY"),
            Posting("b", -5, "CNY"),
            Posting("a", 1, "EUR"),
            Posting("b", -1, "EUR"),
        ),
    )
    assert len(entry.postings) == 4


@pytest.mark.parametrize(
    ("postings", "why"),
    [
        ((Posting("a", 1, "CNY"),), "fewer than two"),
        ((), "fewer than two"),
        ((Posting("a", 0, "CNY"), Posting("b", 0, "CNY")), "posts nothing"),
        ((Posting("a", 1, "CNY"), Posting("b", -2, "CNY")), "does not balance"),
        ((Posting("a", 1, "CNY"), Posting("b", -1, "EUR")), "does not balance"),
    ],
)
def test_anything_else_is_refused(postings: tuple[Posting, ...], why: str) -> None:
    """The fault names the entry."""
    with pytest.raises(InvariantBroken, match=why):
        Entry("x", DAY, postings)


def test_account_names_begin_with_a_family_of_a_known_side() -> None:
    """Every name that is made here has a side."""
    names = [
        accounts.owed("L", 1, "principal"),
        accounts.claim("p"),
        accounts.clearing("r"),
        accounts.bank("b"),
        accounts.held_by("p"),
        accounts.payable("p"),
        accounts.paying("p"),
        accounts.suspense("R"),
        accounts.suspense_line("l"),
        accounts.advance("L"),
        accounts.receivable("p"),
        accounts.rail_fees("r"),
        accounts.forgiven("p", "goodwill"),
        accounts.written_off("p", "L", 1, "principal"),
        accounts.subrogated("g", "L", 1, "principal"),
    ]
    assert {name.split("/")[0] for name in names} == set(SIDES)
    assert {SIDES[name.split("/")[0]] for name in names} == set(Side)
    assert accounts.suspense_line("l") == "suspense/line/l"
