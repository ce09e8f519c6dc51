"""`acquit audit`: the books by themselves; in a sandbox also against the bank's own log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
from workers.reporting import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.audit import AuditReport
    from workers.settings import Settings

_EXAMPLE = "Example: acquit audit --json"
FINDINGS_SHOWN = 100


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("audit", epilog=_EXAMPLE)(run)


def run(
    ctx: typer.Context,
    *,
    against_bank: Annotated[
        bool,
        typer.Option(
            "--against-bank", help="In a sandbox: compare with the simulated bank's log as well."
        ),
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Judge the books by everything that must always hold of them; exit code 1 if not clean.

    Double debits, gates passed too early, balances item by item, statements, moves, attempts, what
    is paid and not closed, and the hash chain. No bank is asked: any books can be audited, and
    nothing is changed.
    """
    report = run_async(_audit(books_settings(ctx, home), against_bank=against_bank))
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    if not report.clean:
        raise typer.Exit(Exit.NOT_CLEAN)


async def _audit(settings: Settings, *, against_bank: bool) -> AuditReport:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        if not against_bank:
            return await stack.auditor.audit()
        from sandbox.auditing import audit_stack  # noqa: PLC0415

        books = (stack.auditor, stack.queries, stack.clock)
        return await audit_stack(*books, stack.registry, settings.home)


def show(report: AuditReport) -> None:
    """Print a report as tables."""
    facts: Mapping[str, Any] = report.as_dict()
    skipped = {
        "installments",
        "attempts",
        "open_cases",
        "suspense",
        "ledger",
        "found",
        "findings",
        "clean",
    }
    print_table(
        "Audit",
        ("what", "count>"),
        [(name.replace("_", " "), value) for name, value in facts.items() if name not in skipped],
    )
    print_table("Installments", ("state", "count>"), list(report.installments.items()))
    print_table("Attempts", ("outcome", "count>"), list(report.attempts.items()))
    chain = "intact" if report.chain_ok else "broken"
    balance = "balanced" if report.balanced else "not balanced"
    counts = f"{report.chain.entries} entries, {report.chain.postings} postings"
    print_text(f"ledger: {counts}, {balance}, chain {chain}, head {report.chain.head}")
    if report.findings:
        rows = [
            (f.kind.value, f.subject, f.text, f.minor, f.currency)
            for f in report.findings[:FINDINGS_SHOWN]
        ]
        title = f"Findings: {len(rows)} of {report.found.found}"
        print_table(title, ("kind", "about", "what", "minor>", "currency"), rows)
    for line in _waiting(facts):
        print_text(line)
    print_text("clean" if report.clean else f"NOT CLEAN: {report.found.found} findings")


def _waiting(facts: Mapping[str, Any]) -> Iterator[str]:
    """What is known and waits for a person; no finding, and nothing to pass over in silence."""
    amounts = ", ".join(f"{amount} {currency}" for currency, amount in facts["suspense"].items())
    yield f"waiting in suspense: {amounts or 'nothing'}"
    kinds = ", ".join(f"{kind} {count}" for kind, count in facts["open_cases"].items())
    yield f"open cases: {kinds or 'none'}" + (" (acquit cases)" if kinds else "")
