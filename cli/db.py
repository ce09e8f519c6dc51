"""`acquit db`: the database of the books."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import Commands, HomeOption, books_settings, print_text, run_async, settings_for
from workers.reporting import note

if TYPE_CHECKING:
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(help="The database of the books.", no_args_is_help=True, cls=Commands)
    group.command("upgrade", epilog="Example: acquit db upgrade")(upgrade)
    group.command("prune", epilog="Example: acquit db prune --days 30")(prune)
    app.add_typer(group, name="db")


def upgrade(
    ctx: typer.Context,
    *,
    revision: Annotated[str, typer.Option(help="Revision to migrate to.")] = "head",
    grant_to: Annotated[
        str | None, typer.Option(help="PostgreSQL role of the application: may use, not rewrite.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Create or migrate the tables; all steps or none, and safe to run twice at once."""
    from adapters.sql.schema.migrate import grant  # noqa: PLC0415
    from adapters.sql.schema.migrate import upgrade as migrate  # noqa: PLC0415
    from workers.settings import read_stack  # noqa: PLC0415

    settings = settings_for(ctx, home)
    settings.home.mkdir(parents=True, exist_ok=True)
    url = settings.books_url(read_stack(settings.home))
    run_async(migrate(url, revision))
    print_text(f"the books are at revision {revision}")
    if grant_to is not None:
        run_async(grant(url, grant_to))
        print_text(f"{grant_to} may use them")


def prune(
    ctx: typer.Context,
    *,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Keep messages for so long.")] = 30,
    every_hours: Annotated[
        int, typer.Option(min=0, max=168, help="Do it again after so long; 0: once.")
    ] = 0,
    home: HomeOption = None,
) -> None:
    """Remove messages of the outbox that were delivered, or dropped, long ago.

    In production only the owner of the books may; messages that still wait and dead letters stay.
    """
    run_async(_prune(books_settings(ctx, home), timedelta(days=days), timedelta(hours=every_hours)))


async def _prune(settings: Settings, keep: timedelta, every: timedelta) -> None:
    import asyncio  # noqa: PLC0415

    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from adapters.sql.engine import books_engine  # noqa: PLC0415
    from adapters.sql.schema.pruning import prune_outbox  # noqa: PLC0415
    from workers.compose import clock_of  # noqa: PLC0415
    from workers.settings import read_stack  # noqa: PLC0415

    record = read_stack(settings.home)
    engine, clock = (
        books_engine(settings.books_url(record), pool_size=1),
        clock_of(settings, record),
    )
    try:
        while True:
            try:
                count = await prune_outbox(engine, clock.now() - keep)
                print_text(f"{count} messages removed")
            except (OSError, SQLAlchemyError) as error:
                if not every:
                    raise
                # The database may be away for a while: the next time will do.
                note(f"not pruned: {type(error).__name__}")
            if not every:
                return
            await asyncio.sleep(every.total_seconds())
    finally:
        await engine.dispose()
