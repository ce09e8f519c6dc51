"""A line in another currency than its account or loan: a case that names what the line names."""

from dataclasses import replace
from typing import Any

import pytest

from domain.case.case import ByHand
from domain.case.item import Alike
from domain.kernel.change import Refusal
from domain.loan.decide import casework
from domain.loan.doubts import doubt_about
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import MatchLine, ResolveCase, UndoMatch
from tests.support.memory import PRODUCT, STRANGE, board, registering
from tests.support.scene import ACCOUNT, Scene

EURO_ACCOUNT = "ACCT-FUNDER-1-EUR"
EURO = replace(
    PRODUCT,
    id="euro",
    currency="EUR",
    account=EURO_ACCOUNT,
    payees=tuple(replace(payee, account=EURO_ACCOUNT) for payee in PRODUCT.payees),
)
LINE = "the-line"
KEY = f"line/{LINE}"


def scene() -> Scene:
    """L1 in CNY, L2 in EUR, each with an account of its currency."""
    s = Scene.boarded()
    s.books.rules = registering(EURO, rules=s.books.rules)
    s.books.apply(board("L2", product=EURO))
    return s


def kinds(s: Scene) -> dict[str, str]:
    """Kinds of the open cases of lines, by key."""
    return {key: case.kind.value for key, case in s.books.cases.items() if case.line}


