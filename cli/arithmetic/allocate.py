"""`acquit allocate`: what an amount pays, component by component."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import JsonOption, print_json, print_table

_EXAMPLE = (
    "Example: acquit allocate --state state.json --amount 35 "
    "--order penalty,fee,principal,interest --direction horizontal --future next --json"
)


def register(app: typer.Typer) -> None:
    """Add `allocate` to `app`."""
    app.command("allocate", epilog=_EXAMPLE)(allocate)


def allocate(  # noqa: PLR0913  (one parameter for each option)
    *,
    state: Annotated[str, typer.Option(help="JSON file of open installments.")],
    amount: Annotated[str, typer.Option(help="Amount to allocate, decimal.")],
    order: Annotated[
        str,
        typer.Option(
            help="Components with commas, or a name: cn-civil-code, cn-contract, cn-credit-card, "
            "rbi-india, early-repayment ... (a name that is none lists them all)."
        ),
    ],
    direction: Annotated[
        str, typer.Option(help="horizontal or vertical; as the name has it, or horizontal.")
    ] = "",
    future: Annotated[str, typer.Option(help="next, last, reduce or advance.")] = "next",
    as_of: Annotated[str, typer.Option(help="Value date; that of the file unless given.")] = "",
    currency: Annotated[str, typer.Option(help="Where the file names none.")] = "CNY",
    principal_first_from_dpd: Annotated[
        int,
        typer.Option(help="Principal first from so many days past due on; 0 as the name has it."),
    ] = 0,
    due_with_past_due: Annotated[
        bool, typer.Option(help="Past due and due form one group.")
    ] = False,
    designated: Annotated[
        list[int] | None, typer.Option(help="Installment that the borrower wants paid first.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Allocate an amount: past due before due before future.

    The state file holds {"currency", "as_of", "installments": [{"number", "due_on", "owed":
    {"principal", "interest", "fee", "penalty", "cost"}}]} with decimal strings.
    """
    from dataclasses import replace  # noqa: PLC0415

    from cli.arithmetic.statetext import read_state  # noqa: PLC0415
    from cli.options import amount_of, choice, day_of  # noqa: PLC0415
    from domain.errors import InvalidInput  # noqa: PLC0415
    from domain.loan.named_waterfalls import named  # noqa: PLC0415
    from domain.loan.waterfall import Direction, Future  # noqa: PLC0415
    from domain.loan.waterfall import allocate as allocated  # noqa: PLC0415
    from domain.money import decimal_text  # noqa: PLC0415

    found = read_state(state, currency)
    day = day_of("as_of", as_of) if as_of else found.as_of
    if day is None:
        raise InvalidInput("as_of", as_of, "a date, as an option or in the file")
    usual = named(order)
    waterfall = replace(
        usual,
        direction=choice("direction", direction or usual.direction.value, Direction),
        future=choice("future", future, Future),
        principal_first_from_dpd=principal_first_from_dpd or usual.principal_first_from_dpd,
        due_with_past_due=due_with_past_due or usual.due_with_past_due,
    )
    minor = amount_of("amount", amount, found.currency)
    parts, rest = allocated(found.items, minor, waterfall, day, designated or ())
    rows = [
        {
            "number": part.number,
            "component": part.component.value,
            "amount": decimal_text(part.minor, found.currency),
        }
        for part in parts
    ]
    answer = {
        "allocations": rows,
        "allocated": decimal_text(minor - rest, found.currency),
        "rest": decimal_text(rest, found.currency),
    }
    if as_json:
        print_json(answer)
    else:
        table = [list(row.values()) for row in rows]
        title = f"allocated on {day}, {found.currency}; left over: {answer['rest']}"
        print_table(title, ["number>", "component", "amount>"], table)
