"""`acquit outbox`: messages that are to leave, and what people do about those that cannot."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.lists import LimitOption
from cli.order import (
    ActorOption,
    ApproverOption,
    IdOption,
    ReasonOption,
    give,
    ordered_by,
    read_typed,
)
from cli.output import (
    Commands,
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
)
from cli.times import shown
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from ports.messages import KeptMessage, MessageFilter
    from ports.paging import Page
    from workers.settings import Settings

_EXAMPLE = "Example: acquit outbox list --state dead"
_ORDER = 'Example: acquit outbox {} 812 --actor ops-7 --reason "the namespace is right again"'
MessageArgument = Annotated[int, typer.Argument(metavar="MESSAGE", help="Its number.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(
        help="Messages that leave after a commit: what waits, what is a dead letter.",
        no_args_is_help=True,
        cls=Commands,
    )
    group.command("list", epilog=_EXAMPLE)(list_messages)
    group.command("show", epilog="Example: acquit outbox show 812")(show)
    group.command("retry", epilog=_ORDER.format("retry"))(retry)
    group.command("drop", epilog=_ORDER.format("drop"))(drop)
    app.add_typer(group, name="outbox")


def list_messages(
    ctx: typer.Context,
    *,
    topic: Annotated[str, typer.Option(help="Only messages of this topic.")] = "",
    state: Annotated[
        str, typer.Option(help="waiting, dead, dropped or delivered; all unless given.")
    ] = "",
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List messages in the order in which they were written."""
    from domain.kernel.message import MessageState  # noqa: PLC0415
    from ports.messages import MessageFilter  # noqa: PLC0415

    if state and state not in set(MessageState):
        raise InvalidInput("state", state, f"one of {', '.join(MessageState)}")
    wanted = MessageFilter(topic or None, MessageState(state) if state else None)
    page = run_async(_list(books_settings(ctx, home), wanted, after, limit))
    rows = [_row(item) for item in page.items]
    if as_json:
        print_json({"messages": rows, "after": page.after})
        return
    print_table(
        f"Messages: {len(rows)}",
        ("id>", "topic", "stream", "state", "queued", "tries>", "next try", "error", "case"),
        [
            (
                row["id"],
                row["topic"],
                row["stream"],
                row["state"],
                shown(row["queued_at"]),
                row["tries"],
                shown(row["retry_at"]),
                row["error"],
                row["case"],
            )
            for row in rows
        ],
    )
    if page.after:
        note(f"go on with --after {page.after}")


def show(
    ctx: typer.Context,
    message: MessageArgument,
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show one message with what it carries."""
    found = run_async(_one(books_settings(ctx, home), message))
    row = {**_row(found), "payload": dict(found.payload)}
    if as_json:
        print_json(row)
        return
    print_text(f"message {found.id}: {found.topic} to {found.stream}, {found.state.value}")
    for name in ("queued_at", "not_before", "retry_at", "delivered_at", "dead_at", "dropped_at"):
        if row[name] is not None:
            print_text(f"  {name.replace('_', ' ')} {shown(row[name])}")
    if found.tries:
        print_text(f"  {found.tries} failed tries, the last by {found.error}")
    if found.case:
        print_text(f"  case {found.case}")
    for name, value in found.payload.items():
        print_text(f"  {name}: {value}")


def retry(
    ctx: typer.Context,
    message: MessageArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    approver: ApproverOption = None,
    order_id: IdOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Have a dead letter tried again; its case ends when it is delivered.

    An order about any other message is refused by name, exit code 1.
    """
    who = ordered_by(actor, reason, approver, order_id)
    _order(books_settings(ctx, home), "retry_message", message, who, as_json=as_json)


def drop(
    ctx: typer.Context,
    message: MessageArgument,
    *,
    actor: ActorOption,
    reason: ReasonOption,
    approver: ApproverOption = None,
    order_id: IdOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Give a dead letter up for good; its case ends.

    An order about any other message is refused by name, exit code 1.
    """
    who = ordered_by(actor, reason, approver, order_id)
    _order(books_settings(ctx, home), "drop_message", message, who, as_json=as_json)


def _order(
    settings: Settings, kind: str, message: int, who: dict[str, Any], *, as_json: bool
) -> None:
    from domain.case.deadletter import MESSAGE_ORDERS, letter_key  # noqa: PLC0415

    given = read_typed(kind, (), who, MESSAGE_ORDERS, {"case": letter_key(message)})
    give(settings, given, who["id"], f"message {message}", as_json=as_json)


def _row(item: KeptMessage) -> dict[str, Any]:
    return {name: value for name, value in asdict(item).items() if name != "payload"}


async def _list(
    settings: Settings, wanted: MessageFilter, after: str, limit: int
) -> Page[KeptMessage]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        page: Page[KeptMessage] = await stack.messages.messages(wanted, after, limit)
        return page


async def _one(settings: Settings, message: int) -> KeptMessage:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found: KeptMessage | None = await stack.messages.message(message)
        if found is None:
            raise InvalidInput("message", message, "a message of the outbox")
        return found
