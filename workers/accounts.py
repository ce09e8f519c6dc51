"""The register of bank accounts: whose each is, what for, and which rails settle on it.

It comes whole from the file that `ACQUIT_ACCOUNTS` names. Without one, and where every rail is
simulated, it holds the accounts that the products name: a simulated bank opens each of them. Where
a rail is none of the simulator's and no file is named, no account is registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from adapters.refusals import SourceRefused
from adapters.validation import read_toml
from domain.errors import InvalidInput
from domain.ledger.bankaccount import BankAccount, Purpose
from domain.ledger.chain import LEDGER
from domain.loan.accounts import accounts_named
from domain.money import exponent
from domain.text import PLAIN_RULE, is_plain, shortened, visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from adapters.products.translate import ProductFile
    from workers.rails import RailEntry
    from workers.settings import Settings

ACCOUNTS_MOST = 1000
NAME_MOST = 60
_FILE_MOST_BYTES = 1024 * 1024
_RAILS_MOST = 100
_SHOWN = 80


class _Account(BaseModel):
    """One table of the file."""

    model_config = ConfigDict(extra="forbid")

    owner: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    purpose: Purpose
    currency: str
    rails: Annotated[list[str], Field(max_length=_RAILS_MOST)] = []
    may_pay_from: Annotated[bool, Field(strict=True)] = False
    ledger: str = LEDGER
    virtual_prefix: Annotated[str, Field(pattern=r"^[0-9]{0,16}$")] = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accounts: Annotated[dict[str, _Account], Field(min_length=1, max_length=ACCOUNTS_MOST)]


def accounts_of(
    settings: Settings, rails: Mapping[str, RailEntry], products: Mapping[str, ProductFile]
) -> dict[str, BankAccount]:
    """Every registered bank account of this installation by name, in order of names.

    Raises:
        SourceRefused: the file breaks rules; every fault of it by field, value and rule.
    """
    if settings.accounts is not None:
        return read_accounts(settings.accounts, rails)
    if not all(entry.of_kind.simulated for entry in rails.values()):
        return {}
    versions = {file.product.ref: file.product for file in products.values()}
    named = accounts_named(versions[ref] for ref in sorted(versions))
    return {name: named[name] for name in sorted(named)}


def read_accounts(path: Path, rails: Collection[str]) -> dict[str, BankAccount]:
    """The accounts that a file registers, each in a table `[accounts.<name>]`.

    Args:
        path: of the file.
        rails: names of the rails of this installation; an account may name no other.

    Raises:
        SourceRefused: the file is none, or breaks rules; every fault by field, value and rule.
    """

    def checked(content: dict[str, Any]) -> dict[str, BankAccount]:
        read = _File.model_validate(content).accounts
        faults = [fault for name in sorted(read) for fault in _faults(name, read[name], rails)]
        if faults:
            raise SourceRefused(str(path), faults)
        return {name: _account(name, read[name]) for name in sorted(read)}

    return read_toml(path, _FILE_MOST_BYTES, checked)


def _account(name: str, read: _Account) -> BankAccount:
    return BankAccount(
        name,
        read.owner,
        read.purpose,
        read.currency,
        frozenset(read.rails),
        read.may_pay_from,
        read.ledger,
        read.virtual_prefix,
    )


def _faults(name: str, read: _Account, rails: Collection[str]) -> Iterator[InvalidInput]:
    """The rules that one account breaks, besides those of single values."""
    field = f"accounts.{visible(shortened(name, _SHOWN))}"
    if not 1 <= len(name) <= NAME_MOST or not is_plain(name):
        yield InvalidInput(field, shortened(name, _SHOWN), f"1 to {NAME_MOST} of {PLAIN_RULE}")
    try:
        exponent(read.currency)
    except InvalidInput as fault:
        yield InvalidInput(f"{field}.currency", shortened(read.currency, _SHOWN), fault.rule)
    for rail in read.rails:
        if rail not in rails:
            known = ", ".join(sorted(rails))
            yield InvalidInput(f"{field}.rails", shortened(rail, _SHOWN), f"one of {known}")
    if read.ledger != LEDGER:
        yield InvalidInput(
            f"{field}.ledger", shortened(read.ledger, _SHOWN), f"{LEDGER}, the only one"
        )
