"""`acquit statements`: read bank statement files, and get one that is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import (
    Commands,
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
    from domain.statement.statement import Fault
    from ports.statements import FileSurvey, StatementSummary
    from workers.settings import Settings

_EXAMPLE = "Example: acquit statements read statement.xml --json"
_SAVE_EXAMPLE = "Example: acquit statements save $SHA256 --output statement.xml"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(help="Bank statement files.", no_args_is_help=True, cls=Commands)
    group.command("read", epilog=_EXAMPLE)(read)
    group.command("save", epilog=_SAVE_EXAMPLE)(save)
    app.add_typer(group, name="statements")


def read(
    file: Annotated[Path, typer.Argument(help="A camt.053 file, version 2 to 8.")],
    *,
    lines: Annotated[bool, typer.Option("--lines", help="List the booked lines too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read a statement file and check what must hold inside it; nothing is booked.

    A broken or hostile file is refused with its field and line; sums that do not add up are
    reported and give exit code 1.
    """
    from adapters.inputfile import open_bytes  # noqa: PLC0415
    from adapters.statements.camt053 import Camt053Reader  # noqa: PLC0415
    from adapters.statements.guarded import Limits  # noqa: PLC0415

    reader, most = Camt053Reader(), Limits().size_bytes
    with open_bytes(file, most) as source:
        survey = reader.survey(source)
    booked: list[dict[str, Any]] = []
    if lines:
        with open_bytes(file, most) as source:
            booked = [_line(line) for page in reader.pages(source) for line in page.lines]
    if as_json:
        document = _as_dict(survey)
        print_json({**document, "lines": booked} if lines else document)
    else:
        _show(survey, booked)
    for item in survey.statements:
        for fault in item.faults:
            note(_fault_text(item, fault))
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


def _line(line: Any) -> dict[str, Any]:  # noqa: ANN401  (a StatementLine, as plain data)
    from dataclasses import asdict  # noqa: PLC0415

    return asdict(line)


def _as_dict(survey: FileSurvey) -> dict[str, Any]:
    return {
        "sha256": survey.sha256,
        "size_bytes": survey.size_bytes,
        "statements": [
            {
                "id": item.head.id,
                "account": item.head.account,
                "currency": item.head.currency,
                "sequence": item.head.sequence,
                "booked_on": item.head.booked_on,
                "opening": _amount(item, item.head.opening_minor),
                "closing": _amount(item, item.head.closing_minor),
                "lines": item.lines,
                "sum": _amount(item, item.sum_minor),
                "left_out": item.left_out,
                "faults": [
                    {
                        "rule": fault.rule.value,
                        "where": fault.where,
                        "stated": fault.stated,
                        "counted": fault.counted,
                    }
                    for fault in item.faults
                ],
            }
            for item in survey.statements
        ],
    }


def _amount(item: StatementSummary, minor: int | None) -> str | None:
    from domain.money import decimal_text  # noqa: PLC0415

    return None if minor is None else decimal_text(minor, item.head.currency)


def _fault_text(item: StatementSummary, fault: Fault) -> str:
    """Where and which rule, with both sides as the statement would print them: money or numbers."""
    from domain.statement.statement import FaultRule  # noqa: PLC0415

    text = f"{fault.where}: {fault.rule.value}"
    if fault.stated is None or fault.counted is None:
        return text
    sides = (fault.stated, fault.counted)
    match fault.rule:
        case FaultRule.BALANCE_DIFFERS | FaultRule.ITEMS_DIFFER | FaultRule.CHAIN_BROKEN:
            stated, counted = (_amount(item, side) for side in sides)
        case _:
            stated, counted = (str(side) for side in sides)
    return f"{text}: stated {stated}, counted {counted}"


def _show(survey: FileSurvey, booked: list[dict[str, Any]]) -> None:
    rows = [
        (
            item.head.id,
            item.head.account,
            item.head.booked_on or "",
            _amount(item, item.head.opening_minor) or "",
            _amount(item, item.sum_minor) or "",
            _amount(item, item.head.closing_minor) or "",
            item.head.currency,
            item.lines,
        )
        for item in survey.statements
    ]
    columns = ("id", "account", "day", "opening>", "lines' sum>", "closing>", "currency", "lines>")
    print_table("Statements", columns, rows)
    if booked:
        shown = [
            (line["id"], line["booked_on"], line["amount_minor"], line["currency"], line["text"])
            for line in booked
        ]
        print_table("Booked lines", ("id", "day", "minor>", "currency", "text"), shown)
    print_text(f"sha256 {survey.sha256}, {survey.size_bytes} bytes")