def test_a_line_in_another_currency_than_its_loan_is_a_case_about_that_loan() -> None:
    """It says both currencies, keeps debits back and the gate to closing shut."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.line(LineItem(order, None, None, 10100), id=LINE, account=EURO_ACCOUNT, currency="EUR")
    case = s.books.cases[KEY]
    assert (case.kind, case.loan_id, case.number) == ("other_currency", "L1", 1)
    assert (case.amount_minor, case.currency) == (10100, "EUR")
    assert case.text.endswith("; loan L1 is in CNY")
    assert doubt_about(s.books.cases, "L1", 1) == KEY
    assert s.state == "CLEARING"
    invariants.check(s.books)


def test_a_line_in_another_currency_than_its_account_waits_though_its_loan_agrees() -> None:
    """The account is registered in EUR: what is said to be CNY on it is no proof of CNY."""
    s = scene()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.line(LineItem(order, None, None, 10100), id=LINE, account=EURO_ACCOUNT)
    case = s.books.cases[KEY]
    assert (case.kind, case.loan_id, s.state) == ("other_currency", "L1", "CLEARING")
    assert case.text.endswith(f"; account {EURO_ACCOUNT} is in EUR")
    assert s.books.lines[LINE].open_minor == 10100
    invariants.check(s.books)


def test_a_person_ends_it_by_a_match_and_by_nothing_else() -> None:
    """With the loan in its currency, once it is found; undone, the line waits again."""
    s = scene()
    paid = s.pay(500)
    s.line(LineItem(paid, None, None, 500), id=LINE, account=EURO_ACCOUNT, currency="EUR")
    by_hand: dict[str, Any] = {"case": KEY, "resolution": ByHand.CORRECTED, "approver": "ops-2"}
    refused = s.give(ResolveCase, **by_hand)
    assert isinstance(refused, Refusal)
    assert refused.rule == "case.evidence"
    match: dict[str, Any] = {"line": LINE, "reference": "T-EUR", "amount_minor": 500}
    other = s.order(MatchLine, **match)
    assert isinstance(other, Refusal)
    assert other.rule == "match.currency"
    s.order(MatchLine, loan="L2", **match)
    assert s.books.lines[LINE].open_minor == 0
    assert not kinds(s)
    s.give(UndoMatch, loan_id="L2", number=1, line=LINE, reference="T-EUR")
    assert kinds(s) == {KEY: "unmatched_line"}
    invariants.check(s.books)


def test_a_match_of_a_part_leaves_the_rest_in_the_same_case() -> None:
    """Whoever has the case keeps it, and it says what is left."""
    s = scene()
    order = s.present()
    s.line(LineItem(order, None, None, 700), id=LINE, account=EURO_ACCOUNT, currency="EUR")
    s.order(MatchLine, loan="L2", line=LINE, reference="T-EUR", amount_minor=500)
    case = s.books.cases[KEY]
    assert (case.kind, case.amount_minor, case.loan_id) == ("other_currency", 200, "L1")
    assert case.text == "2.00 EUR of line the-line are not explained; loan L1 is in CNY"


@pytest.mark.parametrize("line_first", [True, False])
@pytest.mark.parametrize("account", [ACCOUNT, EURO_ACCOUNT])
def test_a_transfer_and_its_line_in_another_currency_meet_in_one_case(
    account: str, *, line_first: bool
) -> None:
    """Whichever comes first: nothing is proven, and the case names the loan."""
    s = scene()
    item = LineItem("T-1", None, None, 10000)
    more: dict[str, Any] = {"account": account, "currency": "EUR"}
    if line_first:
        s.line(item, id=LINE, **more)
        s.pay(10000, ref="T-1")
    else:
        s.pay(10000, ref="T-1")
        s.line(item, id=LINE, **more)
    assert not s.portion("T-1").is_proven
    assert kinds(s) == {KEY: "other_currency"}
    assert s.books.cases[KEY].loan_id == "L1"
    assert s.books.lines[LINE].open_minor == 10000
    invariants.check(s.books)


@pytest.mark.parametrize("line_first", [True, False])
@pytest.mark.parametrize("account", [ACCOUNT, EURO_ACCOUNT])
def test_a_batch_in_another_currency_is_a_case_about_its_orders(
    account: str, *, line_first: bool
) -> None:
    """Its sum is that of other money, before the outcomes and after them."""
    s = scene()
    order = s.present()
    more: dict[str, Any] = {"minor": 10100, "batch_ref": "B-1", "batch_count": 1, "currency": "EUR"}
    if line_first:
        s.line(id=LINE, account=account, **more)
    s.apply_outcome(order, batch_ref="B-1")
    if not line_first:
        s.line(id=LINE, account=account, **more)
    assert (s.state, s.books.lines[LINE].is_open) == ("CLEARING", True)
    assert kinds(s) == {KEY: "other_currency"}
    assert s.books.cases[KEY].loan_id == "L1"


def test_of_a_line_for_two_loans_only_the_one_in_other_money_is_about_currency() -> None:
    """The second line of money that is proven explains nothing: each loan has a case of its own."""
    s = scene()
    ours, theirs = s.pay(500), s.pay(300, ref="T-9", loan="L2")
    s.line(LineItem(theirs, None, None, 300), account=EURO_ACCOUNT, currency="EUR")
    s.line(
        LineItem(ours, None, None, 500),
        LineItem(theirs, None, None, 300),
        id=LINE,
        account=EURO_ACCOUNT,
        currency="EUR",
    )
    assert kinds(s) == {
        KEY: "other_currency",
        f"{KEY}/L1/1": "other_currency",
        f"{KEY}/L2/1": "unmatched_line",
    }


def test_further_lines_of_one_file_are_items_of_one_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the wrong currency is a list and no flood."""
    monkeypatch.setattr(casework, "ALIKE_MOST", 1)
    s, file = Scene.boarded(), "f" * 64
    for number in range(3):
        s.line(minor=100, id=f"{LINE}-{number}", account=STRANGE.name, currency="EUR", file=file)
    items = Alike("other_currency", "EUR", file).case
    assert kinds(s) == {f"{KEY}-0": "other_currency"}
    assert (s.books.cases[items].kind, s.books.cases[items].items) == ("other_currency", 2)
    s.order(MatchLine, line=f"{LINE}-1", reference="T-1", amount_minor=100)
    assert s.books.cases[items].items == 2


@pytest.mark.parametrize(("account", "currency"), [(EURO_ACCOUNT, "EUR"), (EURO_ACCOUNT, "CNY")])
def test_news_of_the_order_books_no_return_in_another_currency(account: str, currency: str) -> None:
    """Other than the loan's, or than the account's: a person looks, whatever is reported later."""
    s = scene()
    order = s.present()
    item = LineItem(order, None, None, -10100, 0, "AM04")
    s.line(item, id=LINE, account=account, currency=currency)
    s.apply_outcome(order, minor=10100)
    s.returned(order, 10100)
    assert s.books.lines[LINE].open_minor == -10100
    assert kinds(s) == {KEY: "other_currency"}
    invariants.check(s.books)
