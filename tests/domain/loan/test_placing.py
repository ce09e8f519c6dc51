"""Where the money of a payment lies: every item at a place, every place balanced."""

from collections import Counter
from dataclasses import replace
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.loan.aggregate import Loan
from domain.loan.placing import Item, Position, lying, placed
from domain.loan.product import Payee, Product, Routing
from domain.payment.portion import Allocated, Portion
from domain.pricing.amounts import Component
from tests.support.memory import PRODUCT, board, with_shares

DAY = date(2026, 3, 10)
THERE = "clearing/simbank"
POOLED = replace(
    with_shares(PRODUCT, ("funder-1", Fraction(90, 100)), remainder="platform"),
    payees=(Payee("funder-1", Routing.POOLED), Payee("platform", Routing.POOLED)),
)
MIXED = replace(
    POOLED,
    payees=(
        Payee("platform", Routing.POOLED),
        Payee("funder-1", Routing.DIRECT, "FA"),
    ),
)
BOTH_OWN = replace(
    POOLED,
    payees=(Payee("platform", Routing.DIRECT, "PA"), Payee("funder-1", Routing.DIRECT, "FA")),
)


def loan(product: Product) -> Loan:
    """A loan without installments: only its product decides where money lies."""
    order = board(product=product)
    return Loan("L1", "t", "b", "CNY", 1, DAY, order.product, order.mandate, ())


def payment(minor: int, paid: int = 0, **more: object) -> Portion:
    """A payment of so much, `paid` of it on principal at 90/10, the rest waiting."""
    share = paid * 9 // 10
    parts = (
        Allocated(1, Component.PRINCIPAL, paid, (("funder-1", share), ("platform", paid - share))),
    )
    known = Portion(
        "R1",
        "debit",
        minor,
        DAY,
        THERE,
        1,
        "O1",
        allocations=parts if paid else (),
        waiting_minor=minor - paid,
    )
    return replace(known, **more)  # type: ignore[arg-type]


def proven(portion: Portion, **accounts: int) -> Portion:
    """The payment with so much of it proven on bank accounts."""
    came = sum(minor for minor in accounts.values() if minor > 0)
    return replace(
        portion,
        settled_minor=came,
        return_settled_minor=came - sum(accounts.values()),
        proven_on=tuple(accounts.items()),
    )


def lies(product: Product, portion: Portion) -> dict[tuple[str, str], int]:
    """Account and place, with what lies there: debit positive."""
    found: Counter[tuple[str, str]] = Counter()
    for (item, place), minor in lying(loan(product), portion).items():
        found[item.account, place] += minor
    return dict(found)


def test_reported_money_lies_in_the_clearing() -> None:
    """Items and the clearing account itself, until a line comes."""
    assert lies(POOLED, payment(100, 80)) == {
        (THERE, THERE): 100,
        ("suspense/R1", THERE): -20,
        ("payable/funder-1", THERE): -72,
        ("payable/platform", THERE): -8,
    }


def test_proven_money_lies_on_the_account_of_its_line() -> None:
    """All of it; the clearing is empty."""
    assert lies(POOLED, proven(payment(100, 80), K=100)) == {
        ("suspense/R1", "bank/K"): -20,
        ("payable/funder-1", "bank/K"): -72,
        ("payable/platform", "bank/K"): -8,
    }


def test_an_owner_has_its_share_first_on_its_own_account() -> None:
    """50 on the funder's own account and 48 pooled: the funder's 88 are 50 there and 38 here."""
    found = lies(MIXED, proven(payment(98, 98), FA=50, K=48))
    assert found == {
        ("held_by/funder-1", "bank/FA"): -50,
        ("payable/platform", "bank/K"): -10,
        ("payable/funder-1", "bank/K"): -38,
    }


def test_others_lie_on_an_owners_account_only_beyond_its_share() -> None:
    """100 on the funder's own account, 88 of them its own."""
    found = lies(MIXED, proven(payment(98, 98), FA=98))
    assert found == {
        ("held_by/funder-1", "bank/FA"): -88,
        ("payable/platform", "bank/FA"): -10,
    }


def test_a_return_that_is_only_reported_stands_against_the_account_that_it_will_leave() -> None:
    """100 lie proven on K; 40 are said to have gone back, and no line shows it yet."""
    back = payment(60, 60, amount_minor=100, returned_minor=40)
    assert lies(POOLED, proven(back, K=100)) == {
        (THERE, "bank/K"): -40,
        ("payable/funder-1", "bank/K"): -54,
        ("payable/platform", "bank/K"): -6,
    }


def test_a_return_from_another_account_is_under_way_between_the_two() -> None:
    """It came on K and went back from X: K has what X lacks, and the clearing says so."""
    gone = payment(0, amount_minor=100, returned_minor=100)
    assert lies(POOLED, proven(gone, K=100, X=-100)) == {
        (THERE, "bank/K"): -100,
        (THERE, "bank/X"): 100,
    }


def test_no_payment_has_nothing_anywhere() -> None:
    """What was before the first report."""
    assert placed(loan(POOLED), None) == {}


@given(data=st.data())
def test_every_item_has_a_place_and_every_place_balances(data: st.DataObject) -> None:
    """Whatever was reported, proven, returned and paid, on whichever accounts."""
    product = data.draw(st.sampled_from([POOLED, MIXED, BOTH_OWN]))
    whole = data.draw(st.integers(1, 1_000))
    returned = data.draw(st.integers(0, whole))
    paid = data.draw(st.integers(0, whole - returned))
    ahead = data.draw(st.integers(0, whole - returned - paid))
    portion = payment(whole - returned, paid, amount_minor=whole, returned_minor=returned)
    portion = replace(portion, waiting_minor=portion.waiting_minor - ahead, advance_minor=ahead)
    came = data.draw(st.dictionaries(st.sampled_from(["K", "FA", "PA"]), st.integers(0, 500)))
    went = data.draw(st.dictionaries(st.sampled_from(["K", "FA", "X"]), st.integers(0, 500)))
    cash = {n: came.get(n, 0) - went.get(n, 0) for n in sorted({*came, *went})}
    portion = replace(
        portion,
        settled_minor=sum(came.values()),
        return_settled_minor=sum(went.values()),
        proven_on=tuple((name, minor) for name, minor in cash.items() if minor),
    )
    for found in (placed(loan(product), portion), lying(loan(product), portion)):
        places: Counter[str] = Counter({f"bank/{name}": minor for name, minor in cash.items()})
        items: Counter[Item] = Counter()
        for position, minor in found.items():
            assert minor, position
            places[position.place] += minor
            items[position.item] += minor
        assert not any(places.values()), (places, found)
        assert items[Item(THERE)] == portion.clearing_minor
        assert items[Item("suspense/R1")] == -portion.waiting_minor
        assert items[Item("advance/L1")] == -portion.advance_minor
        shares = sum(minor for item, minor in items.items() if item.party)
        assert shares == -paid
        owed = {item for item in items if item.family == "receivable"}
        assert all((minor > 0) == (item in owed) for item, minor in items.items() if item.party)
        either = {*owed, Item(THERE)}
        assert not any(m > 0 for position, m in found.items() if position.item not in either)
    assert Position(Item(THERE), THERE) not in found or portion.clearing_minor > 0
