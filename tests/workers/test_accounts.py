"""The register of bank accounts: what its file may say, and what holds without one."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import workers.rails
from adapters.products.files import read_products
from adapters.rails.kinds import KINDS
from adapters.refusals import SourceRefused
from cli.tree import build
from domain.ledger.bankaccount import BankAccount, Purpose
from domain.loan.accounts import unfit_accounts
from tests.support.railsfile import rails_file
from tests.support.tree import ROOT
from workers.accounts import accounts_of, read_accounts
from workers.doctor.configuration import check_accounts
from workers.doctor.findings import CheckResult
from workers.rails import rails_of, read_rails
from workers.settings import Settings

PRODUCTS = read_products(Settings().products)
WHOLE = """
[accounts.B-2]
owner = "us"
purpose = "payout"
currency = "EUR"
may_pay_from = true

[accounts.A-1]
owner = "funder-1"
purpose = "collection"
currency = "CNY"
rails = ["simbank", "second"]
"""


def file_of(folder: Path, text: str) -> Path:
    """The register in a file of this text."""
    path = folder / "accounts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_registers_every_account_in_order_of_names(tmp_path: Path) -> None:
    """What a table does not say is: no rail, nothing is paid from it, the one ledger."""
    found = read_accounts(file_of(tmp_path, WHOLE), ("simbank", "second"))
    assert list(found.values()) == [
        BankAccount("A-1", "funder-1", Purpose.COLLECTION, "CNY", frozenset({"simbank", "second"})),
        BankAccount("B-2", "us", Purpose.PAYOUT, "EUR", may_pay_from=True),
    ]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (("EUR", "Euro"), "accounts.B-2.currency", "a currency of ISO 4217, such as EUR or CNY"),
        (('"second"', '"third"'), "accounts.A-1.rails", "one of second, simbank"),
        (("payout", "petty"), "accounts.B-2.purpose", "input should be 'collection'"),
        (('"us"', '"Us!"'), "accounts.B-2.owner", "string should match pattern"),
        (("may_pay_from = true", 'ledger = "other"'), "accounts.B-2.ledger", "main, the only one"),
        (("may_pay_from = true", "may_pay_from = 1"), "accounts.B-2.may_pay_from", "input should"),
        (("may_pay_from", "pays"), "accounts.B-2.pays", "no such field"),
        (("B-2", '"B\\u0007"'), r"accounts.B\x07", "1 to 60 of text on one line"),
        (("B-2", "B" * 61), f"accounts.{'B' * 61}", "1 to 60 of text on one line"),
        (("[accounts.B-2]", "[accounts.A-1]"), "content", "TOML in UTF-8"),
    ],
)
def test_a_faulty_register_is_refused_by_field_and_rule(
    tmp_path: Path, change: tuple[str, str], field: str, rule: str
) -> None:
    """Nothing starts with a register that says something else than was meant."""
    path = file_of(tmp_path, WHOLE.replace(*change))
    with pytest.raises(SourceRefused) as refused:
        read_accounts(path, ("simbank", "second"))
    [fault] = refused.value.faults
    assert fault.field == field
    assert fault.rule.startswith(rule)


def test_a_register_without_an_account_is_refused(tmp_path: Path) -> None:
    """An empty file would refuse every loan without saying why."""
    for text in ("", "[accounts]"):
        with pytest.raises(SourceRefused, match="accounts"):
            read_accounts(file_of(tmp_path, text), ("simbank",))


def test_without_a_file_the_accounts_of_the_products_are_those_of_the_simulated_bank() -> None:
    """A newcomer registers nothing: every example product fits the register that it makes."""
    accounts = accounts_of(Settings(), rails_of(Settings(), None), PRODUCTS)
    products = [file.product for file in PRODUCTS.values()]
    assert set(accounts) == {name for product in products for name in product.accounts}
    assert [it for product in products for it in unfit_accounts(product, accounts)] == []


def test_with_a_real_rail_and_no_file_nothing_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is true of a simulated bank is never assumed of another."""
    real = replace(KINDS["simbank"], simulated=False)
    monkeypatch.setattr(workers.rails, "KINDS", {"simbank": real})
    registry = read_rails(rails_file(tmp_path, "http://x"))
    assert accounts_of(Settings(), registry, PRODUCTS) == {}


def test_the_register_that_is_deployed_fits_the_example_products() -> None:
    """The trial of an installation boards them at once."""
    deployed = read_accounts(ROOT / "deploy/accounts.toml", ("simbank",))
    products = [file.product for file in PRODUCTS.values()]
    assert [it for product in products for it in unfit_accounts(product, deployed)] == []
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert "ACQUIT_ACCOUNTS: /etc/acquit/accounts.toml" in compose


async def test_the_doctor_compares_the_products_with_the_register(tmp_path: Path) -> None:
    """Every product whose account is missing, before a loan of it is refused."""
    rails = rails_of(Settings(), None)
    [fine] = await check_accounts(Settings(), rails)
    assert (fine.result, fine.check) == (CheckResult.OK, "accounts")
    text = (ROOT / "deploy/accounts.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)["accounts"]
    given = Settings(accounts=file_of(tmp_path, text.replace("ACCT-FUNDER-1-GBP", "ACCT-OTHER")))
    found = await check_accounts(given, rails)
    assert "ACCT-FUNDER-1-GBP" in tables
    assert {it.result for it in found} == {CheckResult.FAIL}
    assert [it.detail.partition(" of ")[0] for it in found] == [
        "account.registered: account ACCT-FUNDER-1-GBP",
        "account.registered: payees.funder-1.account ACCT-FUNDER-1-GBP",
    ]


def test_the_register_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a table, and as JSON for other programs."""
    text = WHOLE.replace(', "second"', "")
    monkeypatch.setenv("ACQUIT_ACCOUNTS", str(file_of(tmp_path, text)))
    monkeypatch.setenv("ACQUIT_HOME", str(tmp_path / "home"))
    runner = CliRunner()
    said = runner.invoke(build("accounts"), ["accounts", "--json"])
    listed: list[dict[str, Any]] = json.loads(said.stdout)
    assert listed[0] == {
        "account": "A-1",
        "owner": "funder-1",
        "purpose": "collection",
        "currency": "CNY",
        "rails": ["simbank"],
        "may_pay_from": False,
        "ledger": "main",
        "virtual_prefix": "",
    }
    table = runner.invoke(build("accounts"), ["accounts"]).stdout
    assert "2 bank accounts" in table
    assert "payout" in table
