"""`acquit mandate`: what the rail knows of a loan's authority to debit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import Commands, HomeOption, books_settings, print_text, run_async
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from domain.loan.aggregate import Loan
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(help="Mandates at the rail.", no_args_is_help=True, cls=Commands)
    group.callback()(_group)
    group.command("sign", epilog="Example: acquit mandate sign UP-1")(sign)
    app.add_typer(group, name="mandate")


def _group() -> None:
    """Mandates at the rail."""


def sign(
    ctx: typer.Context,
    loan: Annotated[str, typer.Argument(help="Id of a loan on the books.")],
    *,
    home: HomeOption = None,
) -> None:
    """Sign the mandate of a loan at the simulated bank, as its borrower would.

    Without a signed mandate every debit of the loan is declined. `acquit demo` and `acquit board`
    sign by themselves in a sandbox; loans that upstream hands over come with a mandate that the
    borrower has signed elsewhere. Signing again changes nothing.
    """
    found = run_async(_sign(books_settings(ctx, home), loan))
    print_text(f"mandate {found.mandate.ref} of {found.id} is signed at {found.product.rail}")


async def _sign(settings: Settings, loan_id: str) -> Loan:
    from sandbox.mandates import sign_mandates  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        if stack.record is None or stack.record.mode != "sandbox":
            raise InvalidInput("home", str(settings.home), "the home of a sandbox that is up")
        found: Loan | None = await stack.queries.loan(loan_id)
        if found is None:
            raise InvalidInput("loan", loan_id, "a loan that is boarded")
        await sign_mandates(stack.rails, [found])
        return found
