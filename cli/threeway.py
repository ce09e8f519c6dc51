"""`acquit threeway`: rail report, bank lines and ledger of a day, item by item."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import day_of
from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
)
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from datetime import date

    from domain.audit.threeway import Difference, ThreeWay
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    example = "Example: acquit threeway --date 2026-03-10 --report simbank.csv"
    app.command("threeway", epilog=example)(threeway)


def threeway(
    ctx: typer.Context,
    *,
    day: Annotated[str, typer.Option("--date", help="Value day; yesterday (UTC) if absent.")] = "",
    report: Annotated[
        Path | None, typer.Option(help="CSV of the rails: what was taken for which order.")
    ] = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Match what rails say was taken with the ledger and the bank's lines; exit code 1 if not.

    Payments of one value day, by rail and currency: number and amount of each side, and every item
    whose sides differ, with the cause and what explains it: an open case, or the time of
    settlement. Exit code 1 if anything is unexplained. Without a report a sandbox asks its
    simulated rails; elsewhere ledger and bank are matched alone.
    """
    wanted = day_of("date", day) if day else None
    found = run_async(_match(books_settings(ctx, home), wanted, report))
    if as_json:
        print_json(found.facts() | {"digest": found.digest()})
    else:
        _show(found)
    listed, total = len(found.differences), found.counts.total()
    if listed < total:
        note(f"only {listed} of {total} differences are listed")
    if found.unexplained:
        raise typer.Exit(Exit.NOT_CLEAN)


def _show(found: ThreeWay) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

    rows: list[tuple[Any, ...]] = []
    for (rail, currency), one in sorted(found.totals.items()):
        sides = ((one.rail, one.rail_minor), (one.ledger, one.ledger_minor))
        cells = [f"{n}: {decimal_text(minor, currency)}" for n, minor in sides]
        if rail not in found.reporting:
            cells[0] = "no report"
        rows.append(
            (rail, currency, *cells, f"{one.bank}: {decimal_text(one.bank_minor, currency)}")
        )
    columns = ("rail", "currency", "rail says>", "ledger>", "bank lines>")
    print_table(f"Payments of {found.day}", columns, rows)
    if found.differences:
        shown = ("cause", "rail", "item", "rail says>", "ledger>", "bank>", "explained by")
        print_table("Differences", shown, [_row(one) for one in found.differences])
    print_text(f"{found.counts.total()} differences, {found.unexplained} unexplained")


def _row(one: Difference) -> tuple[str, ...]:
    from domain.money import decimal_text  # noqa: PLC0415

    sides = (one.rail_minor, one.ledger_minor, one.bank_minor)
    amounts = ("-" if minor is None else decimal_text(minor, one.currency) for minor in sides)
    return (one.cause.value, one.rail, one.item, *amounts, one.explained or "NOTHING")


async def _match(settings: Settings, day: date | None, report: Path | None) -> ThreeWay:
    from adapters.railreports import read_report  # noqa: PLC0415
    from adapters.sql.read.threeway import SqlThreeWay  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.production import is_sandbox  # noqa: PLC0415

    async with open_stack(settings) as stack:
        on = day or stack.clock.now().astimezone(UTC).date() - timedelta(days=1)
        if report is not None:
            reported, reporting = read_report(report, on)
        elif is_sandbox(stack.record):
            from sandbox.railreports import reported_by  # noqa: PLC0415

            reported, reporting = await reported_by(stack.registry, settings.home, on)
        else:
            reported, reporting = {}, frozenset()
        return await SqlThreeWay(stack.engine, stack.clock).match(on, reported, reporting)
