"""`acquit accounts`: the registered bank accounts of this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.output import HomeOption, JsonOption, print_json, print_table, settings_for

if TYPE_CHECKING:
    from domain.ledger.bankaccount import BankAccount

_EXAMPLE = "Example: acquit accounts --json"


def register(app: typer.Typer) -> None:
    """Add `accounts` to `app`."""
    app.command("accounts", epilog=_EXAMPLE)(accounts)


def accounts(ctx: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List the registered bank accounts: owner, purpose, currency, rails that settle on each.

    They come from the file that ACQUIT_ACCOUNTS names. Without one, and where all rails are
    simulated, they are those that the products name.
    """
    from adapters.products.files import read_products  # noqa: PLC0415  (pydantic is slow to load)
    from workers.accounts import accounts_of  # noqa: PLC0415
    from workers.rails import rails_of  # noqa: PLC0415
    from workers.stackfile import read_stack  # noqa: PLC0415

    settings = settings_for(ctx, home)
    rails = rails_of(settings, read_stack(settings.home))
    found = accounts_of(settings, rails, read_products(settings.products)).values()
    if as_json:
        print_json([facts(account) for account in found])
        return
    print_table(
        f"{len(found)} bank accounts",
        ["account", "owner", "purpose", "currency", "rails", "may pay from", "ledger"],
        [
            (
                it.name,
                it.owner,
                it.purpose,
                it.currency,
                ", ".join(sorted(it.rails)) or "-",
                "yes" if it.may_pay_from else "no",
                it.ledger,
            )
            for it in found
        ],
    )


def facts(account: BankAccount) -> dict[str, object]:
    """An account as the command prints it."""
    return {
        "account": account.name,
        "owner": account.owner,
        "purpose": account.purpose,
        "currency": account.currency,
        "rails": sorted(account.rails),
        "may_pay_from": account.may_pay_from,
        "ledger": account.ledger,
        "virtual_prefix": account.virtual_prefix,
    }
