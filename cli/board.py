"""`acquit board`: take the loans of a tape on the books."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    run_async,
    settings_for,
)
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from adapters.tapes.report.tape import TapeReport
    from cli.boarding import Boarded, Forecast
    from workers.settings import Settings

FAULTS_SHOWN = 50
_EXAMPLE = "Example: acquit board loans.csv --map examples/maps/lendingclub.toml --dry-run"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("board", epilog=_EXAMPLE)(board)


def board(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    tape: Annotated[Path, typer.Argument(help="CSV file; canonical columns: docs/tapes.md.")],
    *,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="TOML map for a tape with other columns.")
    ] = None,
    product: Annotated[
        Path | None, typer.Option("--product", help="Product file, or a folder of them.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option("--history", help="CSV of what was paid, waived and debited before as_of."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many rows only.")] = None,
    months: Annotated[
        int | None, typer.Option(min=1, help="Board the first so many installments of each loan.")
    ] = None,
    past: Annotated[
        str,
        typer.Option(
            help="Installments that fell due before today: refuse, ignore (settled elsewhere) or "
            "owed (debited at once). Loans in progress are asked for by their own rows."
        ),
    ] = "refuse",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report, and say what the first days bring.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Board the good rows although others are bad.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Board the loans of a tape: all of them or, unless --partial, none.

    Bad rows, and loans that the books refuse, are reported with line, field, value and rule before
    anything is boarded. Loans in progress bring what was paid, waived and written off before, as
    sums in their row or by installment in --history; the control row of the tape must agree. Where
    the tape states an installment it is compared with ours. Boarding the same tape again changes
    nothing. In a sandbox the mandates of the tape are signed at the simulated bank first, as the
    lender would have done. Exit code 2 when bad rows kept the tape out, 1 when not all loans are on
    the books, or when --partial boarded loans that the control row does not agree with.
    """
    from cli.boardreport import as_dict, show  # noqa: PLC0415

    settings = settings_for(ctx, home) if dry_run else books_settings(ctx, home)
    given = _Given(tape, map_file, product, history, limit, months, past)
    read = _read(settings, given)
    forecast, boarded = run_async(_go(settings, read, dry_run=dry_run, partial=partial))
    report = forecast.report
    if as_json:
        print_json(as_dict(forecast, boarded))
    else:
        show(forecast, boarded, dry_run=dry_run)
    if report.fault_count and not partial:
        note(f"{report.fault_count} bad rows, so nothing is boarded; see --partial")
        raise typer.Exit(Exit.MISTAKE)
    if boarded is not None and not all((report.controls or {}).values()):
        note("the control row does not agree with what was boarded")
        raise typer.Exit(Exit.NOT_CLEAN)
    if boarded is not None and not boarded.is_whole:
        note("not all loans are on the books; board the same tape again to complete it")
        raise typer.Exit(Exit.NOT_CLEAN)


@dataclass(frozen=True, slots=True)
class _Given:
    """What to read, and how."""

    tape: Path
    map_file: Path | None
    product: Path | None
    history: Path | None
    limit: int | None
    months: int | None
    past: str


def _read(settings: Settings, given: _Given) -> TapeReport:
    from adapters.calendars import load_calendar  # noqa: PLC0415
    from adapters.products.files import read_products  # noqa: PLC0415
    from adapters.tapes.files.mapping import CANONICAL_MAP, read_map  # noqa: PLC0415
    from adapters.tapes.report.tape import read_tape  # noqa: PLC0415
    from domain.errors import InvalidInput  # noqa: PLC0415
    from domain.loan.boarding import Past  # noqa: PLC0415
    from workers.rails import classes_of, merchants_of, rails_of  # noqa: PLC0415
    from workers.settings import read_stack  # noqa: PLC0415

    if given.past not in list(Past):
        raise InvalidInput("past", given.past, ", ".join(Past))
    rails = rails_of(settings, read_stack(settings.home))
    return read_tape(
        given.tape,
        CANONICAL_MAP if given.map_file is None else read_map(given.map_file),
        read_products(given.product or settings.products),
        load_calendar,
        limit=given.limit,
        months=given.months,
        merchants=merchants_of(rails),
        past=Past(given.past),
        history=given.history,
        class_of=classes_of(rails),
    )


async def _go(
    settings: Settings, read: TapeReport, *, dry_run: bool, partial: bool
) -> tuple[Forecast, Boarded | None]:
    """Forecast, and board unless it is a dry run or a row is bad that keeps all out."""
    from cli.boarding import board_all, forecast_by, forecast_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    if dry_run:
        return await forecast_of(settings, read), None
    async with open_stack(settings) as stack:
        forecast = await forecast_by(stack, read)
        if forecast.report.fault_count and not partial:
            return forecast, None
        return forecast, await board_all(stack, forecast.report.rows)
