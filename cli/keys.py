"""`acquit keys`: keys of the API, made, rotated and revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.accessparts import ByOption, PersonArgument, changed
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
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from domain.access.apikey import ApiKey
    from domain.access.rights import Right
    from workers.settings import Settings

_ISSUE = "Example: acquit keys issue core --scope read_loans --scope board --actor admin-1"
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Its id, never the key itself.")]
DaysOption = Annotated[int, typer.Option(min=1, max=400, help="It ends after so many days.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(help="Keys of the API.", no_args_is_help=True, cls=Commands)
    group.command("issue", epilog=_ISSUE)(issue)
    group.command("list", epilog="Example: acquit keys list core")(list_keys)
    group.command("rotate", epilog="Example: acquit keys rotate 3f9c12ab77de --actor admin-1")(
        rotate
    )
    group.command("revoke", epilog="Example: acquit keys revoke 3f9c12ab77de --actor admin-1")(
        revoke
    )
    app.add_typer(group, name="keys")


def issue(
    ctx: typer.Context,
    person: PersonArgument,
    *,
    scope: Annotated[list[str], typer.Option(help="A right that it is for; repeat it.")],
    days: DaysOption = 90,
    actor: ByOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make a key and show it once; its digest is kept.

    It gives what its scopes name, as far as its person has the right when it is used. No key
    approves, and none gives rights.
    """
    scopes = _scopes(scope)
    key, text = run_async(_issue(books_settings(ctx, home), person, scopes, days, actor))
    _show(key, text, as_json=as_json)


def list_keys(
    ctx: typer.Context, person: PersonArgument, *, as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:  # fmt: skip
    """List the keys of a person, the newest first."""
    rows = [_row(key) for key in run_async(_keys(books_settings(ctx, home), person))]
    if as_json:
        print_json({"keys": rows})
        return
    names = ("key", "scopes", "made_at", "ends_at", "revoked_at")
    print_table(
        f"Keys of {person}", names, [[str(row[name] or "") for name in names] for row in rows]
    )


def rotate(
    ctx: typer.Context,
    key: KeyArgument,
    *,
    days: DaysOption = 90,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=168, help="The old one holds for so long beside it.")
    ] = 24,
    actor: ByOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make the successor of a key with the same scopes; both hold for a while."""
    settings = books_settings(ctx, home)
    made, text = run_async(_rotate(settings, key, days, overlap_hours, actor))
    _show(made, text, as_json=as_json)


def revoke(
    ctx: typer.Context, key: KeyArgument, *, actor: ByOption = "", home: HomeOption = None
) -> None:
    """End a key now."""
    run_async(_revoke(books_settings(ctx, home), key, actor))
    print_text(f"key {key} is revoked")


def _scopes(texts: list[str]) -> frozenset[Right]:
    from domain.access.rights import NEVER_BY_KEY, Right  # noqa: PLC0415

    allowed = sorted(set(Right) - NEVER_BY_KEY)
    for text in texts:
        if text not in set(allowed):
            raise InvalidInput("scope", text, f"one of {', '.join(allowed)}")
    return frozenset(Right(text) for text in texts)


def _show(key: ApiKey, text: str, *, as_json: bool) -> None:
    if as_json:
        print_json({**_row(key), "secret": text})
        return
    print_text(text)
    note(f"key {key.id} of {key.person} ends at {key.ends_at}; it is shown once")


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "key": key.id,
        "person": key.person,
        "scopes": " ".join(sorted(key.scopes)),
        "made_at": key.made_at,
        "ends_at": key.ends_at,
        "revoked_at": key.revoked_at,
    }


def _new_secret() -> tuple[str, str]:
    import secrets  # noqa: PLC0415

    return secrets.token_hex(6), secrets.token_urlsafe(32)


async def _issue(
    settings: Settings, person: str, scopes: frozenset[Right], days: int, actor: str
) -> tuple[ApiKey, str]:
    from domain.access.apikey import key_text, new_key  # noqa: PLC0415
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        access = access_of(stack)
        whose, now = await access.persons.person(person), access.wall.now()
        if whose is None:
            raise InvalidInput("person", person, "a person that was added")
        key_id, secret = _new_secret()
        made = new_key(key_id, secret, whose, scopes, now, days)
        await access.persons.keep_key(made, changed(now, actor, "issue key", f"key {key_id}"))
        return made, key_text(key_id, secret)


async def _keys(settings: Settings, person: str) -> tuple[ApiKey, ...]:
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await access_of(stack).persons.keys(person)


async def _rotate(
    settings: Settings, key: str, days: int, overlap_hours: int, actor: str
) -> tuple[ApiKey, str]:
    from datetime import timedelta  # noqa: PLC0415

    from domain.access.apikey import key_text, new_key, rotated  # noqa: PLC0415
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        access = access_of(stack)
        found, now = await access.persons.key(key), access.wall.now()
        if found is None:
            raise InvalidInput("key", key, "the id of a key")
        old, person = found
        key_id, secret = _new_secret()
        made = new_key(key_id, secret, person, old.scopes, now, days)
        event = changed(now, actor, "rotate key", f"key {key} to {key_id}")
        ending = rotated(old, now, timedelta(hours=overlap_hours))
        await access.persons.keep_key(made, event, replaces=ending)
        return made, key_text(key_id, secret)


async def _revoke(settings: Settings, key: str, actor: str) -> None:
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        access = access_of(stack)
        event = changed(access.wall.now(), actor, "revoke key", f"key {key}")
        await access.persons.revoke(key, event)
