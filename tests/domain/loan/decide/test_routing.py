"""Where the money lies decides what a party has: accounts are named by the product and compared."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from domain.case.kinds import CaseKind
from domain.errors import InvalidInput
from domain.loan import closure
from domain.loan.product import Payee, Product, Routing
from domain.loan.split import ShareRule, SplitRules
from domain.pricing.amounts import Component
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import MatchLine, UndoMatch, Waive
from tests.support.memory import PRODUCT, schedule, with_shares
from tests.support.scene import ACCOUNT, Scene

DAY = timedelta(days=1)
CALM = replace(PRODUCT, penalty=None, reminders=replace(PRODUCT.reminders, rules=()))
THREE = with_shares(
    CALM,
    ("funder-1", Fraction(90, 100)),
    ("platform", Fraction(8, 100)),
    ("insurer", Fraction(2, 100)),
    remainder="funder-1",
)


def confirmed(product: Product = CALM, minor: int = 10000) -> tuple[Scene, str]:
    """One installment of 100.00 whose debit is confirmed; its order number."""
    s = Scene.boarded(product=product, lines=schedule(((10000, 0),)))
    order = s.present()
    s.apply_outcome(order, minor=minor)
    return s, order


def lacks(s: Scene) -> set[tuple[str, str, str]]:
    """Gate, code and owner of everything that lacks."""
    loan, item = s.books.loans["L1"], s.books.item()
    found = closure.missing(loan, item, s.books.cases, s.books.rules, s.books.at)
    return {(lack.gate.value, lack.code, lack.who) for lack in found}


def held(s: Scene) -> dict[str, int]:
    """What each party holds."""
    return {
        name.removeprefix("held_by/"): -minor
        for name, minor in s.balances.items()
        if name.startswith("held_by/")
    }


def payable(s: Scene) -> dict[str, int]:
    """What is due to each party, zeros left out."""
    return {
        name.removeprefix("payable/"): -minor
        for name, minor in s.balances.items()
        if name.startswith("payable/")
    }


def test_money_on_somebody_elses_account_is_released_and_never_closed() -> None:
    """The bank proves the debit on another account: nobody holds it, and a case says so."""
    s, order = confirmed()
    s.line(LineItem(order, None, None, 10000), account="ACCT-STRANGER-CNY", id="L-1")
    s.until(s.today + 20 * DAY)
    assert s.state == "RELEASED"
    assert held(s) == {}
    assert payable(s) == {"funder-1": 10000}
    assert lacks(s) == {("close", "held", "funder-1"), ("close", "case", "reconciliation")}
    case = s.books.cases[f"account/L-1/R-{order}/L1"]
    assert (case.kind, case.amount_minor, case.line) == ("other_account", 10000, "L-1")
    assert "ACCT-STRANGER-CNY" in case.text
    invariants.check(s.books)


def test_the_break_ends_when_the_match_is_undone_and_the_right_line_is_matched() -> None:
    """The money came on after all: the stranger's line is freed, ours is matched, and it closes."""
    s, order = confirmed()
    s.line(LineItem(order, None, None, 10000), account="ACCT-STRANGER-CNY", id="L-1")
    s.until(s.today + 5 * DAY)
    s.order(UndoMatch, line="L-1", reference=f"R-{order}")
    assert f"account/L-1/R-{order}/L1" not in s.books.cases
    s.line(LineItem(None, None, None, 10000), id="L-2")
    s.order(MatchLine, line="L-2", reference=f"R-{order}", amount_minor=10000)
    assert held(s) == {"funder-1": 10000}
    assert s.state == "CLOSED"
    invariants.check(s.books)


def test_a_sole_party_that_is_pooled_is_not_paid_by_a_line() -> None:
    """One party is no proof of anything: its share waits on the collection account."""
    s, _ = confirmed(replace(CALM, payees=(Payee("funder-1", Routing.POOLED),)))
    s.settle()
    s.until(s.today + 20 * DAY)
    assert (s.state, held(s)) == ("RELEASED", {})
    assert lacks(s) == {("close", "remittance", "funder-1")}


