"""`acquit demo`: the main job on this machine, from boarding to the last proof, and its audit."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import StartOption, start_of
from cli.outfile import check_output, written
from cli.output import HomeOption, print_text, run_async, settings_for
from domain.errors import InvalidInput
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from domain.loan.boarding import BoardLoan
    from sandbox.local import LocalOptions
    from sandbox.rehearsal import Progress, Result
    from workers.settings import Settings

PROFILES = ("calm", "rough", "hostile")
LOANS_MOST = 5000
_EXAMPLE = "Example: acquit demo --loans 25 --months 12 --profile rough --seed 7"


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("demo", epilog=_EXAMPLE)(demo)


def demo(  # noqa: PLR0913, PLR0917 - as many as there are options
    ctx: typer.Context,
    loans: Annotated[int, typer.Option(min=1, max=LOANS_MOST, help="Loans to make.")] = 25,
    months: Annotated[int, typer.Option(min=1, max=60, help="Installments of each loan.")] = 12,
    tape: Annotated[Path | None, typer.Option(help="Board loans of this tape instead.")] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="How to read the tape.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LOANS_MOST, help="Rows of the tape.")] = 200,
    profile: Annotated[str, typer.Option(help=f"How the bank behaves: {', '.join(PROFILES)}.")] = (
        "rough"
    ),
    seed: Annotated[int, typer.Option(min=0, max=999, help="Same seed, same faults.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report here.")] = None,
    start: StartOption = None,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack up until Ctrl-C.")] = False,
    home: HomeOption = None,
) -> None:
    """Run loans from the first reminder to closure against a bank that misbehaves, then audit.

    Starts a Temporal dev server, a simulated bank and workers, lets virtual time pass, and compares
    the bank's own log with the books. Exit code 0 only if the audit is clean. Books stay in the
    home until the next demo, for `acquit story`, `ledger` and `audit`.
    """
    from sandbox.local import LocalOptions  # noqa: PLC0415

    if profile not in PROFILES:
        raise InvalidInput("profile", profile, f"one of {', '.join(PROFILES)}")
    settings = settings_for(ctx, home)
    now = datetime.now(UTC)
    begins = start_of(start, now)
    options = LocalOptions(profile=profile, seed=seed, ui=keep, start=begins)
    if json_file is not None:
        check_output(json_file, replace=True)
    today = (begins or now).date()
    plan = _plan(settings, loans, months, seed, tape, map_file, limit, today)
    result = run_async(_demo(settings, options, plan, json_file, keep=keep))
    if not result.report.clean:
        raise typer.Exit(Exit.NOT_CLEAN)


def _plan(
    settings: Settings,
    loans: int,
    months: int,
    seed: int,
    tape: Path | None,
    map_file: Path | None,
    limit: int,
    today: date,
) -> Sequence[BoardLoan]:
    """The loans to board; a tape with a bad row is refused as a whole."""
    from adapters.products.files import read_products  # noqa: PLC0415
    from adapters.refusals import SourceRefused  # noqa: PLC0415
    from sandbox.demoloans import made_loans, tape_loans  # noqa: PLC0415

    products = read_products(settings.products)
    if tape is None:
        return made_loans(loans, months, seed, today, products)
    report = tape_loans(
        tape,
        map_file,
        limit=limit,
        months=months,
        today=today,
        products=products,
    )
    if report.fault_count:
        faults = [InvalidInput(f"line {f.line}: {f.field}", f.value, f.rule) for f in report.faults]
        raise SourceRefused(str(tape), faults)
    if report.comparison.compared:
        agreed, compared = report.comparison.agreed, report.comparison.compared
        print_text(f"{agreed} of {compared} installments agree with the tape's within one cent")
    return tuple(report.rows)


async def _demo(
    settings: Settings,
    options: LocalOptions,
    loans: Sequence[BoardLoan],
    json_file: Path | None,
    *,
    keep: bool,
) -> Result:
    import asyncio  # noqa: PLC0415
    import signal  # noqa: PLC0415

    from cli.progress import LiveScreen, show_result  # noqa: PLC0415
    from sandbox.local import LocalStack  # noqa: PLC0415
    from sandbox.rehearsal import rehearse  # noqa: PLC0415
    from sandbox.views import for_clients  # noqa: PLC0415

    rows = sum(len(loan.schedule) for loan in loans)
    async with LocalStack(settings, options, lambda part: note(f"starting: {part}")) as local:
        with LiveScreen(len(loans), rows) as screen:

            def watch(progress: Progress) -> None:
                screen.show(progress)

            result = await local.keeper.alive_while(rehearse(settings, loans, watch))
        names = [loan.loan_id for loan in loans]
        await show_result(settings, result, local.restarts, names)
        if json_file is not None:
            # Before the wait: whoever looks at what is kept wants the figures beside it.
            text = json.dumps(result.as_dict(), indent=2) + "\n"
            with written(json_file, replace=True) as output:
                output.write(text)
        if keep:
            stop = asyncio.Event()
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            address: Any = local.record.temporal_ui if local.record else None
            if local.record:
                print_text(for_clients(local.record))
            print_text(f"Temporal UI: {address} (namespace acquit); Ctrl-C ends the stack")
            await local.keeper.alive_while(stop.wait())
    return result
