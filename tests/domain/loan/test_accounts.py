"""Which bank accounts a product may name, and what becomes of lines on other accounts."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest

from domain.kernel.change import Refusal
from domain.ledger.bankaccount import US, BankAccount, Purpose
from domain.loan.accounts import accounts_named, unfit_accounts
from domain.loan.product import Payee, Product, Routing
from domain.statement.statement import LineItem
from tests.support.memory import PRODUCT, RULES, MemoryBooks, board, with_shares
from tests.support.scene import ACCOUNT, Scene

TWO = replace(
    with_shares(PRODUCT, ("funder-1", Fraction(9, 10)), remainder="platform"),
    payees=(
        Payee("funder-1", Routing.DIRECT, ACCOUNT),
        Payee("platform", Routing.DIRECT, "ACCT-P"),
    ),
)
"""Both parties are paid directly, each on its own account."""
REGISTER = accounts_named([TWO])
Altered = Callable[[BankAccount], BankAccount]


def refused(product: Product, register: dict[str, BankAccount]) -> Refusal:
    """What the books answer to a loan of a product that they do not take."""
    books = MemoryBooks(rules=replace(RULES, accounts=register))
    answer = books.apply(board(product=product))
    assert isinstance(answer, Refusal)
    assert books.loans == {}
    return answer


@pytest.mark.parametrize(
    ("name", "altered", "rule", "reason"),
    [
        (
            ACCOUNT,
            lambda it: replace(it, currency="USD"),
            "account.currency",
            f"account {ACCOUNT} of test@1 is registered in USD, not in CNY",
        ),
        (
            ACCOUNT,
            lambda it: replace(it, rails=frozenset({"b", "a"})),
            "account.rail",
            f"account {ACCOUNT} of test@1 does not settle simbank: a, b",
        ),
        (
            "ACCT-P",
            lambda it: replace(it, currency="USD"),
            "account.currency",
            "payees.platform.account ACCT-P of test@1 is registered in USD, not in CNY",
        ),
        (
            "ACCT-P",
            lambda it: replace(it, rails=frozenset()),
            "account.rail",
            "payees.platform.account ACCT-P of test@1 does not settle simbank: none",
        ),
        (
            "ACCT-P",
            lambda it: replace(it, owner="insurer"),
            "account.owner",
            "payees.platform.account ACCT-P of test@1 is registered as owned by insurer",
        ),
    ],
)
def test_a_product_whose_account_does_not_fit_is_not_boarded(
    name: str, altered: Altered, rule: str, reason: str
) -> None:
    """The rule is named, with field, account and product version; the register is as it was."""
    answer = refused(TWO, REGISTER | {name: altered(REGISTER[name])})
    assert answer == Refusal(rule, reason)


@pytest.mark.parametrize(
    ("name", "field"), [(ACCOUNT, "account"), ("ACCT-P", "payees.platform.account")]
)
def test_a_product_whose_account_is_not_registered_is_not_boarded(name: str, field: str) -> None:
    """Neither its collection account nor the account of a payee."""
    answer = refused(TWO, {key: it for key, it in REGISTER.items() if key != name})
    reason = f"{field} {name} of test@1 is not a registered bank account"
    assert answer == Refusal("account.registered", reason)


def test_a_collection_account_may_be_anybodys_and_a_pooled_payee_names_none() -> None:
    """Only who is paid directly must own the account that the product says for it."""
    pooled = replace(TWO, payees=tuple(Payee(it.party, Routing.POOLED) for it in TWO.payees))
    register = {ACCOUNT: replace(REGISTER[ACCOUNT], owner="facilitator")}
    assert list(unfit_accounts(pooled, register)) == []
    found = [it.rule for it in unfit_accounts(TWO, register)]
    assert found == ["account.owner", "account.registered"]


def test_a_simulated_bank_opens_the_accounts_that_products_name() -> None:
    """The owner is the direct payee, else us; all rails of the products settle on an account."""
    other = replace(
        TWO,
        id="other",
        rail="second",
        payees=tuple(Payee(it.party, Routing.POOLED) for it in TWO.payees),
    )
    rails = frozenset({"simbank", "second"})
    assert accounts_named([TWO, other]) == {
        ACCOUNT: BankAccount(ACCOUNT, "funder-1", Purpose.COLLECTION, "CNY", rails),
        "ACCT-P": BankAccount("ACCT-P", "platform", Purpose.PAYEE, "CNY", frozenset({"simbank"})),
    }
    [pooled] = accounts_named([other]).values()
    assert (pooled.owner, pooled.may_pay_from) == (US, True)


def test_a_line_on_an_account_that_is_not_registered_is_booked_with_one_case() -> None:
    """Evidence is never refused: it proves what it names. More lines open no more cases."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order)
    s.line(LineItem(order, None, None, 5000), account="ACCT-NEW", id="L-1")
    assert s.balances["bank/ACCT-NEW"] == 5000
    case = s.books.cases["unregistered/ACCT-NEW"]
    assert (case.kind, case.loan_id, case.owner) == ("unregistered_account", None, "reconciliation")
    assert case.text == "lines are booked on ACCT-NEW, which is not a registered bank account"
    s.line(LineItem(order, None, None, 100), account="ACCT-NEW", id="L-2")
    opened = [it for it in s.books.transitions if it.subject.key == "unregistered/ACCT-NEW"]
    assert [it.event for it in opened] == ["case_opened"]


def test_a_line_on_a_registered_account_opens_no_case_about_it() -> None:
    """Lines are booked without a case, whether or not the product of a loan names the account."""
    s = Scene.boarded()
    for account in (ACCOUNT, "ACCT-STRANGER-CNY"):
        s.line(LineItem("whoever", None, None, 5000), account=account, id=account)
    assert len(s.books.lines) == 2
    assert [key for key in s.books.cases if key.startswith("unregistered/")] == []