def test_the_funders_own_share_needs_proof_like_any_other() -> None:
    """Three parties, all pooled: nothing is held, and each of them is named."""
    pooled = tuple(replace(p, routing=Routing.POOLED, account="") for p in THREE.payees)
    s, _ = confirmed(replace(THREE, payees=pooled))
    s.settle()
    s.until(s.today + 20 * DAY)
    assert s.state == "RELEASED"
    assert lacks(s) == {
        ("close", "remittance", party) for party in ("funder-1", "platform", "insurer")
    }
    assert payable(s) == {"funder-1": 9000, "platform": 800, "insurer": 200}


def test_each_party_on_its_own_account_holds_what_lies_there() -> None:
    """90.00 settle on the funder's account, 8.00 and 2.00 on the others': all held, it closes."""
    own = {"funder-1": ACCOUNT, "platform": "ACCT-P", "insurer": "ACCT-I"}
    payees = tuple(Payee(party, Routing.DIRECT, account) for party, account in own.items())
    s, order = confirmed(replace(THREE, payees=payees))
    for minor, account in ((9000, ACCOUNT), (800, "ACCT-P"), (150, "ACCT-I")):
        s.line(LineItem(order, None, None, minor), account=account)
    assert held(s) == {"funder-1": 9000, "platform": 800, "insurer": 150}
    assert ("release", "unproven", "bank") in lacks(s)
    s.line(LineItem(order, None, None, 50), account="ACCT-I")
    s.until(s.today + 5 * DAY)
    assert (s.state, payable(s)) == ("CLOSED", {})
    invariants.check(s.books)


def test_beyond_its_share_a_party_holds_nothing() -> None:
    """All 100.00 on the funder's account: 90.00 are its own, 10.00 are due to the others."""
    s, _ = confirmed(THREE)
    s.settle()
    assert held(s) == {"funder-1": 9000}
    assert payable(s) == {"platform": 800, "insurer": 200}


def test_a_share_that_lies_on_another_partys_account_is_owed_by_its_holder() -> None:
    """All 100.00 on the funder's account though each party has its own: it owes 10.00, by case."""
    own = {"funder-1": ACCOUNT, "platform": "ACCT-P", "insurer": "ACCT-I"}
    payees = tuple(Payee(party, Routing.DIRECT, account) for party, account in own.items())
    s, _ = confirmed(replace(THREE, payees=payees))
    s.settle()
    s.until(s.today + 20 * DAY)
    assert s.state == "RELEASED"
    (case,) = (case for case in s.books.cases.values() if case.loan_id == "L1")
    assert (case.kind, case.amount_minor) == (CaseKind.RECEIVABLE, 1000)
    assert s.balances["receivable/funder-1"] == 1000
    assert s.balances["held_by/funder-1"] == -10000
    assert payable(s) == {"platform": 800, "insurer": 200}
    invariants.check(s.books)


def test_what_is_returned_is_owed_by_no_holder_any_more() -> None:
    """60.00 of 100.00 come back from the funder's account, then the rest: the case follows."""
    own = {"funder-1": ACCOUNT, "platform": "ACCT-P", "insurer": "ACCT-I"}
    payees = tuple(Payee(party, Routing.DIRECT, account) for party, account in own.items())
    s, order = confirmed(replace(THREE, payees=payees))
    s.settle()
    s.returned(order, 6000)
    s.settle()
    (case,) = (case for case in s.books.cases.values() if case.kind is CaseKind.RECEIVABLE)
    assert case.amount_minor == s.balances["receivable/funder-1"] == 400
    invariants.check(s.books)
    s.returned(order, 4000)
    s.settle()
    assert not any(case.kind is CaseKind.RECEIVABLE for case in s.books.cases.values())
    assert s.balances.get("receivable/funder-1", 0) == 0
    invariants.check(s.books)


