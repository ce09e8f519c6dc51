"""`acquit release`: roll out a new build while installments are open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import (
    Commands,
    HomeOption,
    JsonOption,
    print_json,
    print_table,
    print_text,
    run_async,
    settings_for,
)
from domain.errors import Unavailable
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from adapters.temporal.releases import Build, Replayed
    from workers.settings import Settings

HISTORIES_MOST = 100_000


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(
        help="Builds and the installments that stay on them.", no_args_is_help=True, cls=Commands
    )
    group.command("check", epilog="Example: acquit release check --most 2000")(check)
    group.command("current", epilog="Example: acquit release current 2026.11.2")(current)
    group.command("show", epilog="Example: acquit release show --json")(show)
    app.add_typer(group, name="release")


def check(
    ctx: typer.Context,
    *,
    most: Annotated[
        int, typer.Option(min=1, max=HISTORIES_MOST, help="Replay so many, newest first.")
    ] = 1000,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Replay open histories with this code; exit code 1 if one does not fit. Changes nothing."""
    done = run_async(_check(settings_for(ctx, home), most))
    if as_json:
        print_json({"histories": done.histories, "faults": list(done.faults)})
    else:
        print_text(f"{done.histories} open histories replayed, {len(done.faults)} do not fit")
        for fault in done.faults:
            note(fault)
    if done.faults:
        raise typer.Exit(Exit.NOT_CLEAN)


def current(
    ctx: typer.Context,
    build: Annotated[str, typer.Argument(help="ACQUIT_BUILD_ID of workers that run already.")],
    *,
    home: HomeOption = None,
) -> None:
    """Give new installments to a build; open ones end on the build that began them."""
    run_async(_current(settings_for(ctx, home), build))
    print_text(f"{build} is current; stop an older build once `acquit release show` says drained")


def show(ctx: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """List builds: current, draining (installments are open on it), drained or idle."""
    found = run_async(_show(settings_for(ctx, home)))
    if as_json:
        print_json([{"build": item.build_id, "state": item.state} for item in found])
    else:
        print_table("Builds", ("build", "state"), [(item.build_id, item.state) for item in found])


async def _check(settings: Settings, most: int) -> Replayed:
    from adapters.temporal.releases import replay_open  # noqa: PLC0415
    from workers.production import client_for  # noqa: PLC0415

    return await replay_open(await client_for(settings), most)


async def _current(settings: Settings, build: str) -> None:
    from temporalio.service import RPCError  # noqa: PLC0415

    from adapters.temporal.releases import make_current  # noqa: PLC0415
    from workers.production import client_for  # noqa: PLC0415

    client = await client_for(settings)
    try:
        await make_current(client, build)
    except RPCError as error:
        raise Unavailable(f"{build} cannot become current: {error}") from error


async def _show(settings: Settings) -> tuple[Build, ...]:
    from adapters.temporal.releases import builds  # noqa: PLC0415
    from workers.production import client_for  # noqa: PLC0415

    return await builds(await client_for(settings))
