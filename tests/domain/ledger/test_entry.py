"""An entry balances in every currency, posts something, and says something twice at least."""

from dataclasses import replace
from datetime import date

import pytest

from domain.errors import InvariantBroken
from domain.ledger import accounts
from domain.ledger.accounts import PLACED, SIDES, Side
from domain.ledger.entry import Entry, Posting

DAY = date(2026, 3, 10)


def lies(minor: int, place: str) -> Posting:
    """A posting of money that lies at a place."""
    return Posting("suspense/R1", minor, "CNY", payment="R1", place=place)


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
        ((lies(1, "clearing/r"), lies(-1, "bank/A")), "does not balance: 1 CNY at clearing/r"),
        ((lies(1, "bank/A"), Posting("owed/L/1/fee", -1, "CNY")), "does not balance"),
        ((Posting("payable/f", 1, "CNY"), lies(-1, "bank/A")), "payable/f at place None"),
        (
            (Posting("claim/f", 1, "CNY", place="bank/A"), lies(-1, "bank/A")),
            "claim/f at place bank/A",
        ),
    ],
)
def test_anything_else_is_refused(postings: tuple[Posting, ...], why: str) -> None:
    """The fault names the entry."""
    with pytest.raises(InvariantBroken, match=why):
        Entry("x", DAY, postings)


def test_money_that_goes_to_another_place_balances_at_both() -> None:
    """Proven money: cash for the clearing, and the item goes with it."""
    entry = Entry(
        "settled",
        DAY,
        (
            Posting("bank/A", 5, "CNY", place="bank/A"),
            lies(-5, "bank/A"),
            Posting("clearing/r", -5, "CNY", place="clearing/r"),
            lies(5, "clearing/r"),
        ),
    )
    assert len(entry.postings) == 4


@pytest.mark.parametrize("family", sorted(SIDES))
def test_money_lies_somewhere_and_what_is_owed_nowhere(family: str) -> None:
    """Every family of accounts either demands a place or refuses one."""
    place = "bank/A" if family in PLACED else None
    postings = tuple(Posting(f"{family}/x", minor, "CNY", place=place) for minor in (1, -1))
    assert Entry("x", DAY, postings).postings == postings
    wrong = tuple(replace(part, place=None if place else "bank/A") for part in postings)
    with pytest.raises(InvariantBroken, match=f"{family}/x at place"):
        Entry("x", DAY, wrong)


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
        accounts.opening("p"),
    ]
    assert {name.split("/")[0] for name in names} == set(SIDES)
    assert {SIDES[name.split("/")[0]] for name in names} == set(Side)
    assert accounts.suspense_line("l") == "suspense/line/l"
