"""`acquit persons`: who works here, with which roles in which portfolios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.accessparts import (
    ByOption,
    GrantsOption,
    PersonArgument,
    changed,
    grant_text,
    read_grants,
)
from cli.lists import LimitOption
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
    from domain.access.person import Grant, Person
    from ports.access import AccessEvent, NewLogin
    from ports.paging import Page
    from workers.settings import Settings

_SECRET_BYTES = 20
_ADD = "Example: acquit persons add ann --role approver@main --actor admin-1"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(
        help="Persons, their roles, and the log of access.", no_args_is_help=True, cls=Commands
    )
    group.command("add", epilog=_ADD)(add)
    group.command("list", epilog="Example: acquit persons list")(list_persons)
    group.command(
        "grant", epilog="Example: acquit persons grant ann --role viewer --actor admin-1"
    )(grant)
    group.command("disable", epilog="Example: acquit persons disable ann --actor admin-1")(disable)
    group.command("enable", epilog="Example: acquit persons enable ann --actor admin-1")(enable)
    group.command(
        "portfolio",
        epilog="Example: acquit persons portfolio cn-personal north --actor admin-1",
    )(portfolio)
    group.command("log", epilog="Example: acquit persons log")(log)
    app.add_typer(group, name="persons")


def add(
    ctx: typer.Context,
    person: PersonArgument,
    *,
    role: GrantsOption = None,
    program: Annotated[
        bool, typer.Option("--program", help="It is a program: it has keys and no login.")
    ] = False,
    actor: ByOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Add a person with its roles, and show once what it logs in with.

    A human being gets a password and the secret of its second factor: both are shown now and never
    again. A program gets keys with `acquit keys issue`.
    """
    import secrets  # noqa: PLC0415

    from domain.access.person import Person, PersonKind  # noqa: PLC0415
    from domain.access.totp import enrolment  # noqa: PLC0415
    from ports.access import NewLogin  # noqa: PLC0415

    settings = books_settings(ctx, home)
    kind = PersonKind.PROGRAM if program else PersonKind.HUMAN
    made = Person(person, kind, grants=read_grants(role or ()))
    factor = secrets.token_bytes(_SECRET_BYTES)
    login = None if program else NewLogin(secrets.token_urlsafe(15), factor)
    run_async(_add(settings, made, login, actor))
    if as_json:
        shown = {} if login is None else {
            "password": login.password, "second_factor": enrolment(factor, person)
        }  # fmt: skip
        print_json({**_row(made), **shown})
        return
    print_text(f"{person} is added: {', '.join(map(grant_text, made.grants)) or 'without roles'}")
    if login is not None:
        print_text(f"password       {login.password}")
        print_text(f"second factor  {enrolment(factor, person)}")
        note("both are shown once; the second factor goes into an authenticator program")


def list_persons(
    ctx: typer.Context,
    *,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List persons with their roles."""
    page = run_async(_list(books_settings(ctx, home), after, limit))
    rows = [_row(item) for item in page.items]
    if as_json:
        print_json({"persons": rows, "after": page.after})
        return
    names = ("person", "kind", "state", "roles")
    print_table(
        "Persons", names, [(r["person"], r["kind"], r["state"], " ".join(r["roles"])) for r in rows]
    )
    if page.after:
        note(f"there is more: go on with --after {page.after}")


def grant(
    ctx: typer.Context,
    person: PersonArgument,
    *,
    role: GrantsOption = None,
    actor: ByOption = "",
    home: HomeOption = None,
) -> None:
    """Give a person exactly these roles; without any it has none.

    Roles that may not be held together are refused.
    """
    grants = read_grants(role or ())
    shown = " ".join(map(grant_text, grants)) or "nothing"
    run_async(_change(books_settings(ctx, home), person, f"grant {shown}", actor, grants=grants))
    print_text(f"{person} has {shown}")


def disable(
    ctx: typer.Context, person: PersonArgument, *, actor: ByOption = "", home: HomeOption = None
) -> None:
    """Disable a person with all its keys, at once; what it asked for is not carried out."""
    run_async(_change(books_settings(ctx, home), person, "disable", actor, state="disabled"))
    print_text(f"{person} is disabled")


def enable(
    ctx: typer.Context, person: PersonArgument, *, actor: ByOption = "", home: HomeOption = None
) -> None:
    """Let a disabled person in again, with the roles and keys that it had."""
    run_async(_change(books_settings(ctx, home), person, "enable", actor, state="active"))
    print_text(f"{person} is active")


def portfolio(
    ctx: typer.Context,
    product: Annotated[str, typer.Argument(help="The id of a product, without its version.")],
    name: Annotated[str, typer.Argument(metavar="PORTFOLIO", help="Where its loans belong.")],
    *,
    actor: ByOption = "",
    home: HomeOption = None,
) -> None:
    """Put a product, and so all its loans, into a portfolio; in none it belongs to `main`."""
    run_async(_put(books_settings(ctx, home), product, name, actor))
    print_text(f"loans of {product} are in {name}")


def log(
    ctx: typer.Context,
    *,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List refusals, decisions and changes of rights, the oldest first."""
    from dataclasses import asdict  # noqa: PLC0415

    page = run_async(_log(books_settings(ctx, home), after, limit))
    if as_json:
        print_json({"events": [asdict(item) for item in page.items], "after": page.after})
        return
    names = ("at", "who", "door", "what", "about", "outcome", "rule")
    print_table("Access", names, [[str(getattr(e, name)) for name in names] for e in page.items])
    if page.after:
        note(f"there is more: go on with --after {page.after}")


def _row(person: Person) -> dict[str, Any]:
    return {
        "person": person.id,
        "kind": person.kind,
        "state": person.state,
        "roles": [grant_text(item) for item in person.grants],
    }


async def _add(settings: Settings, person: Person, login: NewLogin | None, actor: str) -> None:
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        access = access_of(stack)
        event = changed(access.wall.now(), actor, "add person", person.id)
        await access.persons.add(person, login, event)


async def _list(settings: Settings, after: str, limit: int) -> Page[Person]:
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await access_of(stack).persons.persons(after, limit)


async def _change(
    settings: Settings,
    person: str,
    what: str,
    actor: str,
    *,
    grants: tuple[Grant, ...] | None = None,
    state: str = "",
) -> None:
    from domain.access.person import PersonState  # noqa: PLC0415
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        access = access_of(stack)
        event = changed(access.wall.now(), actor, what, person)
        wanted = PersonState(state) if state else None
        await access.persons.change(person, event, grants=grants, state=wanted)


async def _put(settings: Settings, product: str, name: str, actor: str) -> None:
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        if product not in stack.products:
            known = ", ".join(sorted(key for key in stack.products if "@" not in key))
            raise InvalidInput("product", product, f"one of {known}")
        access = access_of(stack)
        event = changed(access.wall.now(), actor, f"portfolio {name}", f"product {product}")
        await access.portfolios.put(product, name, event)


async def _log(settings: Settings, after: str, limit: int) -> Page[AccessEvent]:
    from workers.access import access_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await access_of(stack).log.events(after, limit)
