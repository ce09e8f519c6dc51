"""`acquit installments` and `acquit cases`: what is open, the oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import HomeOption, JsonOption, books_settings, print_json, print_table, run_async
from domain.errors import InvalidInput
from domain.text import instant_text
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.loan.lifecycle import State
    from ports.queries import Standing
    from workers.settings import Settings

LIMIT_MOST = 10_000
LimitOption = Annotated[int, typer.Option(min=1, max=LIMIT_MOST, help="Show so many at most.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    example = "Example: acquit installments --state IN_DOUBT --state CLEARING"
    app.command("installments", epilog=example)(installments)


def installments(
    ctx: typer.Context,
    *,
    state: Annotated[
        list[str] | None, typer.Option(help="A state; repeat for several. All open ones.")
    ] = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List installments that are neither scheduled nor ended, or those of some states.

    Those that have been in their state longest come first, with what closing lacks.
    """
    states = _states(state or ())
    found = run_async(_standing(books_settings(ctx, home), states, limit))
    rows = [_installment(item) for item in found]
    if as_json:
        print_json(rows)
        return
    columns = ("installment", "state", "since", "owed>", "currency", "hold", "lacks or waits for")
    print_table(
        f"Installments: {len(rows)}",
        columns,
        [
            (
                f"{row['loan_id']}/{row['number']}",
                row["state"],
                instant_text(row["since"]) if row["since"] else "",
                row["owed"],
                row["currency"],
                row["hold"],
                row["needs_operator"] or ", ".join(row["missing"]) or row["next"],
            )
            for row in rows
        ],
    )
    _say_if_cut(len(rows), limit)


def _states(names: Sequence[str]) -> list[State]:
    from domain.loan.lifecycle import FINAL, State  # noqa: PLC0415

    known = {member.value: member for member in State}
    for name in names:
        if name.upper() not in known:
            raise InvalidInput("state", name, f"one of {', '.join(known)}")
    chosen = [known[name.upper()] for name in names]
    return chosen or [member for member in State if member not in {*FINAL, State.SCHEDULED}]


def _say_if_cut(shown: int, limit: int) -> None:
    if shown == limit:
        note(f"{limit} are shown; there may be more, see --limit")


async def _standing(
    settings: Settings, states: Sequence[State], limit: int
) -> tuple[Standing, ...]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found: tuple[Standing, ...] = await stack.queries.standing(states, limit)
        return found


def _installment(item: Standing) -> dict[str, Any]:
    from domain.money import decimal_text  # noqa: PLC0415

    view = item.view
    action = view.next_action
    return {
        "loan_id": view.labels.loan_id,
        "number": view.labels.number,
        "state": view.state,
        "since": item.since,
        "due_on": view.labels.due_on,
        "owed": decimal_text(view.labels.amount_minor, view.labels.currency),
        "currency": view.labels.currency,
        "hold": view.detail.hold,
        "needs_operator": view.needs_operator,
        "missing": list(view.missing),
        "next": f"{action.kind.lower()} at {instant_text(action.not_before)}" if action else "",
    }
