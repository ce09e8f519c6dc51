"""`acquit worker`: run one kind of worker until it is told to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from workers.console import HomeOption, settings_for


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("worker", epilog="Example: acquit worker workflows")(worker)


def worker(
    ctx: typer.Context,
    role: Annotated[str, typer.Argument(help="What it does, for example: workflows, all.")],
    *,
    home: HomeOption = None,
) -> None:
    """Run a worker. SIGTERM or Ctrl-C lets it finish what it has begun, debits above all."""
    from workers.console import run_async  # noqa: PLC0415
    from workers.runner import run_worker  # noqa: PLC0415

    run_async(run_worker(role, settings_for(ctx, home)))
