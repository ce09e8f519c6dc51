"""`acquit conformance`: what installments did, against the steps that their products expect."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
)
from domain.errors import InvalidInput
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from domain.audit.conformance import Deviation
    from workers.settings import Settings

SHOWN = 1_000


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("conformance", epilog="Example: acquit conformance --all --json")(conformance)


def conformance(
    ctx: typer.Context,
    loan: Annotated[str, typer.Argument(metavar="[LOAN]", help="One loan.")] = "",
    *,
    every: Annotated[bool, typer.Option("--all", help="All loans instead of one.")] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Compare each installment with its product's steps; exit code 1 if anything deviates.

    Reminders, falling due, debits and the moves to its closing: what is missing, out of order, too
    early, too late or too often is named with the rule. What a person ordered otherwise counts for
    no deviation. The first thousand are listed, all are counted.
    """
    if bool(loan) == every:
        raise InvalidInput("loan", loan, "one loan, or --all")
    found = run_async(_judged(books_settings(ctx, home), loan or None))
    if as_json:
        print_json(
            {
                "installments": found.installments,
                "deviations": sum(found.counts.values()),
                "counts": [
                    {"step": step, "kind": kind, "rule": rule, "count": count}
                    for (step, kind, rule), count in sorted(found.counts.items())
                ],
                "listed": [
                    {
                        "installment": one.subject,
                        "step": one.step,
                        "kind": one.kind.value,
                        "rule": one.rule,
                        "text": one.text,
                    }
                    for one in found.listed
                ],
            }
        )
    else:
        rows = [(one.subject, one.step, one.kind.value, one.rule, one.text) for one in found.listed]
        if rows:
            print_table("Deviations", ("installment", "step", "kind", "rule", "found"), rows)
        print_text(f"{found.installments} installments, {found.counts.total()} deviations")
    if found.counts.total() > len(found.listed):
        note(f"only {len(found.listed)} of {found.counts.total()} are listed")
    if found.counts:
        raise typer.Exit(Exit.NOT_CLEAN)


@dataclass(slots=True)
class _Found:
    installments: int = 0
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    listed: list[Deviation] = field(default_factory=list)


async def _judged(settings: Settings, loan: str | None) -> _Found:
    from adapters.sql.read.conformance import SqlConformance  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    found = _Found()
    async with open_stack(settings) as stack:
        reader = SqlConformance(stack.engine, stack.clock, stack.rules)
        async with aclosing(reader.judged(loan)) as pages:
            async for page in pages:
                found.installments += page.installments
                for one in page.deviations:
                    found.counts[one.step, one.kind.value, one.rule] += 1
                    if len(found.listed) < SHOWN:
                        found.listed.append(one)
    return found
