"""`acquit doctor`: what an installation lacks, and what to do next."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import HomeOption, JsonOption, print_json, print_text, run_async, settings_for
from workers.reporting import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from workers.doctor.findings import Finding

_EXAMPLE = "Example: acquit doctor, with the environment of a worker"
MOST_S = 60


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("doctor", epilog=_EXAMPLE)(doctor)


def doctor(
    ctx: typer.Context,
    *,
    within: Annotated[
        int, typer.Option(min=1, max=MOST_S, help="Give each check so many seconds.")
    ] = 5,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Check settings, secrets, products, books, Temporal, queues and rails, and say what to do.

    It looks and changes nothing; secrets are never shown. Exit code 1 if a check failed.
    """
    from workers.doctor.findings import CheckResult  # noqa: PLC0415

    found = _found(ctx, home, within)
    failed = any(finding.result is CheckResult.FAIL for finding in found)
    if as_json:
        print_json({"healthy": not failed, "checks": [asdict(finding) for finding in found]})
    else:
        _print(found)
    if failed:
        raise typer.Exit(Exit.NOT_CLEAN)


def _found(ctx: typer.Context, home: Path | None, within: int) -> Sequence[Finding]:
    """Faulty settings are a finding like any other: there is nothing else to be asked then."""
    from adapters.refusals import SourceRefused  # noqa: PLC0415
    from workers.doctor.examination import examine  # noqa: PLC0415
    from workers.doctor.findings import fail  # noqa: PLC0415

    try:
        settings = settings_for(ctx, home)
    except SourceRefused as error:
        advice = "correct it (docs/operations.md, section 3), then ask again"
        return [fail("settings", str(fault), advice) for fault in error.faults]
    return run_async(examine(settings, within))


def _print(found: Sequence[Finding]) -> None:
    width = max(len(finding.check) for finding in found)
    for finding in found:
        print_text(f"{finding.result.upper():<5} {finding.check:<{width}}  {finding.detail}")
        if finding.advice:
            print_text(f"{'':<5} {'':<{width}}  -> {finding.advice}")
    counts = [f"{sum(it.result == result for it in found)} {result}" for result in _results()]
    print_text(", ".join(counts))


def _results() -> Sequence[str]:
    from workers.doctor.findings import CheckResult  # noqa: PLC0415

    return tuple(CheckResult)
