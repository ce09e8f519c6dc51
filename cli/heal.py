"""`acquit heal`: one round of healing, from the books to Temporal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import HomeOption, JsonOption, books_settings, print_json, print_text, run_async
from domain.errors import Unavailable
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from activities.healing import Healed
    from workers.settings import Settings

_EXAMPLE = "Example: acquit heal, after Temporal came up with an empty database"
MOST_S = 3600


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("heal", epilog=_EXAMPLE)(heal)


def heal(
    ctx: typer.Context,
    *,
    quiet: Annotated[
        int, typer.Option(min=0, help="Wake drivers whose action was due so many seconds ago.")
    ] = 600,
    within: Annotated[
        int, typer.Option(min=1, max=MOST_S, help="Wait so many seconds for the end.")
    ] = 900,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Compare what the books want to run with what runs, and start or wake what is missing.

    Production does this every five minutes; by hand it rebuilds the workflows and schedules of a
    Temporal store that was lost. Nothing is sent or booked twice. Needs workers that run; exit code
    1 if a driver could not be woken.
    """
    done = run_async(healed(books_settings(ctx, home), quiet, within))
    facts = {
        "delivered": done.delivered,
        "looked_at": done.looked_at,
        "started": done.started,
        "woken": done.woken,
        "faults": list(done.faults),
    }
    if as_json:
        print_json(facts)
    else:
        print_text(
            f"{done.looked_at} open installments: {done.started} drivers started, "
            f"{done.woken} woken; {done.delivered} messages delivered"
        )
        for fault in done.faults:
            note(f"not healed: {fault}")
    if done.faults:
        raise typer.Exit(Exit.NOT_CLEAN)


async def healed(settings: Settings, quiet_s: int, within_s: int) -> Healed:
    """One round of healing; also what `acquit unclosed --heal` begins with.

    Raises:
        Unavailable: Temporal, or a worker, does not answer.
    """
    import asyncio  # noqa: PLC0415
    from contextlib import AsyncExitStack  # noqa: PLC0415

    from temporalio.service import RPCError  # noqa: PLC0415

    from activities.healing import HealOrder  # noqa: PLC0415
    from workers.production import is_sandbox, keep_schedules  # noqa: PLC0415
    from workers.runner import open_services  # noqa: PLC0415

    async with AsyncExitStack() as closing:
        try:
            services = await open_services(settings, closing)
            if not is_sandbox(services.stack.record):
                stack = services.stack
                accounts = stack.rules.accounts
                await keep_schedules(services.client, settings, stack.products, accounts)
            async with asyncio.timeout(within_s):
                return await services.starter.heal(settings.tenant, HealOrder(quiet_s))
        except RPCError as error:
            raise Unavailable(f"Temporal does not answer: {error}") from error
        except TimeoutError:
            text = f"healing did not end within {within_s} s: do workers run?"
            raise Unavailable(text) from None
