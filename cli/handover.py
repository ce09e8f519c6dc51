"""`acquit handover`: states every loan as it stands, as a tape that another system can board."""

from __future__ import annotations

import os
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import HomeOption, JsonOption, books_settings, print_json, print_text, run_async
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from datetime import date

    from adapters.tapes.report.openingtotals import OpeningTotals
    from workers.settings import Settings

PROGRESS_EVERY = 5_000
_EXAMPLE = (
    "Example: acquit handover back.csv --history back_history.csv --holder acquit "
    "--evidence 'handover 1' --since 2026-04-19"
)


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("handover", epilog=_EXAMPLE)(handover)


def handover(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    tape: Annotated[Path, typer.Argument(help="CSV file to write: one row for each loan.")],
    *,
    history: Annotated[
        Path, typer.Option("--history", help="CSV file to write: schedules, and what was done.")
    ],
    holder: Annotated[
        str, typer.Option("--holder", help="Token for who holds the money that was paid so far.")
    ],
    evidence: Annotated[
        str, typer.Option("--evidence", help="What this statement is called, in 80 characters.")
    ],
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE",
            help="Write only payments and debits after this day, and debits with later news.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the files if they are there.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """State every loan as it stands, in the columns of a tape and its history.

    `acquit board TAPE --history HISTORY` takes the two files on other books; docs/migration.md says
    how to go back to a former system with them. The statement is of the end of today in the zone of
    each product, of one snapshot. Run it when nothing more will be recorded today: later news
    would be in neither system. Open cases and messages are no part of it. Nothing changes in
    these books.
    """
    from cli.inprogress import show_sums, sums_dict  # noqa: PLC0415
    from cli.options import day_of  # noqa: PLC0415
    from cli.outfile import check_output  # noqa: PLC0415
    from domain.loan.openingrules import check_head  # noqa: PLC0415
    from domain.text import plain  # noqa: PLC0415

    check_head(holder, plain(evidence, "evidence"))
    if tape.resolve() == history.resolve():
        raise InvalidInput("history", history, "another file than the tape")
    for path in (tape, history):
        check_output(path, replace=replace)
    day = None if since is None else day_of("since", since)
    settings = books_settings(ctx, home)
    terms = _Terms(tape, history, holder, evidence, day, replace=replace)
    loans, installments, sums = run_async(_write(settings, terms))
    if as_json:
        figures = [sums_dict(each) for each in sums]
        print_json({"loans": loans, "installments": installments, "totals": figures})
        return
    print_text(f"{loans} loans with {installments} installments stand in {tape} and {history}")
    for each in sums:
        show_sums(each, f"{each.loans} loans in {each.currency}")


@dataclass(frozen=True, slots=True)
class _Terms:
    """What to write, and where."""

    tape: Path
    history: Path
    holder: str
    evidence: str
    since: date | None
    replace: bool


async def _write(settings: Settings, terms: _Terms) -> tuple[int, int, tuple[OpeningTotals, ...]]:
    """Write both files; how many loans and installments stand in them, and what they come to."""
    from adapters.tapes.handover import HandoverWriter  # noqa: PLC0415
    from cli.outfile import written  # noqa: PLC0415
    from domain.calendar import local_day  # noqa: PLC0415
    from domain.kernel.command import Actor  # noqa: PLC0415
    from domain.loan.handover import handed_over, orders_with_news  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    loans = installments = 0
    by = Actor("upstream", "handover")
    async with open_stack(settings) as stack, aclosing(stack.queries.all_loans()) as all_loans:
        at = stack.clock.now()
        with (
            written(terms.tape, replace=terms.replace) as tape,
            written(terms.history, replace=terms.replace) as told,
        ):
            writer = HandoverWriter(tape, told, since=terms.since)
            async for found in all_loans:
                as_of = local_day(at, found.loan.product.timezone)
                command = handed_over(
                    found.loan, found.names, as_of, terms.holder, terms.evidence, by
                )
                since = terms.since
                writer.add(command, orders_with_news(found.loan, since) if since else ())
                loans += 1
                installments += len(command.schedule)
                if loans % PROGRESS_EVERY == 0:
                    note(f"{loans} loans are written")
            writer.close()
            # Both are whole on the disk before either has its name.
            for file in (tape, told):
                file.flush()
                os.fsync(file.fileno())
    return loans, installments, writer.sums
