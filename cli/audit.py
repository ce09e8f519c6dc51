"""`acquit audit`: the bank's own log against the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def run(ctx: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None) -> None:
    """Compare the simulated bank's log of what it did with the books; exit code 1 if not clean.

    Double debits, lost payments, closed and not paid, paid and not closed, unexplained money,
    contact rules, attempts, balances item by item, and the hash chain.
    """
    report = run_async(_audit(books_settings(ctx, home)))
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)
    if not report.clean:
        raise typer.Exit(Exit.NOT_CLEAN)


async def _audit(settings: Settings) -> AuditReport:
    from sandbox.auditing import audit_stack  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await audit_stack(stack.queries, stack.clock, stack.registry, settings.home)


def show(report: AuditReport) -> None:
    """Print a report as tables."""
    facts: Mapping[str, Any] = report.as_dict()
    skipped = {
        "installments",
        "attempts",
        "open_cases",
        "suspense",
        "ledger",
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
        title = f"Findings: {len(rows)} of {len(report.findings)}"
        print_table(title, ("kind", "about", "what", "minor>", "currency"), rows)
    for line in _waiting(facts):
        print_text(line)
    print_text("clean" if report.clean else f"NOT CLEAN: {len(report.findings)} findings")


def _waiting(facts: Mapping[str, Any]) -> Iterator[str]:
    """What is known and waits for a person; no finding, and nothing to pass over in silence."""
    amounts = ", ".join(f"{amount} {currency}" for currency, amount in facts["suspense"].items())
    yield f"waiting in suspense: {amounts or 'nothing'}"
    kinds = ", ".join(f"{kind} {count}" for kind, count in facts["open_cases"].items())
    yield f"open cases: {kinds or 'none'}" + (" (acquit cases)" if kinds else "")
