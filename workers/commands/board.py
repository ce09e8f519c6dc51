"""`acquit board`: take the loans of a tape on the books."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.console import (
    Exit,
    HomeOption,
    JsonOption,
    books_settings,
    note,
    print_json,
    print_table,
    print_text,
    run_async,
    settings_for,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.tapes.report import TapeReport
    from domain.loan.commands import BoardLoan
    from workers.settings import Settings

BATCH = 100
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
    limit: Annotated[int | None, typer.Option(min=1, help="Read so many rows only.")] = None,
    months: Annotated[
        int | None, typer.Option(min=1, help="Board the first so many installments of each loan.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and report only.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Board the good rows although others are bad.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Board the loans of a tape: all of them or, unless --partial, none.

    Bad rows are reported with line, field, value and rule. Where the tape states an installment it
    is compared with ours. Boarding the same tape again changes nothing. In a sandbox the mandates
    of the tape are signed at the simulated bank first, as the lender would have done.
    """
    settings = settings_for(ctx, home) if dry_run else books_settings(ctx, home)
    report = _read(settings, tape, map_file, product, limit, months)
    refused = report.fault_count > 0 and not partial
    boarded: dict[str, Any] | None = None
    if not dry_run and not refused:
        boarded = run_async(_board(settings, report.rows))
    if as_json:
        print_json(_as_dict(report, boarded))
    else:
        _show(report, boarded)
    if refused:
        note(f"{report.fault_count} bad rows, so nothing is boarded; see --partial")
        raise typer.Exit(Exit.MISTAKE)
    if boarded is not None and (boarded["refused"] or boarded["failed"]):
        raise typer.Exit(Exit.NOT_CLEAN)


def _read(
    settings: Settings,
    tape: Path,
    map_file: Path | None,
    product: Path | None,
    limit: int | None,
    months: int | None,
) -> TapeReport:
    from adapters.calendars import load_calendar  # noqa: PLC0415
    from adapters.products.files import read_products  # noqa: PLC0415
    from adapters.tapes.mapping import CANONICAL_MAP, read_map  # noqa: PLC0415
    from adapters.tapes.report import read_tape  # noqa: PLC0415

    return read_tape(
        tape,
        CANONICAL_MAP if map_file is None else read_map(map_file),
        read_products(product or settings.products),
        load_calendar,
        limit=limit,
        months=months,
        merchant_id=settings.merchant_id,
    )


async def _board(settings: Settings, commands: Sequence[BoardLoan]) -> dict[str, Any]:
    """Hand the commands to the books in bounded batches; counts, and what was not taken."""
    from domain.loan.change import Applied, Refused  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.mandates import sign_mandates  # noqa: PLC0415

    done: dict[str, Any] = {"boarded": 0, "known": 0, "refused": [], "failed": []}
    async with open_stack(settings) as stack:
        if stack.record is not None and stack.record.mode == "sandbox":
            await sign_mandates(stack.rails, commands)
        for start in range(0, len(commands), BATCH):
            batch = commands[start : start + BATCH]
            for command, answer in zip(batch, await stack.books.apply_many(batch), strict=True):
                match answer:
                    case Applied(replayed=replayed):
                        done["known" if replayed else "boarded"] += 1
                    case Refused(rule=rule, reason=reason):
                        item = {"loan_id": command.loan_id, "rule": rule, "reason": reason}
                        done["refused"].append(item)
                    case error:
                        item = {"loan_id": command.loan_id, "error": str(error)}
                        done["failed"].append(item)
    return done


def _as_dict(report: TapeReport, boarded: dict[str, Any] | None) -> dict[str, Any]:
    comparison = report.comparison
    return {
        "loans": len(report.rows),
        "installments": report.installments,
        "unconfirmed_due_dates": report.unconfirmed,
        "fault_count": report.fault_count,
        "faults": [
            {"line": item.line, "field": item.field, "value": item.value, "rule": item.rule}
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
        "result": boarded,
    }


def _show(report: TapeReport, boarded: dict[str, Any] | None) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

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
    print_text(f"{len(report.rows)} loans with {report.installments} installments read")
    if comparison.compared:
        text = f"{comparison.agreed} of {comparison.compared} agree with the tape's installment"
        print_text(f"{text} within one minor unit")
    if report.unconfirmed:
        print_text(f"{report.unconfirmed} due dates lie beyond what their calendar confirms")
    if boarded is not None:
        print_text(f"{boarded['boarded']} loans boarded, {boarded['known']} known already")
        for item in (*boarded["refused"], *boarded["failed"]):
            why = item.get("reason") or item.get("error")
            note(f"{item['loan_id']}: not boarded: {why}")
