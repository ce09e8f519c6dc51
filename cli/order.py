"""`acquit order`: an override given to the books themselves, whether a driver runs or not."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from cli.output import HomeOption, JsonOption, books_settings, print_json, print_text, run_async
from domain.errors import InvalidInput
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.loan.change import Applied, Refused
    from workers.settings import Settings
    from workflows.messages import Override

_EXAMPLE = (
    "Example: acquit order LC00001/3 match_line line=ACCT-1/S-20260310/4 reference=T-77 "
    'amount_minor=10000 --actor ops-7 --reason "the borrower sent the receipt"'
)


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("order", epilog=_EXAMPLE)(order)


def order(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="LOAN/NUMBER", help="The installment.")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What is ordered, see below.")],
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="Terms of the order.")
    ] = None,
    *,
    actor: Annotated[str, typer.Option(help="Who orders: an id, never a name.")],
    reason: Annotated[str, typer.Option(help="Why, in words; kept in the journal.")],
    approver: Annotated[
        str | None, typer.Option(help="Who approved it: an id, never the actor's.")
    ] = None,
    order_id: Annotated[
        str, typer.Option("--id", help="The same id is the same order; a new one unless given.")
    ] = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Give an order about an installment: the same that its driver takes as signal or Update.

    Kinds and their terms: hold (what: debit, contact or all), unhold, retry_now, cancel, write_off,
    record_payment (reference, amount_minor, currency, value_on), change_date (due_on), waive
    and charge (component, amount_minor), match_line (line, reference, amount_minor, fee_minor),
    undo_match (line, reference), withdraw_payment (reference). A closed installment has no driver:
    here is how a match that closed it is undone. What the rules do not allow is refused by name,
    exit code 1.
    """
    settings = books_settings(ctx, home)
    who = {"actor": {"kind": "operator", "id": actor}, "approver": approver, "reason": reason}
    request = _request(kind, terms or (), who, order_id or f"cli-{uuid.uuid4().hex}")
    answer = run_async(_give(settings, subject, request))
    told = _told(request.id, answer)
    if as_json:
        print_json(told)
    elif told["refused_by"]:
        note(f"refused by {told['refused_by']}: {told['why']}")
    else:
        print_text(f"{told['answer']}; {subject} is {told['state']} (order {request.id})")
    if told["refused_by"]:
        raise typer.Exit(Exit.NOT_CLEAN)


def _request(kind: str, terms: Sequence[str], who: dict[str, Any], order_id: str) -> Override:
    from workflows.messages import REQUESTS, misshapen  # noqa: PLC0415
    from workflows.reading import read_kind, shown  # noqa: PLC0415

    content: dict[str, Any] = {"kind": kind, "id": order_id, **who}
    whole = _whole_numbers(REQUESTS.get(kind))
    for term in terms:
        name, equals, value = term.partition("=")
        if not equals or name in content:
            raise InvalidInput("term", term, "FIELD=VALUE, one of the order's own fields")
        content[name] = int(value) if name in whole and value.lstrip("-").isdigit() else value
    request = read_kind(json.dumps(content).encode(), REQUESTS, "order")
    for field, rule in misshapen(request):
        raise InvalidInput(field, shown(field, getattr(request, field)), rule)
    return request


def _whole_numbers(request: type[Override] | None) -> set[str]:
    """The terms of an order that are whole numbers, which the command line has as text."""
    hints = get_type_hints(request) if request else {}
    return {name for name, hint in hints.items() if hint is int}


async def _give(settings: Settings, subject: str, request: Override) -> Applied | Refused:
    from cli.story import read_subject  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workflows.messages import CLI, command_of  # noqa: PLC0415

    loan_id, number = read_subject(subject)
    if number is None:
        raise InvalidInput("LOAN/NUMBER", subject, "an installment: its loan and its number")
    async with open_stack(settings) as stack:
        return await stack.books.apply(command_of(request, loan_id, number, CLI))


def _told(order_id: str, answer: Applied | Refused) -> dict[str, Any]:
    from domain.loan.change import Applied  # noqa: PLC0415

    if isinstance(answer, Applied):
        said = {"answer": getattr(answer.answer, "note", ""), "refused_by": "", "why": ""}
    else:
        said = {"answer": "refused", "refused_by": answer.rule, "why": answer.reason}
    view = answer.view
    return {
        "id": order_id,
        **said,
        "replayed": answer.replayed,
        "state": view.state.value if view else "",
        "owed_minor": view.owed_minor if view else None,
        "currency": view.currency if view else "",
        "missing": list(view.missing) if view else [],
    }
