"""`acquit daily-audit` and `acquit signoff`: the result of a day, and who answers for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import day_of
from cli.order import ActorOption, ApproverOption
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
    from datetime import date

    from domain.audit.signoff import AuditDay, SignOff, SignOrder
    from ports.auditdays import KeptDay
    from workers.settings import Settings

SHOWN_MOST = 400


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    example = "Example: acquit daily-audit --date 2026-03-10 --reports /srv/rails"
    app.command("daily-audit", epilog=example)(daily_audit)
    example = (
        "Example: acquit signoff 2026-03-10 --role finance --actor fin-3 --reason 'seen and agreed'"
    )
    app.command("signoff", epilog=example)(signoff)


def daily_audit(
    ctx: typer.Context,
    *,
    day: Annotated[str, typer.Option("--date", help="The day; yesterday (UTC) if absent.")] = "",
    reports: Annotated[
        Path | None, typer.Option(help="Folder with reports of rails, YYYY-MM-DD.csv.")
    ] = None,
    last: Annotated[
        int, typer.Option("--list", min=0, max=SHOWN_MOST, help="List so many days instead.")
    ] = 0,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Audit a day as the schedule does, and keep the result; exit code 1 if it is not clean.

    What was written since the last checkpoint is verified and signed, the books are audited, and
    rails, ledger and bank lines of the day are matched. The result waits for its sign-off. With
    --list the last results are shown, and who signed each.
    """
    settings = books_settings(ctx, home)
    if last:
        _list(run_async(_latest(settings, last)), as_json=as_json)
        return
    wanted = day_of("date", day) if day else None
    done = run_async(_audited(settings, wanted, reports))
    if as_json:
        print_json(_facts(done))
    else:
        print_text(_said(done))
    if not done.clean:
        raise typer.Exit(Exit.NOT_CLEAN)


def signoff(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    day: Annotated[str, typer.Argument(metavar="DATE", help="The day, YYYY-MM-DD.")],
    *,
    role: Annotated[str, typer.Option(help="In which role: audit, finance or reconciliation.")],
    actor: ActorOption,
    reason: Annotated[str, typer.Option(help="What you have looked at, and what you conclude.")],
    approver: ApproverOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Although it is not clean; needs an approver.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Answer for the last audit of a day; it is kept for ever, with the digest of the result.

    A day with findings or unexplained differences is refused unless forced, and then a second
    person has to approve. An audit that finds something else later needs a sign-off of its own.
    """
    from domain.audit.signoff import SignOrder  # noqa: PLC0415

    order = SignOrder(role, actor, reason, approver or "", force)
    done = run_async(_signed(books_settings(ctx, home), day_of("day", day), order))
    if as_json:
        print_json({name: getattr(done, name) for name in done.__slots__})
    else:
        print_text(f"{done.day}, audit {done.run}, signed off by {done.role}/{done.actor}")


def _said(done: AuditDay) -> str:
    state = "clean" if done.clean else "NOT CLEAN"
    counts = f"{done.findings} findings, {done.unexplained} unexplained differences"
    return f"{done.day}, audit {done.run}: {state}, {counts}; digest {done.digest}"


def _facts(done: AuditDay) -> dict[str, Any]:
    return {name: getattr(done, name) for name in done.__slots__}


def _list(found: tuple[KeptDay, ...], *, as_json: bool) -> None:
    def signer(one: KeptDay) -> str:
        return "" if one.signoff is None else f"{one.signoff.role}/{one.signoff.actor}"

    if as_json:
        print_json([_facts(one.audited) | {"signed_by": signer(one)} for one in found])
        return
    rows = [
        (
            one.audited.day,
            one.audited.run,
            "yes" if one.audited.clean else "NO",
            one.audited.findings,
            one.audited.unexplained,
            signer(one) or "NOBODY",
        )
        for one in found
    ]
    columns = ("day", "audit>", "clean", "findings>", "unexplained>", "signed off by")
    print_table("Daily audits", columns, rows)


async def _audited(settings: Settings, day: date | None, reports: Path | None) -> AuditDay:
    from activities.auditing import audit_of  # noqa: PLC0415
    from workers.auditing import auditors_of  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await audit_of(auditors_of(settings, stack, reports), day)


async def _latest(settings: Settings, limit: int) -> tuple[KeptDay, ...]:
    from adapters.sql.write.auditdays import SqlAuditDays  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await SqlAuditDays(stack.engine, stack.clock).latest(limit)


async def _signed(settings: Settings, day: date, order: SignOrder) -> SignOff:
    from adapters.sql.write.auditdays import SqlAuditDays  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await SqlAuditDays(stack.engine, stack.clock).sign(day, order)
