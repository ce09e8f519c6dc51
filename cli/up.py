"""`acquit up`: a live local stack with the Temporal UI, until Ctrl-C."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.demo import PROFILES
from cli.options import StartOption, start_of
from cli.output import HomeOption, print_text, run_async, settings_for
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from sandbox.local import LocalOptions
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("up", epilog="Example: acquit up --profile rough")(up)


def up(
    ctx: typer.Context,
    profile: Annotated[
        str | None,
        typer.Option(help=f"The bank: {', '.join(PROFILES)}; that of the home, or calm."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=999, help="Same seed, same faults; that of the home, or 1."),
    ] = None,
    start: StartOption = None,
    rail: Annotated[
        list[str] | None,
        typer.Option(help="A rail to simulate, beside those of the home; simbank alone if none."),
    ] = None,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin with empty books.")] = False,
    home: HomeOption = None,
) -> None:
    """Run a Temporal dev server with its UI, a simulated bank and a worker until Ctrl-C.

    It goes on with what lies in the home, that of a demo too, unless --fresh. Time passes with
    `acquit clock advance`. Repeat --rail for several rails, which all settle on the one bank. What
    dies is named and started again; ten deaths in a row, a setting with which a part cannot work,
    or a full disk end the stack.
    """
    from sandbox.local import LocalOptions  # noqa: PLC0415

    if profile is not None and profile not in PROFILES:
        raise InvalidInput("profile", profile, f"one of {', '.join(PROFILES)}")
    begins = start_of(start, datetime.now(UTC))
    options = LocalOptions(
        profile=profile,
        seed=seed,
        ui=True,
        keep_state=not fresh,
        rails=tuple(rail or ()),
        start=begins,
    )
    run_async(_up(settings_for(ctx, home), options))


async def _up(settings: Settings, options: LocalOptions) -> None:
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from sandbox.local import LocalStack  # noqa: PLC0415
    from sandbox.views import for_clients, saved_views  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with LocalStack(settings, options, lambda part: note(f"starting: {part}")) as local:
        record = local.record
        if record is not None:
            print_text(f"Temporal UI     {record.temporal_ui}")
            print_text(f"namespace       {record.temporal_namespace}")
            print_text(f"Temporal        {record.temporal_address}")
            print_text(f"simulated bank  {record.simulator_url}, rails {', '.join(record.rails)}")
            print_text(f"books           {record.database_url}")
            print_text(f"API: {local.api_url}")
            for line in saved_views(record.temporal_ui, record.temporal_namespace):
                print_text(line)
            print_text(for_clients(record))
            print_text("Ctrl-C ends the stack; its state stays in the home")
        await local.keeper.alive_while(stop.wait())
