"""Where the money lies, step by step: from the clearing to its accounts, and back."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction

from domain.loan.product import Payee, Routing
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import MatchLine, UndoMatch
from tests.support.memory import PRODUCT, schedule, with_shares
from tests.support.scene import Scene

CALM = replace(PRODUCT, penalty=None, reminders=replace(PRODUCT.reminders, rules=()))
POOLED = replace(
    with_shares(CALM, ("funder-1", Fraction(90, 100)), remainder="platform"),
    account="K",
    payees=(Payee("funder-1", Routing.POOLED), Payee("platform", Routing.POOLED)),
)
MIXED = replace(
    POOLED,
    payees=(Payee("funder-1", Routing.DIRECT, "FA"), Payee("platform", Routing.POOLED)),
)
C, K, FA = "clearing/simbank", "bank/K", "bank/FA"


def lying(s: Scene) -> dict[tuple[str, str], int]:
    """What lies where: by account and place, zeros left out."""
    sums: Counter[tuple[str, str]] = Counter()
    for entry in s.books.entries:
        for posting in entry.postings:
            if posting.place is not None:
                sums[posting.account.partition("/L1")[0], posting.place] += posting.minor
    invariants.check(s.books)
    return {key: minor for key, minor in sums.items() if minor}


def confirmed(s: Scene) -> str:
    """The debit of the first installment of 100.00 is confirmed."""
    order = s.present()
    s.apply_outcome(order, minor=10000)
    return order


def test_a_debit_goes_to_its_accounts_and_its_return_comes_out_of_them() -> None:
    """50.00 on the funder's own account, 50.00 pooled; the funder's 90.00 lie on both."""
    s = Scene.boarded(product=MIXED, lines=schedule(((10000, 0),)))
    order = confirmed(s)
    assert lying(s) == {
        (C, C): 10000,
        ("payable/funder-1", C): -9000,
        ("payable/platform", C): -1000,
    }
    s.line(LineItem(order, None, None, 5000), account="FA")
    half = {(FA, FA): 5000, ("held_by/funder-1", FA): -5000}
    assert lying(s) == half | {
        (C, C): 5000,
        ("payable/funder-1", C): -4000,
        ("payable/platform", C): -1000,
    }
    s.line(LineItem(order, None, None, 5000), account="K")
    assert lying(s) == half | {
        (K, K): 5000,
        ("payable/funder-1", K): -4000,
        ("payable/platform", K): -1000,
    }
    s.returned(order, 10000)
    assert lying(s) == {(FA, FA): 5000, (C, FA): -5000, (K, K): 5000, (C, K): -5000}
    s.line(LineItem(order, None, None, -10000, charges_minor=300), account="K", minor=-10300)
    # It all left K: what FA has too much K has too little, and a person has to say why.
    assert lying(s) == {
        (FA, FA): 5000,
        (C, FA): -5000,
        (K, K): -5300,
        ("rail_fees/simbank", K): 300,
        (C, K): 5000,
    }


def test_a_return_reported_before_its_money_settled_waits_where_that_arrives() -> None:
    """Nothing is left of it in the clearing; then both lines come, and nothing is anywhere."""
    s = Scene.boarded(product=POOLED, lines=schedule(((10000, 0),)))
    order = confirmed(s)
    s.returned(order, 10000)
    assert lying(s) == {}
    s.line(LineItem(order, None, None, 10000), account="K")
    assert lying(s) == {(K, K): 10000, (C, K): -10000}
    s.line(LineItem(order, None, None, -10000), account="K")
    assert lying(s) == {}


def test_a_transfer_waits_is_matched_and_unmatched_with_its_items() -> None:
    """A line that came first, a payment in excess of what is owed, and the match undone."""
    s = Scene.boarded(product=POOLED, lines=schedule(((10000, 0), (10000, 0))))
    s.until(s.books.item().due_on)
    s.line(LineItem("whoever", None, None, 12000), account="K")
    (line,) = s.books.lines
    assert lying(s) == {(K, K): 12000, (f"suspense/line/{line}", K): -12000}
    s.pay(12000, ref="T-1")
    there = "clearing/transfer"
    items = {"payable/funder-1": -9000, "payable/platform": -1000, "advance": -2000}
    reported = {(there, there): 12000, **{(name, there): m for name, m in items.items()}}
    assert lying(s) == reported | {(K, K): 12000, (f"suspense/line/{line}", K): -12000}
    s.order(MatchLine, line=line, reference="T-1", amount_minor=12000)
    assert lying(s) == {(K, K): 12000, **{(name, K): minor for name, minor in items.items()}}
    s.order(UndoMatch, line=line, reference="T-1")
    assert lying(s) == reported | {(K, K): 12000, (f"suspense/line/{line}", K): -12000}
