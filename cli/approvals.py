"""`acquit approvals`, `approve` and `refuse`: orders that wait for a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.accessparts import ask_secret
from cli.lists import LimitOption
from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
)
from domain.errors import InvalidInput
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from api.orderdoor import Decision
    from domain.access.preview import Preview
    from domain.access.rights import Denied
    from ports.orderrequests import Asked
    from ports.paging import Page
    from workers.settings import Settings

RequestArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of a request.")]
PersonOption = Annotated[str, typer.Option("--person", help="Who decides: the id of a person.")]
_APPROVE = "Example: acquit approve 5f0c... --person ann --preview 9d2e..."


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("approvals", epilog="Example: acquit approvals 5f0c...")(approvals)
    app.command("approve", epilog=_APPROVE)(approve)
    app.command("refuse", epilog='Example: acquit refuse 5f0c... --person ann --reason "no"')(
        refuse
    )


def approvals(
    ctx: typer.Context,
    request: Annotated[
        str, typer.Argument(metavar="[ID]", help="One request, with what it would change.")
    ] = "",
    *,
    state: Annotated[
        str, typer.Option(help="asked, approved, done, refused, void or expired.")
    ] = "asked",
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List orders that wait for a second person, or show one with its preview.

    The digest of the preview is what `acquit approve` binds.
    """
    from domain.access.approval import RequestState  # noqa: PLC0415

    settings = books_settings(ctx, home)
    if request:
        _show(run_async(_one(settings, request)), as_json=as_json)
        return
    if state not in set(RequestState):
        raise InvalidInput("state", state, f"one of {', '.join(RequestState)}")
    page = run_async(_list(settings, state, after, limit))
    rows = [_row(item) for item in page.items]
    if as_json:
        print_json({"requests": rows, "after": page.after})
        return
    names = ("id", "kind", "about", "requester", "rule", "reason", "expires_at")
    print_table("Requests", names, [[str(row[name]) for name in names] for row in rows])
    if page.after:
        note(f"there is more: go on with --after {page.after}")


def approve(
    ctx: typer.Context,
    request: RequestArgument,
    *,
    person: PersonOption,
    preview: Annotated[str, typer.Option(help="The digest of the preview that you have seen.")],
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Approve a request and have it carried out.

    Password and one-time code are asked for, or read as two lines of standard input. What would
    happen is worked out again: if it is not what the preview showed, nothing happens, and the
    request is void; exit code 1.
    """
    proof = ask_secret("password"), ask_secret("code")
    settings = books_settings(ctx, home)
    _decided(run_async(_decide(settings, request, person, proof, preview)), as_json=as_json)


def refuse(
    ctx: typer.Context,
    request: RequestArgument,
    *,
    person: PersonOption,
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Refuse a request: nothing happens, and who asked learns why; exit code 1 where it stands.

    Password and one-time code are asked for, or read as two lines of standard input.
    """
    proof = ask_secret("password"), ask_secret("code")
    settings = books_settings(ctx, home)
    _decided(run_async(_decide(settings, request, person, proof, "", reason)), as_json=as_json)


def _decided(found: Decision | Denied, *, as_json: bool) -> None:
    from domain.access.rights import Denied  # noqa: PLC0415

    if isinstance(found, Denied):
        if as_json:
            print_json({"state": "", "rule": found.rule, "why": found.reason})
        else:
            note(f"{found.rule}: {found.reason}")
        raise typer.Exit(Exit.NOT_CLEAN)
    request = found.request
    if as_json:
        print_json({"state": request.state, "rule": "", "why": request.why})
    else:
        print_text(f"request {request.id} is {request.state}{request.why and f': {request.why}'}")
    if request.state == "void":
        raise typer.Exit(Exit.NOT_CLEAN)


def _show(asked: Asked, *, as_json: bool) -> None:
    from dataclasses import asdict  # noqa: PLC0415

    row = {**_row(asked), "preview_digest": asked.request.preview_digest}
    if as_json:
        print_json({**row, "preview": asdict(asked.preview)})
        return
    for name, value in row.items():
        print_text(f"{name:15} {value}")
    for line in preview_lines(asked.preview):
        print_text(f"  {line}")


def preview_lines(preview: Preview) -> list[str]:
    """What an order would change, a line for each move, posting, message and amount."""
    from domain.money import decimal_text  # noqa: PLC0415

    lines = [
        f"{one.subject_kind} {one.subject_key}: {one.source} > {one.target} ({one.event})"
        for one in preview.moves
    ]
    lines += [
        f"{entry.event}: {side.account} {decimal_text(side.minor, side.currency)} {side.currency}"
        for entry in preview.entries
        for side in entry.postings
    ]
    lines += [f"message: {topic}" for topic in preview.messages]
    lines += [
        f"{one.loan}/{one.number} then asks for "
        f"{decimal_text(one.owed_minor, one.currency)} {one.currency}, {one.state}"
        for one in preview.amounts
    ]
    return lines


def _row(asked: Asked) -> dict[str, Any]:
    it = asked.request
    about = "/".join(str(getattr(it.order, name)) for name in it.order.subject)
    return {
        "id": it.id,
        "state": it.state,
        "kind": it.order.kind,
        "about": about,
        "portfolio": it.portfolio,
        "requester": it.requester,
        "reason": it.order.reason,
        "rule": it.rule,
        "approver": it.approver,
        "asked_at": it.asked_at,
        "expires_at": it.expires_at,
        "why": it.why,
    }


async def _list(settings: Settings, state: str, after: str, limit: int) -> Page[Asked]:
    from domain.access.person import EVERYWHERE  # noqa: PLC0415
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        everything = frozenset({EVERYWHERE})
        return await access_of(stack).requests.requests(state, everything, after, limit)


async def _one(settings: Settings, request: str) -> Asked:
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found = await access_of(stack).requests.request(request)
        if found is None:
            raise InvalidInput("request", request, "the id of a request; see `acquit approvals`")
        return found


async def _decide(
    settings: Settings,
    request: str,
    person: str,
    proof: tuple[str, str],
    preview: str,
    reason: str = "",
) -> Decision | Denied:
    from domain.access.approval import Presence  # noqa: PLC0415
    from domain.access.rights import Denied  # noqa: PLC0415
    from ports.access import AccessEvent  # noqa: PLC0415
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        access = access_of(stack)
        now, about = access.wall.now(), f"request {request}"
        proven = await access.persons.prove(person, *proof, now)
        if isinstance(proven, Denied):
            found: Decision | Denied = proven
        elif reason:
            found = await access.orders.refuse(request, Presence(proven, now), reason)
        else:
            found = await access.orders.approve(request, Presence(proven, now), preview)
        if isinstance(found, Denied):
            denied = AccessEvent(now, person, "cli", "decide", about, "denied", found.rule)
            await access.log.record(denied)
        return found
