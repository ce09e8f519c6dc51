"""`acquit payment-instructions`: what a borrower needs to pay by transfer, and what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_text,
    run_async,
)
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from datetime import date

    from domain.ledger.bankaccount import BankAccount
    from domain.loan.aggregate import Loan
    from workers.settings import Settings

_EXAMPLE = "Example: acquit payment-instructions LC00001 --json"


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("payment-instructions", epilog=_EXAMPLE)(instructions)


def instructions(
    ctx: typer.Context,
    loan: Annotated[str, typer.Argument(help="The loan to be paid.")],
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Print how a loan is paid by transfer: account, reference, amount due, and what to write.

    Money with the reference, or to the virtual account, is applied to the loan by itself. Both
    have check digits, so that a wrong one is noticed and is never another loan's.
    """
    facts = run_async(_facts(books_settings(ctx, home), loan))
    if as_json:
        print_json(facts)
        return
    rows = (
        ("pay to", facts["account"]),
        ("virtual account", facts["virtual_account"] or "none: the account has no prefix for them"),
        ("reference", facts["reference_spaced"]),
        ("due now", f"{facts['due']} {facts['currency']}"),
        ("next", f"{facts['next']} {facts['currency']} on {facts['next_on']}"),
    )
    for name, value in rows:
        if name != "next" or facts["next_on"] is not None:
            print_text(f"{name:16} {value}")
    print_text(facts["write"])


async def _facts(settings: Settings, loan_id: str) -> dict[str, Any]:
    from domain.calendar import local_day  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        loan = await stack.queries.loan(loan_id)
        if loan is None:
            raise InvalidInput("loan", loan_id, "a loan that is boarded")
        today = local_day(stack.clock.now(), loan.product.timezone)
        return facts_of(loan, stack.rules.accounts.get(loan.product.account), today)


def facts_of(loan: Loan, account: BankAccount | None, today: date) -> dict[str, Any]:
    """What a borrower is told, and what of the loan is due on a day."""
    from domain.loan.accrual import owed_on  # noqa: PLC0415
    from domain.matching.reference import (  # noqa: PLC0415
        creditor_reference,
        spaced,
        virtual_account,
    )
    from domain.money import decimal_text  # noqa: PLC0415

    due = sum(owed_on(loan, item, today).total for item in loan.installments)
    coming = next((it for it in loan.installments if it.due_on > today), None)
    reference = creditor_reference(loan.id)
    prefix = "" if account is None else account.virtual_prefix
    return {
        "loan_id": loan.id,
        "account": loan.product.account,
        "virtual_account": f"{prefix}{virtual_account(loan.id)}" if prefix else None,
        "reference": reference,
        "reference_spaced": spaced(reference),
        "due_minor": due,
        "due": decimal_text(due, loan.currency),
        "currency": loan.currency,
        "next_minor": None if coming is None else coming.scheduled.total,
        "next": "" if coming is None else decimal_text(coming.scheduled.total, loan.currency),
        "next_on": None if coming is None else coming.due_on,
        "write": f"Write {spaced(reference)} in the reference of your transfer, and nothing else.",
    }
