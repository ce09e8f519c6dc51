"""`acquit api`: serve the API and the webhooks of rails."""

from __future__ import annotations

import typer

from cli.output import HomeOption, settings_for


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("api", epilog="Example: acquit api")(api)


def api(ctx: typer.Context, *, home: HomeOption = None) -> None:
    """Serve the API until SIGTERM or Ctrl-C, at ACQUIT_API_HOST and ACQUIT_API_PORT.

    The same as `acquit worker api`. A proxy with TLS stands in front of it.
    """
    from cli.output import run_async  # noqa: PLC0415
    from workers.runner import run_worker  # noqa: PLC0415

    run_async(run_worker("api", settings_for(ctx, home)))
