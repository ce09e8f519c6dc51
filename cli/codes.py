"""`acquit codes`: what a return code of a rail means, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from domain.debit.codes import CodeRow, CodeTable, RetryLimit

_EXAMPLE = "Example: acquit codes unionpay 61 --product pos --json"


def register(app: typer.Typer) -> None:
    """Add `codes` to `app`."""
    app.command("codes", epilog=_EXAMPLE)(codes)


def codes(
    *,
    rail: Annotated[
        str, typer.Argument(help="ach, sepa, bacs, unionpay, ... or the name of a rail of yours.")
    ],
    code: Annotated[str, typer.Argument(help="As the rail writes it; all codes if absent.")] = "",
    product: Annotated[
        str, typer.Option(help="The list to look in; the rail's ordinary lists if absent.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Tell what a rail's code means: class, whether a machine may try again, what to say.

    A code that no list holds is UNKNOWN_CODE: it is asked about again and is never a failure.
    """
    from adapters.rails.codes import limits_of, load_codes  # noqa: PLC0415  (reads data files)

    rail = _kind_of(rail)
    table = load_codes(rail, product or None)
    if code:
        row = _found(table, code)
        answer = facts(row, code, limits_of(rail, row.product))
        if as_json:
            print_json(answer)
        else:
            print_table(f"{rail} {code}", ["", ""], [(k, _shown(v)) for k, v in answer.items()])
        return
    rows = list(table.rows.values())
    if as_json:
        print_json([facts(row, row.code, limits_of(rail, row.product)) for row in rows])
        return
    print_table(
        f"{rail}: {len(rows)} codes",
        ["product", "code", "class", "again", "text"],
        [
            (r.product, r.code, r.outcome_class, "yes" if r.machine_retry else "no", r.text)
            for r in rows
        ],
    )


def _kind_of(rail: str) -> str:
    """The name of the list of codes that a rail of this installation has, else the word itself."""
    from adapters.rails.codes import rails  # noqa: PLC0415
    from workers.rails import rails_of  # noqa: PLC0415
    from workers.settings import load_settings, read_stack  # noqa: PLC0415

    if rail in rails():
        return rail
    settings = load_settings()
    entry = rails_of(settings, read_stack(settings.home)).get(rail)
    return rail if entry is None else entry.of_kind.returns.rail


def facts(row: CodeRow, code: str, limits: tuple[RetryLimit, ...]) -> dict[str, object]:
    """A row as the command prints it; `code` is the one that was asked about."""
    covering = [limit for limit in limits if limit.covers(code)]
    return {
        "rail": row.rail,
        "product": row.product,
        "code": row.code or code,
        "text": row.text,
        "text_en": row.text_en,
        "class": row.outcome_class,
        "machine_retry": row.machine_retry,
        "retry_limit": row.retry_limit,
        "retry_within_days": row.retry_within_days,
        "wait_hours": row.wait_hours,
        "rules": [limit.id for limit in covering] if row.machine_retry else [],
        "finality": row.finality,
        "action": row.action,
        "borrower_text": {"zh-CN": row.borrower.zh, "en": row.borrower.en},
        "borrower_can_do": {"zh-CN": row.can_do.zh, "en": row.can_do.en},
        "source": row.source,
    }


def _found(table: CodeTable, code: str) -> CodeRow:
    """The row of a code as written, else in capitals: people type r01."""
    return table.rows.get(code) or table.lookup(code.upper())


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case dict():
            return " / ".join(str(item) for item in value.values())
        case list():
            return ", ".join(str(item) for item in value) or "-"
        case _:
            return str(value)
