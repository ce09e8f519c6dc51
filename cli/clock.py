"""`acquit clock`: the clock of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import instant_of
from cli.output import (
    Commands,
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_text,
    run_async,
)
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from workers.settings import Settings

MOST_DAYS = 3_660


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(help="The clock of the sandbox.", no_args_is_help=True, cls=Commands)
    group.command("show", epilog="Example: acquit clock show --json")(show)
    group.command("day", epilog="Example: acquit clock day 2")(day)
    example = "Example: acquit clock advance --days 30, or: acquit clock advance 2026-12-31"
    group.command("advance", epilog=example)(advance)
    app.add_typer(group, name="clock")


def show(ctx: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """What time it is for the stack, and what happens next in the books."""
    _print(run_async(_show(books_settings(ctx, home))), as_json=as_json)


def day(
    ctx: typer.Context,
    days: Annotated[int, typer.Argument(min=0, max=MOST_DAYS, help="So many days from now.")] = 0,
    *,
    home: HomeOption = None,
) -> None:
    """Print the day that the stack has, or will have in some days: one date, for scripts."""
    state = run_async(_show(books_settings(ctx, home)))
    print_text(f"{state['now'] + timedelta(days=days):%Y-%m-%d}")


def advance(
    ctx: typer.Context,
    to: Annotated[str, typer.Argument(help="Instant or day in ISO form (UTC unless given).")] = "",
    *,
    days: Annotated[int, typer.Option(min=0, max=MOST_DAYS, help="So many days from now.")] = 0,
    hours: Annotated[
        int, typer.Option(min=0, max=24 * MOST_DAYS, help="So many hours from now.")
    ] = 0,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Let virtual time pass in the sandbox; everything due on the way happens in order.

    Production has no such clock: there the command is refused.
    """
    settings = books_settings(ctx, home)
    if bool(to) == bool(days or hours):
        raise InvalidInput("to", to, "either an instant, or --days and --hours")
    step = timedelta(days=days, hours=hours)
    target = instant_of("to", to) if to else None
    _print(run_async(_advance(settings, target, step)), as_json=as_json)


async def _show(settings: Settings) -> dict[str, Any]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await _state(settings, stack)


async def _advance(settings: Settings, to: datetime | None, step: timedelta) -> dict[str, Any]:
    from sandbox import virtualtime as sandbox  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.settings import read_stack  # noqa: PLC0415

    record = read_stack(settings.home)
    if record is not None and record.mode != "sandbox":
        raise InvalidInput("stack", record.mode, "a sandbox; production time passes by itself")
    async with open_stack(settings) as stack:
        now = stack.clock.now()
        target = now + step if to is None else to
        if not now < target <= now + timedelta(days=MOST_DAYS):
            rule = f"after {now.isoformat()}, within ten years"
            raise InvalidInput("to", target.isoformat(), rule)
        await sandbox.advance(stack, target)
        return await _state(settings, stack)


async def _state(settings: Settings, stack: Any) -> dict[str, Any]:  # noqa: ANN401  (a stack)
    from workers.settings import read_stack  # noqa: PLC0415

    now: datetime = stack.clock.now()
    record = read_stack(settings.home)
    return {
        "now": now,
        "ahead_s": round((now - datetime.now(UTC)).total_seconds(), 1),
        "mode": None if record is None else record.mode,
        "next_instant": await stack.queries.next_instant(),
        "next_roll": await stack.queries.next_roll(),
    }


def _print(state: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(state)
        return
    print_text(f"now          {state['now']:%Y-%m-%d %H:%M:%S} UTC ({state['mode'] or 'no stack'})")
    print_text(f"next action    {state['next_instant'] or 'none'}")
    print_text(f"next day     {state['next_roll'] or 'none'}")
