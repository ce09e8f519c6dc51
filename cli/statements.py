"""`acquit statements`: read bank statement files, hand one in, and get one that is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import (
    Commands,
    HomeOption,
    JsonOption,
    books_settings,
    print_text,
    run_async,
)
from cli.statementfiles import COLLECT_EXAMPLE, UPLOAD_EXAMPLE, collect, upload
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from workers.settings import Settings

_EXAMPLE = "Example: acquit statements read statement.xml --json"
_SAVE_EXAMPLE = "Example: acquit statements save $SHA256 --output statement.xml"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(help="Bank statement files.", no_args_is_help=True, cls=Commands)
    group.command("read", epilog=_EXAMPLE)(read)
    group.command("save", epilog=_SAVE_EXAMPLE)(save)
    group.command("upload", epilog=UPLOAD_EXAMPLE)(upload)
    group.command("collect", epilog=COLLECT_EXAMPLE)(collect)
    app.add_typer(group, name="statements")


def read(
    file: Annotated[Path, typer.Argument(help="camt.052/053/054, MT940, MT942, BAI2 or CSV.")],
    *,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="How a table (CSV) is to be read.")
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="List the entries too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read a statement file and check what must hold inside it; nothing is booked.

    The format is recognised by content. A broken or hostile file is refused with field, line and
    rule; sums that do not add up are reported and give exit code 1. JSON has every entry.
    """
    from adapters.inputfile import open_bytes  # noqa: PLC0415
    from adapters.statements.anyfile import StatementFileReader  # noqa: PLC0415
    from adapters.statements.csv_map import read_map  # noqa: PLC0415
    from adapters.statements.guarded import Limits  # noqa: PLC0415
    from cli.statement_output import fault_text, print_model, print_survey  # noqa: PLC0415

    maps = [] if map_file is None else [read_map(map_file)]
    reader, most = StatementFileReader(maps), Limits().size_bytes
    with open_bytes(file, most) as source:
        survey = reader.survey(source)
    if as_json:
        with open_bytes(file, most) as source:
            print_model(survey, reader.pages(source))
    elif lines:
        with open_bytes(file, most) as source:
            pages = reader.pages(source)
            print_survey(survey, (line for page in pages for line in (*page.lines, *page.pending)))
    else:
        print_survey(survey, None)
    for item in survey.statements:
        for fault in item.faults:
            note(fault_text(item, fault))
    if any(item.faults for item in survey.statements):
        raise typer.Exit(Exit.NOT_CLEAN)


def save(
    ctx: typer.Context,
    sha256: Annotated[str, typer.Argument(help="The hash by which the file is kept.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the output file if it is there.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Write a kept file as the bank sent it, byte for byte, to look at it or show it to the bank.

    A file appears whole. One whose content no longer has its hash is refused.
    """
    size = run_async(_save(books_settings(ctx, home), sha256, output, replace=replace))
    print_text(f"{output}: {size} bytes")


async def _save(settings: Settings, sha256: str, output: Path, *, replace: bool) -> int:
    import shutil  # noqa: PLC0415

    from cli.outfile import written_bytes  # noqa: PLC0415
    from domain.errors import InvalidInput  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        if sha256 not in await stack.archive.kept([sha256]):
            raise InvalidInput("sha256", sha256, "the hash of a kept file")
        async with stack.archive.open(sha256) as source:
            with written_bytes(output, replace=replace) as target:
                shutil.copyfileobj(source, target)
                return target.tell()
