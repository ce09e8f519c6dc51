"""`acquit refunds` and `acquit refund`: money that goes back to payers, and what they are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.lists import LimitOption
from cli.order import ActorOption, IdOption, give, must_be_given, ordered_by
from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    run_async,
)
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from datetime import datetime

    from domain.payout.payout import Payout
    from workers.settings import Settings

_EXAMPLE = "Example: acquit refunds --limit 20"
_ONE = (
    "Example: acquit refund P-0F165F62E6CD --request --actor ops-7 "
    '--reason "paid twice". Approve, refuse or cancel one with acquit payout. Exit codes: 0 done, '
    "1 refused by a rule, 2 wrong input."
)
_BENEFICIARY = re.compile(r"[A-Za-z0-9._:~-]{1,120}")
_OF_ONE_MOST = 1_000


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("refunds", epilog=_EXAMPLE)(refunds)
    app.command("refund", epilog=_ONE)(refund)


def refunds(
    ctx: typer.Context,
    *,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List refunds with their status, in the order of their payments."""
    found, now = run_async(_found(books_settings(ctx, home), "", after, limit + 1))
    shown = found[:limit]
    cursor = shown[-1].key if len(found) > limit else ""
    _print([_row(one, now) for one in shown], cursor, as_json=as_json)


def refund(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="The id of the payment.")],
    *,
    request: Annotated[bool, typer.Option("--request", help="Request one.")] = False,
    amount_minor: Annotated[
        int | None, typer.Option(min=1, help="Minor units; all that can go back unless given.")
    ] = None,
    advance: Annotated[
        bool, typer.Option("--advance", help="What was paid ahead goes back as well.")
    ] = False,
    beneficiary: Annotated[
        str, typer.Option(help="Stands for another account than the money came from.")
    ] = "",
    actor: ActorOption = "",
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    order_id: IdOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show the refunds of a payment with what its payer is told; or request one.

    What the rules do not allow is refused by name, exit code 1.
    """
    settings = books_settings(ctx, home)
    found, now = run_async(_found(settings, payment, "", _OF_ONE_MOST))
    if not request:
        if not found:
            raise InvalidInput(
                "PAYMENT", payment, "a payment that was refunded; see `acquit refunds`"
            )
        _print([_row(one, now) for one in found], "", as_json=as_json)
        return
    must_be_given(actor, reason)
    if beneficiary and not _BENEFICIARY.fullmatch(beneficiary):
        rule = "1 to 120 letters, digits, or . _ : ~ -"
        raise InvalidInput("beneficiary", beneficiary, rule)
    from domain.kernel.canonical import bounded  # noqa: PLC0415
    from domain.kernel.command import Actor  # noqa: PLC0415
    from domain.payout.commands import RequestRefund  # noqa: PLC0415

    who = ordered_by(actor, reason, None, order_id)
    command = RequestRefund(
        id=bounded(f"cli/refund/{payment}/{who['id']}"),
        actor=Actor("operator", actor),
        reason=reason,
        payment=payment,
        number=max((one.number for one in found), default=0) + 1,
        amount_minor=amount_minor,
        advance=advance,
        beneficiary=beneficiary,
    )
    give(settings, command, who["id"], command.payout, as_json=as_json)


def _print(rows: list[dict[str, Any]], cursor: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"refunds": rows, "after": cursor})
        return
    fields = ("key", "payer", "amount", "currency", "status", "due_on", "age_days", "waits")
    print_table(
        f"Refunds: {len(rows)}",
        ("key", "payer", "amount>", "currency", "status", "due by", "days>", "waits for"),
        [tuple(str(row[name]) for name in fields) for row in rows],
    )
    if cursor:
        note(f"{len(rows)} are shown; go on with --after {cursor}")


def _row(found: Payout, now: datetime) -> dict[str, Any]:
    """A refund as a row of the list."""
    from domain.money import decimal_text  # noqa: PLC0415
    from domain.payout.refundstatus import refund_detail  # noqa: PLC0415

    detail = refund_detail(found, found.refunded)
    return {
        "key": found.key,
        "payment": detail.payment,
        "payer": found.payee,
        "amount": decimal_text(found.minor, found.currency),
        "currency": found.currency,
        "status": detail.status,
        "state": found.state,
        "due_on": detail.due_on,
        "twins": list(detail.twins),
        "since": found.since,
        "age_days": (now - found.since).days,
        "waits": found.needs_operator,
    }


async def _found(
    settings: Settings, payment: str, after: str, limit: int
) -> tuple[tuple[Payout, ...], datetime]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await stack.queries.refunds(payment, after, limit), stack.clock.now()
