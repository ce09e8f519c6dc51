"""`acquit kpi`: key figures of case work by team and person."""

from __future__ import annotations

import csv
import sys
from contextlib import aclosing
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import day_of
from cli.output import HomeOption, JsonOption, books_settings, print_json, print_table, run_async
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from domain.case.kpi import KpiRow
    from workers.settings import Settings

DAYS_MOST = 1_100
COLUMNS = ("team", "person", "opened", "ended", "in_time", "median_s", "p95_s")


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    example = "Example: acquit kpi --from 2026-03-01 --to 2026-03-31 --csv"
    app.command("kpi", epilog=example)(kpi)


def kpi(
    ctx: typer.Context,
    *,
    first: Annotated[str, typer.Option("--from", help="First day (UTC), YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day (UTC).")],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Count cases by team and person: opened, ended, in time, and how long they took.

    The time of a case runs from its opening to its end, without the days for which it was put
    aside; in time is what ended within the service level of its kind. Median and 95th percentile
    are of the cases that ended.
    """
    begin, end = day_of("from", first), day_of("to", last)
    if not 0 <= (end - begin).days <= DAYS_MOST:
        raise InvalidInput("to", last, f"from {first}, at most {DAYS_MOST} days later")
    if as_csv and as_json:
        raise InvalidInput("json", "", "either --csv or --json")
    start = datetime.combine(begin, time.min, UTC)
    stop = datetime.combine(end, time.min, UTC) + timedelta(days=1)
    rows = run_async(_rows(books_settings(ctx, home), start, stop))
    if as_csv:
        _write_csv(rows)
    elif as_json:
        cells = (dict(zip(COLUMNS, _cells(row), strict=True)) for row in rows)
        print_json({"from": begin, "to": end, "rows": list(cells)})
    else:
        table = [["-" if cell is None else cell for cell in _cells(row)] for row in rows]
        shown = (*COLUMNS[:2], *(f"{name}>" for name in COLUMNS[2:]))
        print_table(f"Cases from {begin} to {end}", shown, table)


def _cells(row: KpiRow) -> tuple[str | int | None, ...]:
    def seconds(span: timedelta | None) -> int | None:
        return None if span is None else span // timedelta(seconds=1)

    times = (seconds(row.median), seconds(row.p95))
    return (row.team, row.person, row.opened, row.ended, row.in_time, *times)


def _write_csv(rows: list[KpiRow]) -> None:
    """Write the rows; no name begins a formula in a spreadsheet."""
    from adapters.csvcells import cell_of  # noqa: PLC0415
    from domain.text import visible  # noqa: PLC0415

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for row in rows:
        cells = _cells(row)
        out.writerow(visible(cell_of(one)) if isinstance(one, str) else one for one in cells)


async def _rows(settings: Settings, begin: datetime, end: datetime) -> list[KpiRow]:
    from adapters.sql.read.auditing import SqlAuditing  # noqa: PLC0415
    from domain.case.kpi import KpiTally  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        tally = KpiTally(begin, end, stack.rules.case_policy)
        async with aclosing(SqlAuditing(stack.engine).cases_between(begin, end)) as found:
            async for case in found:
                tally.take(case)
        return list(tally.rows())
