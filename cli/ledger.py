"""`acquit ledger`: verify the journal, export it, show balances and what they are for."""

from __future__ import annotations

import sys
from contextlib import aclosing, nullcontext
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import checkpoints, proofs
from cli.options import AfterOption, ShownOption
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
from ports.paging import walk
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ports.ledgerqueries import AccountItem, Balance, ChainReport
    from ports.paging import Page
    from workers.settings import Settings


SHOWN = 1_000
"""Lines that are shown unless more are asked for."""


class Format(StrEnum):
    """Formats of an export."""

    HLEDGER = "hledger"
    CSV = "csv"
    BALANCES = "balances"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(
        help="The ledger: verify, export, balances, items, checkpoints and proofs.",
        no_args_is_help=True,
        cls=Commands,
    )
    group.command("verify", epilog="Example: acquit ledger verify --against march.checkpoint")(
        verify
    )
    example = "Example: acquit ledger export --format hledger | hledger -f - balance"
    group.command("export", epilog=example)(export)
    group.command("balances", epilog="Example: acquit ledger balances clearing/")(balances)
    group.command("items", epilog="Example: acquit ledger items payable/funder-1")(items)
    checkpoints.register(group)
    proofs.register(group)
    app.add_typer(group, name="ledger")


def verify(
    ctx: typer.Context,
    *,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="File of an older checkpoint; may be given several times."),
    ] = None,
    public_key: proofs.PublicKeyOption = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Recompute the journal and what is kept beside it; exit code 1 if anything differs.

    Every hash, number and sum of the journal; every balance, installment, attempt, payment and bank
    line against the postings and moves that it stands on; every kept file against the hash that is
    its name; every kept checkpoint, and those of --against, against the items that they cover. Each
    fault names what differs. Signatures of checkpoints from outside are verified with --public-key
    only.
    """
    known = proofs.known_heads(against or [], public_key)
    report = run_async(_verify(books_settings(ctx, home), known))
    if as_json:
        print_json(
            {
                "items": report.items,
                "commands": report.commands,
                "entries": report.entries,
                "postings": report.postings,
                "transitions": report.transitions,
                "kept": report.kept,
                "head": report.head,
                "root": report.root,
                "checkpoints": report.checkpoints,
                "against": [
                    {
                        "checkpoint": one.known.source,
                        "size": one.known.size,
                        "agrees": one.known.source not in report.disagreed,
                        "signed_by": one.signed_by,
                    }
                    for one in known
                ],
                "faults": list(report.faults),
                "chain_ok": not report.faults,
            }
        )
    else:
        counts = f"{report.commands} commands, {report.entries} entries, {report.postings} postings"
        print_text(f"{counts}, {report.transitions} transitions; head {report.head}")
        print_text(f"{report.kept} rows and files kept beside the journal were compared")
        for one in known:
            agrees = one.known.source not in report.disagreed
            said = (
                "covers what is in the books" if agrees else "does not cover what is in the books"
            )
            print_text(f"{one.known.source} {said}; signature {one.signed_by or 'not verified'}")
        print_text("the books are intact" if not report.faults else "the books are not intact")
    for fault in report.faults:
        note(fault)
    if report.faults:
        raise typer.Exit(Exit.NOT_CLEAN)


def export(
    ctx: typer.Context,
    *,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.HLEDGER,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; standard output unless given.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the output file if it is there.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write the journal for other programs: hledger, CSV, or balances only.

    A file appears whole, once everything is written. One that is there is refused, unless
    --replace. Nothing is verified on the way; `acquit ledger verify` does that, and an hledger file
    names the chain head that was kept when the export began.
    """
    settings = books_settings(ctx, home)
    if form is Format.BALANCES:
        _print_balances(run_async(_all_balances(settings)), as_json=as_json)
        return
    run_async(_export(settings, form, output, replace=replace))


def balances(
    ctx: typer.Context,
    prefix: Annotated[str, typer.Argument(help="Accounts that begin so.")] = "",
    *,
    after: AfterOption = "",
    limit: ShownOption = SHOWN,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Balances of accounts: debit positive, credit negative."""
    page = run_async(_balances(books_settings(ctx, home), prefix, after, limit))
    _print_balances(page.items, as_json=as_json)
    _say_if_cut(page)


def items(
    ctx: typer.Context,
    account: Annotated[str, typer.Argument(help="The account, by its whole name.")],
    *,
    after: AfterOption = "",
    limit: ShownOption = SHOWN,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """What the balance of an account is for, item by item: debit positive, credit negative.

    An item is a loan's installment and component, a party, a payment; where the account holds
    money, also the place where the money lies.
    """
    from domain.money import decimal_text  # noqa: PLC0415

    page = run_async(_items(books_settings(ctx, home), account, after, limit))
    rows: list[dict[str, Any]] = [
        asdict(item) | {"amount": decimal_text(item.minor, item.currency)} for item in page.items
    ]
    if as_json:
        print_json(rows)
    else:
        shown = ("loan", "number", "component", "party", "payment", "place", "amount", "currency")
        columns = tuple("amount>" if name == "amount" else name for name in shown)
        table = [tuple("" if row[name] is None else row[name] for name in shown) for row in rows]
        print_table(f"Items of {account}", columns, table)
    _say_if_cut(page)


def _say_if_cut(page: Page[Any]) -> None:
    if page.after:
        note(f"only {len(page.items)} are shown; go on with --after {page.after}")


async def _verify(settings: Settings, known: Sequence[proofs.Known]) -> ChainReport:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        if known:
            from adapters.sql.schema.rights import books_id  # noqa: PLC0415

            proofs.must_be_of(known, await books_id(stack.engine))
        report: ChainReport = await stack.queries.verify([one.known for one in known])
        return report


async def _balances(settings: Settings, prefix: str, after: str, limit: int) -> Page[Balance]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found: Page[Balance] = await stack.queries.balances(prefix, after, limit)
        return found


async def _all_balances(settings: Settings) -> tuple[Balance, ...]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        every = walk(lambda after: stack.queries.balances("", after))
        return tuple([balance async for balance in every])


async def _items(settings: Settings, account: str, after: str, limit: int) -> Page[AccountItem]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found: Page[AccountItem] = await stack.queries.items(account, after, limit)
        return found


async def _export(settings: Settings, form: Format, output: Path | None, *, replace: bool) -> None:
    from adapters.exports.csvfile import journal_csv  # noqa: PLC0415
    from adapters.exports.hledger import hledger  # noqa: PLC0415
    from cli.outfile import written  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack, aclosing(stack.queries.journal()) as journal:
        if form is Format.HLEDGER:
            pieces = hledger(journal, await stack.queries.head())
        else:
            pieces = journal_csv(journal)
        target = nullcontext(sys.stdout) if output is None else written(output, replace=replace)
        with target as to:
            # Closed in this order where the reader of a pipe goes away.
            async with aclosing(pieces):
                async for piece in pieces:
                    to.write(piece)


def _print_balances(found: tuple[Balance, ...], *, as_json: bool) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

    rows: list[dict[str, Any]] = [
        {
            "account": item.account,
            "currency": item.currency,
            "minor": item.minor,
            "amount": decimal_text(item.minor, item.currency),
        }
        for item in found
    ]
    if as_json:
        print_json(rows)
        return
    columns = ("account", "balance>", "currency")
    print_table("Balances", columns, [(r["account"], r["amount"], r["currency"]) for r in rows])
