"""`acquit worker`: run one kind of worker until it is asked to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import HomeOption, settings_for


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("worker", epilog="Example: acquit worker workflows --processes 0")(worker)


def worker(
    ctx: typer.Context,
    role: Annotated[str, typer.Argument(help="all, workflows, books, api or debit.RAIL.")],
    *,
    processes: Annotated[
        int | None,
        typer.Option(min=0, max=256, help="0: one per core. Else ACQUIT_PROCESSES, which is 1."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Run a worker. SIGTERM or Ctrl-C lets it finish what it has begun, debits above all.

    With several processes a parent starts again those that end. Health is reported on
    ACQUIT_HEALTH_PORT, by the processes on the ports that follow it.
    """
    from cli.output import run_async  # noqa: PLC0415

    settings = settings_for(ctx, home)
    wanted = settings.processes if processes is None else processes
    if wanted == 1:
        from workers.runner import run_worker  # noqa: PLC0415

        run_async(run_worker(role, settings))
        return
    from workers.supervisor import cores, supervise  # noqa: PLC0415

    if code := run_async(supervise(role, settings, wanted or cores())):
        raise typer.Exit(code)
