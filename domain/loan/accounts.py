"""Whether the bank accounts that a product names are registered and fit it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from domain.kernel.change import Refusal
from domain.ledger.bankaccount import US, BankAccount, Purpose
from domain.loan.product import Product

OUTSIDE = "unregistered/"
"""Begins the key of the case about an account that is not registered; its name follows."""


def unfit_accounts(product: Product, accounts: Mapping[str, BankAccount]) -> Iterator[Refusal]:
    """Every rule that an account of a product breaks: rule, and field, value and reason in words.

    The collection account and the account of each direct payee are registered, are of the product's
    currency, and settle its rail; a direct payee owns its account.
    """
    named = [("account", product.account, "")]
    named += [(f"payees.{it.party}.account", it.account, it.party) for it in product.payees]
    for field, name, owner in named:
        if name:
            yield from _faults(
                product, f"{field} {name} of {product.ref}", accounts.get(name), owner
            )


def _faults(
    product: Product, what: str, account: BankAccount | None, owner: str
) -> Iterator[Refusal]:
    """What is wrong with one account; `owner` is who must own it, empty where anybody may."""
    if account is None:
        yield Refusal("account.registered", f"{what} is not a registered bank account")
        return
    if account.currency != product.currency:
        why = f"is registered in {account.currency}, not in {product.currency}"
        yield Refusal("account.currency", f"{what} {why}")
    if product.rail not in account.rails:
        settled = ", ".join(sorted(account.rails)) or "none"
        yield Refusal("account.rail", f"{what} does not settle {product.rail}: {settled}")
    if owner and account.owner != owner:
        yield Refusal("account.owner", f"{what} is registered as owned by {account.owner}")


def accounts_named(products: Iterable[Product]) -> dict[str, BankAccount]:
    """The accounts that products name, as a simulated bank opens them, by name.

    Whatever rails the products have settle on them. The owner is the first direct payee that names
    an account, else us; the currency is that of the first product.
    """
    found: dict[str, BankAccount] = {}
    for product in products:
        owners = {payee.account: payee.party for payee in product.payees}
        for name in sorted(product.accounts):
            purpose = Purpose.COLLECTION if name == product.account else Purpose.PAYEE
            owner, rails = owners.get(name, US), frozenset({product.rail})
            known = found.get(name) or BankAccount(
                name, owner, purpose, product.currency, rails, may_pay_from=owner == US
            )
            found[name] = replace(known, rails=known.rails | rails)
    return found
