"""`acquit order`: an override given to the books themselves, whether a driver runs or not."""

from __future__ import annotations

import json
import uuid
from dataclasses import MISSING, fields
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_type_hints

import typer
from typer.core import TyperCommand

from cli.output import HomeOption, JsonOption, books_settings, print_json, print_text, run_async
from domain.errors import InvalidInput
from domain.kernel.order import OperatorOrder
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.kernel.change import Applied, Refused
    from domain.kernel.command import Command
    from domain.loan.commands import Order
    from workers.settings import Settings

Ordered = TypeVar("Ordered", bound=OperatorOrder)
ActorOption = Annotated[str, typer.Option(help="Who orders: an id, never a name.")]
ReasonOption = Annotated[str, typer.Option(help="Why, in words; kept in the journal.")]
ApproverOption = Annotated[
    str | None, typer.Option(help="Who approved it: an id, never the actor's.")
]
IdOption = Annotated[
    str, typer.Option("--id", help="The same id is the same order; a new one unless given.")
]
_EXAMPLE = (
    "Example: acquit order LC00001/3 match_line line=ACCT-1/S-20260310/4 reference=T-77 "
    'amount_minor=10000 --actor ops-7 --reason "the borrower sent the payment"'
)


class WithKinds(TyperCommand):
    """A command whose help lists the kinds of orders and their terms, as the books define them."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401  (click's own)
        """Write the kinds below the options, then the example."""
        with formatter.section("Kinds and their terms"):
            formatter.write_dl([(kind, _described(order)) for kind, order in self.kinds().items()])
        super().format_epilog(ctx, formatter)

    def kinds(self) -> Mapping[str, type[OperatorOrder]]:
        """The orders by the words that they are typed with."""
        from domain.loan.commands import ORDERS  # noqa: PLC0415  (only the help needs it)

        return ORDERS


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("order", cls=WithKinds, epilog=_EXAMPLE)(order)


def order(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="LOAN/NUMBER", help="The installment.")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What is ordered, see below.")],
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="[FIELD=VALUE]...", help="Terms of the order.")
    ] = None,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    approver: ApproverOption = None,
    order_id: IdOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Give an order about an installment: the same that its driver takes as signal or Update.

    A closed installment has no driver: here is how a match that closed it is undone. What the rules
    do not allow is refused by name, exit code 1.
    """
    settings = books_settings(ctx, home)
    who = ordered_by(actor, reason, approver, order_id)
    given = _read(kind, terms or (), who, subject)
    give(settings, given, who["id"], subject, as_json=as_json)


def _described(order: type[OperatorOrder]) -> str:
    """What an order does, and its terms; those that may be left out in brackets."""
    hints, named = get_type_hints(order), []
    for item in (item for item in fields(order) if item.name in order.terms()):
        # What may be left out is annotated as `X | None`.
        hint = next((one for one in get_args(hints[item.name])), hints[item.name])
        term = f"{item.name}={' | '.join(hint)}" if issubclass(hint, Enum) else item.name
        term = f"{item.name}=LOAN[:MINOR],..." if item.name == "also" else term
        named.append(term if item.default is MISSING else f"[{term}]")
    return f"{order.description()} {', '.join(named)}"


def _read(kind: str, terms: Sequence[str], who: dict[str, Any], subject: str) -> Order:
    from cli.story import read_subject  # noqa: PLC0415
    from domain.loan.commands import ORDERS  # noqa: PLC0415

    loan_id, number = read_subject(subject)
    if number is None:
        raise InvalidInput("LOAN/NUMBER", subject, "an installment: its loan and its number")
    return read_typed(kind, terms, who, ORDERS, {"loan_id": loan_id, "number": number})


def ordered_by(actor: str, reason: str, approver: str | None, order_id: str) -> dict[str, Any]:
    """The fields that every order has: its id, who gives and approves it, and why."""
    return {
        "id": order_id or f"cli-{uuid.uuid4().hex}",
        "actor": {"kind": "operator", "id": actor},
        "approver": approver,
        "reason": reason,
    }


