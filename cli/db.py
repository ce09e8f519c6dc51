"""`acquit db`: the database of the books."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import Commands, HomeOption, print_text, run_async, settings_for


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(help="The database of the books.", no_args_is_help=True, cls=Commands)
    group.command("upgrade", epilog="Example: acquit db upgrade")(upgrade)
    # A group with one command keeps its name on the command line.
    group.callback()(_group)
    app.add_typer(group, name="db")


def _group() -> None:
    """The database of the books."""


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
