"""`acquit board`: take the loans of a tape on the books."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
    settings_for,
)
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.tapes.report.firstdays import FirstDay
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
            "owed (debited at once)."
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
    the books.
    """
    settings = settings_for(ctx, home) if dry_run else books_settings(ctx, home)
    given = _Given(tape, map_file, product, history, limit, months, past)
    read = _read(settings, given)
    forecast, boarded = run_async(_go(settings, read, dry_run=dry_run, partial=partial))
    report = forecast.report
    if as_json:
        print_json(_as_dict(forecast, boarded))
    else:
        _show(forecast, boarded, dry_run=dry_run)
    if report.fault_count and not partial:
        note(f"{report.fault_count} bad rows, so nothing is boarded; see --partial")
        raise typer.Exit(Exit.MISTAKE)
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


def _as_dict(forecast: Forecast, boarded: Boarded | None) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    from cli.inprogress import in_progress_dict  # noqa: PLC0415

    report = forecast.report
    comparison = report.comparison
    return {
        "loans": len(report.rows),
        "installments": report.rows.installments,
        "unconfirmed_due_dates": report.unconfirmed,
        "fault_count": report.fault_count,
        "faults": [
            {
                "file": item.file,
                "line": item.line,
                "field": item.field,
                "value": item.value,
                "rule": item.rule,
            }
            for item in report.faults
        ],
        "comparison": {
            "compared": comparison.compared,
            "agreed": comparison.agreed,
            "exceptions": [
                {
                    "line": item.line,
                    "loan_id": item.loan_id,
                    "stated_minor": item.stated_minor,
                    "computed_minor": item.computed_minor,
                    "currency": item.currency,
                }
                for item in comparison.exceptions
            ],
        },
        "in_progress": in_progress_dict(forecast),
        "first_days_of_loans": len(forecast.new),
        "first_days": [
            {
                "day": day.day.isoformat(),
                "reminders": day.reminders,
                "debits": day.debits,
                "debited": _sums(day.debited),
                "penalties": _sums(day.penalties),
            }
            for day in forecast.days
        ],
        "result": None if boarded is None else asdict(boarded),
    }


def _sums(minor: Mapping[str, int]) -> dict[str, str]:
    from domain.money import decimal_text  # noqa: PLC0415

    return {currency: decimal_text(minor[currency], currency) for currency in sorted(minor)}


def _sums_text(minor: Mapping[str, int]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in _sums(minor).items())


def _show_first_days(days: Sequence[FirstDay]) -> None:
    """What boarding would set going, if every reminder arrives and every debit succeeds."""
    from adapters.tapes.report.firstdays import DAYS  # noqa: PLC0415

    if not days:
        print_text(f"Nothing is sent or debited in the first {DAYS} days")
        return
    rows = [
        (
            day.day.isoformat(),
            day.reminders,
            day.debits,
            _sums_text(day.debited),
            _sums_text(day.penalties),
        )
        for day in days
    ]
    columns = ("day", "reminders>", "debits>", "debited>", "penalty charged>")
    print_table(f"The first {DAYS} days of the new loans", columns, rows)


def _show(forecast: Forecast, boarded: Boarded | None, *, dry_run: bool) -> None:
    from cli.inprogress import show_in_progress  # noqa: PLC0415
    from domain.money import decimal_text  # noqa: PLC0415

    report = forecast.report
    for item in report.faults[:FAULTS_SHOWN]:
        note(str(item))
    if report.fault_count > FAULTS_SHOWN:
        note(f"and {report.fault_count - FAULTS_SHOWN} bad rows more; see --json")
    comparison = report.comparison
    if comparison.exceptions:
        differing = [
            (
                item.line,
                item.loan_id,
                decimal_text(item.stated_minor, item.currency),
                decimal_text(item.computed_minor, item.currency),
                item.currency,
            )
            for item in comparison.exceptions
        ]
        title = f"Installments that differ: {len(differing)} of {comparison.differ}"
        print_table(title, ("line>", "loan", "tape>", "ours>", "currency"), differing)
    print_text(f"{len(report.rows)} good loans with {report.rows.installments} installments")
    show_in_progress(forecast)
    if comparison.compared:
        text = f"{comparison.agreed} of {comparison.compared} agree with the tape's installment"
        print_text(f"{text} within one minor unit")
    if report.unconfirmed:
        print_text(f"{report.unconfirmed} due dates lie beyond what their calendar confirms")
    if dry_run:
        _show_first_days(forecast.days)
    if boarded is not None:
        print_text(f"{boarded.boarded} loans boarded, {boarded.known} known already")
        for left_out in (*boarded.refused, *boarded.failed):
            why = left_out.get("reason") or left_out.get("error")
            note(f"{left_out['loan_id']}: not boarded: {why}")