def must_be_given(actor: str, reason: str) -> None:
    """Refuse an order without actor or reason, where showing needs neither.

    Raises:
        InvalidInput: one of them is missing.
    """
    needed = {"actor": "who orders: an id, never a name", "reason": "why, in words"}
    for name, given in (("actor", actor), ("reason", reason)):
        if not given.strip():
            raise InvalidInput(name, given, needed[name])


def read_typed(
    kind: str,
    terms: Sequence[str],
    who: dict[str, Any],
    orders: Mapping[str, type[Ordered]],
    about: Mapping[str, object],
) -> Ordered:
    """Read an order as it was typed, its terms as FIELD=VALUE; `about` names its subject.

    Raises:
        InvalidInput: what cannot be read, or is wrong in shape.
    """
    from workflows.messages import CLI  # noqa: PLC0415
    from workflows.reading import read_order  # noqa: PLC0415

    content: dict[str, Any] = {"kind": kind, **who}
    whole = _whole_numbers(orders.get(kind))
    for term in terms:
        name, equals, value = term.partition("=")
        if not equals or name in content:
            raise InvalidInput("term", term, "FIELD=VALUE, one of the order's own fields")
        if name == "also":
            content[name] = _others(value)
        else:
            content[name] = int(value) if name in whole and _is_whole(value) else value
    return read_order(json.dumps(content).encode(), orders, about, "order").received(CLI)


def _others(value: str) -> list[dict[str, object]]:
    """Loans that a payment pays too, as `LOAN,LOAN:AMOUNT_MINOR`."""
    found: list[dict[str, object]] = []
    for part in value.split(","):
        loan_id, colon, minor = part.partition(":")
        amount: object = int(minor) if _is_whole(minor) else minor
        found.append({"loan_id": loan_id, **({"amount_minor": amount} if colon else {})})
    return found


def _is_whole(value: str) -> bool:
    return value.removeprefix("-").isdecimal()


def _whole_numbers(order: type[OperatorOrder] | None) -> set[str]:
    """The terms of an order that are whole numbers, which the command line has as text."""
    hints = get_type_hints(order) if order else {}
    return {name for name, hint in hints.items() if int in {hint, *get_args(hint)}}


async def _applied(settings: Settings, order: Command) -> Applied | Refused:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await stack.books.apply(order)


def give(settings: Settings, order: Command, order_id: str, subject: str, *, as_json: bool) -> None:
    """Give an order to the books and print what became of it, under the id it was typed with.

    Raises:
        Exit: it was refused; the exit code is 1.
    """
    answer = printed(order_id, run_async(_applied(settings, order)))
    if as_json:
        print_json(answer)
    elif answer["refused_by"]:
        note(f"refused by {answer['refused_by']}: {answer['why']}")
    else:
        stands = f"; {subject} is {answer['state']}" if answer["state"] else f"; {subject}"
        print_text(f"{answer['answer']}{stands} (order {answer['id']})")
    if answer["refused_by"]:
        raise typer.Exit(Exit.NOT_CLEAN)


def printed(order_id: str, answer: Applied | Refused) -> dict[str, Any]:
    """What became of an order, as it is printed."""
    from domain.kernel.change import Applied  # noqa: PLC0415

    if isinstance(answer, Applied):
        result = {"answer": getattr(answer.answer, "note", ""), "refused_by": "", "why": ""}
    else:
        result = {"answer": "refused", "refused_by": answer.rule, "why": answer.reason}
    view = answer.view
    return {
        "id": order_id,
        **result,
        "replayed": answer.replayed,
        "state": view.state if view else "",
        "owed_minor": view.labels.amount_minor if view else None,
        "currency": view.labels.currency if view else "",
        "missing": list(view.missing) if view else [],
    }