def test_what_is_returned_leaves_its_holder() -> None:
    """Dr held by, Cr payable; then the return's own shares: claims stand as before the payment."""
    s, order = confirmed(THREE)
    s.settle()
    mark = s.mark
    s.returned(order, 10000)
    s.settle()
    assert held(s) == {}
    assert payable(s) == {}
    assert ("direct_settlement", {"payable/funder-1": -9000, "held_by/funder-1": 9000}) in s.posted(
        mark
    )
    assert s.balances["claim/platform"] == -800


def test_a_return_after_a_waiver_reverses_its_own_shares() -> None:
    """10.00 paid to a fixed part, 50.00 waived, 10.00 returned: nobody is due or owes a cent."""
    fixed = SplitRules(
        (ShareRule("platform", Component.PRINCIPAL, Fraction(0), fixed_minor=1000),), "funder-1"
    )
    payees = (*CALM.payees, Payee("platform", Routing.POOLED))
    s, order = confirmed(replace(CALM, shares=fixed, payees=payees), minor=1000)
    assert payable(s) == {"platform": 1000}
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=5000)
    s.returned(order, 1000)
    assert payable(s) == {}
    assert {k: v for k, v in s.balances.items() if k.startswith("claim/")} == {
        "claim/funder-1": -9000,
        "claim/platform": -1000,
    }
    invariants.check(s.books)


@pytest.mark.parametrize(
    "payees",
    [
        (),
        (Payee("platform", Routing.POOLED),),
        (Payee("funder-1", Routing.POOLED), Payee("funder-1", Routing.POOLED)),
    ],
)
def test_a_product_says_for_each_party_how_it_is_paid(payees: tuple[Payee, ...]) -> None:
    """None, another one, or one twice: refused by name."""
    with pytest.raises(InvalidInput, match=r"payees\.party"):
        replace(CALM, payees=payees)


def test_two_parties_cannot_own_one_account() -> None:
    """Nobody could say whose the money on it is."""
    shared = (
        Payee("funder-1", Routing.DIRECT, ACCOUNT),
        Payee("platform", Routing.DIRECT, ACCOUNT),
        Payee("insurer", Routing.POOLED),
    )
    with pytest.raises(InvalidInput, match=r"payees\.account"):
        replace(THREE, payees=shared)


@pytest.mark.parametrize(("routing", "account"), [(Routing.DIRECT, ""), (Routing.POOLED, "A")])
def test_direct_names_an_account_and_pooled_none(routing: Routing, account: str) -> None:
    """Neither is inferred from the other."""
    with pytest.raises(InvalidInput, match=r"payees\.x\.account"):
        Payee("x", routing, account)


def test_money_that_goes_back_from_an_account_where_it_never_came_has_a_case() -> None:
    """100.00 came on the funder's account, 40.00 of them go back from the collection account.

    One account has too much and the other too little, so it is not closed until that is explained.
    """
    payees = (Payee("funder-1", Routing.DIRECT, "ACCT-F"),)
    s, order = confirmed(replace(CALM, payees=payees))
    s.line(LineItem(order, None, None, 10000), account="ACCT-F")
    s.line(LineItem(order, None, None, -4000, 0, "AM04"), account=ACCOUNT)
    key = f"place/R-{order}/L1"
    assert (s.books.cases[key].kind, s.books.cases[key].amount_minor) == (
        CaseKind.OTHER_ACCOUNT,
        4000,
    )
    s.line(LineItem(order, None, None, -1000, 0, "AM04"), account=ACCOUNT)
    assert s.books.cases[key].amount_minor == 5000
    s.pay(5000, ref="T-9")
    s.line(LineItem("T-9", None, None, 5000), account="ACCT-F")
    s.until(s.today + 30 * DAY)
    assert s.state == "RELEASED"
    for line in list(s.books.lines)[1:3]:
        s.order(UndoMatch, line=line, reference=order)
    assert key not in s.books.cases
    invariants.check(s.books)
