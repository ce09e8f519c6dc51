"""`acquit cases`: what waits for a person, or has waited, narrowed and in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.lists import LimitOption
from cli.options import day_of
from cli.output import HomeOption, JsonOption, books_settings, print_json, print_table, run_async
from cli.times import Zones, zones_of
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from enum import StrEnum

    from domain.case.view import CaseView
    from ports.casefilter import CaseFilter
    from ports.paging import Page
    from workers.settings import Settings

_EXAMPLE = "Example: acquit cases --text 'wrong account' --resolved-from 2026-01-01"
_OpenedFrom = Annotated[str, typer.Option(help="Opened on this day (UTC) or later: YYYY-MM-DD.")]
_OpenedTo = Annotated[str, typer.Option(help="Opened on this day (UTC) or before.")]
_ResolvedFrom = Annotated[str, typer.Option(help="Resolved on this day (UTC) or later.")]
_ResolvedTo = Annotated[str, typer.Option(help="Resolved on this day (UTC) or before.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("cases", epilog=_EXAMPLE)(cases)


def cases(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    *,
    text: Annotated[
        str, typer.Option(help="Words, or their beginnings, of the text or the notes.")
    ] = "",
    kind: Annotated[str, typer.Option(help="Only cases of this kind.")] = "",
    cause: Annotated[str, typer.Option(help="Only brought about so, such as human.")] = "",
    code: Annotated[str, typer.Option(help="Only with this cause code.")] = "",
    resolution: Annotated[str, typer.Option(help="Only resolved so, such as corrected.")] = "",
    loan: Annotated[str, typer.Option(help="Only cases of this loan; - for those of none.")] = "",
    owner: Annotated[str, typer.Option(help="Only cases of this team or person.")] = "",
    team: Annotated[str, typer.Option(help="Only in the queue of this team.")] = "",
    assignee: Annotated[str, typer.Option(help="Only with this person.")] = "",
    line: Annotated[str, typer.Option(help="Only about this bank line.")] = "",
    payment: Annotated[str, typer.Option(help="Only about this payment, by its id.")] = "",
    order: Annotated[str, typer.Option(help="Only about this debit order, by its number.")] = "",
    opened_from: _OpenedFrom = "",
    opened_to: _OpenedTo = "",
    resolved_from: _ResolvedFrom = "",
    resolved_to: _ResolvedTo = "",
    late: Annotated[bool, typer.Option("--late", help="Only cases past their time.")] = False,
    resolved: Annotated[bool, typer.Option("--resolved", help="Resolved cases instead.")] = False,
    both: Annotated[bool, typer.Option("--all", help="Open and resolved cases.")] = False,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List what waits for a person: cases, the oldest first, with their age against their time.

    With --text resolved cases are looked through as well, and with --resolution, --resolved-from or
    --resolved-to only these.
    """
    from domain.case.case import Resolution  # noqa: PLC0415
    from domain.case.kinds import CaseKind, Cause  # noqa: PLC0415
    from domain.case.links import Link, LinkTo  # noqa: PLC0415
    from ports.casefilter import CaseFilter  # noqa: PLC0415

    _is_one_of("kind", kind, CaseKind)
    _is_one_of("cause", cause, Cause)
    _is_one_of("resolution", resolution, Resolution)
    named = ((LinkTo.PAYMENT, payment), (LinkTo.ORDER, order))
    given = {
        "opened_from": opened_from,
        "opened_to": opened_to,
        "resolved_from": resolved_from,
        "resolved_to": resolved_to,
    }
    is_resolved = bool(resolved or resolution or resolved_from or resolved_to)
    wanted = CaseFilter(
        kind,
        loan,
        owner,
        late=late,
        resolved=None if both or (text and not is_resolved) else is_resolved,
        text=text,
        cause=cause,
        code=code,
        resolution=resolution,
        team=team,
        assignee=assignee,
        line=line,
        links=tuple(Link(to, name) for to, name in named if name),
        **{name: day_of(name, day) for name, day in given.items() if day},
    )
    page, count, zones, now = run_async(_list(books_settings(ctx, home), wanted, after, limit))
    rows = [row_of(view, zones, now) for view in page.items]
    if as_json:
        print_json({"cases": rows, "count": count, "after": page.after})
        return
    _print(wanted, rows, count, zones)
    if page.after:
        note(f"{len(rows)} of {count} are shown; go on with --after {page.after}")


def _is_one_of(field: str, value: str, allowed: type[StrEnum]) -> None:
    if value and value not in set(allowed):
        raise InvalidInput(field, value, f"one of {', '.join(allowed)}")


def _print(wanted: CaseFilter, rows: list[dict[str, Any]], count: int, zones: Zones) -> None:
    which = {None: "Open and resolved", True: "Resolved", False: "Open"}[wanted.resolved]
    fields = ("key", "about", "kind", "amount", "currency", "with", "due", "text")
    print_table(
        f"{which} cases: {count}",
        ("since", "key", "about", "kind", "amount>", "currency", "with", "due", "what"),
        [
            (zones.shown(row["since"], row["loan_id"]), *(row[name] for name in fields))
            for row in rows
        ],
    )


def row_of(view: CaseView, zones: Zones, now: datetime) -> dict[str, Any]:
    """A case as a row of the list; `late`: it should have been taken, or resolved, by now."""
    from domain.money import decimal_text  # noqa: PLC0415

    labels, detail = view.labels, view.detail
    about = f"{labels.loan_id}/{labels.number}" if labels.number else labels.loan_id
    late = detail.late_from is not None and detail.late_from <= now
    return {
        "key": view.subject.key,
        "kind": labels.code,
        "state": view.state,
        "since": detail.opened_at,
        "loan_id": labels.loan_id,
        "about": about or detail.line,
        "payment": detail.payment or None,
        "line": detail.line or None,
        "amount": decimal_text(labels.amount_minor, labels.currency) if labels.currency else "",
        "currency": labels.currency,
        "text": detail.text,
        "owner": detail.owner,
        "assignee": detail.assignee,
        "with": f"{detail.assignee} of {detail.owner}" if detail.assignee else detail.owner,
        "cause": detail.cause,
        "cause_code": detail.cause_code,
        "links": [{"to": link.to.value, "name": link.name} for link in detail.links],
        "resolution": detail.resolution,
        "first_action_by": detail.first_action_by,
        "resolve_by": detail.resolve_by,
        "waits_until": detail.waits_until,
        "escalation": detail.escalation,
        "late": late,
        "due": _due(view, zones, late=late),
    }


def _due(view: CaseView, zones: Zones, *, late: bool) -> str:
    detail = view.detail
    if view.is_final:
        return detail.resolution
    if detail.waits_until is not None:
        return f"waits until {detail.waits_until:%Y-%m-%d}"
    by = zones.shown(detail.late_from or detail.resolve_by, view.labels.loan_id)
    return f"{'LATE, ' if late else ''}{by}"


def _must_be_known(wanted: CaseFilter, teams: Collection[str]) -> None:
    """See that nothing was found because there is nothing, and not because of a slip of the pen.

    Codes of rails and faults are known by their cases only; a team may have left the policy.
    """
    from domain.statement.casecodes import CODES  # noqa: PLC0415

    words = {word for codes in CODES.values() for word in codes.words}
    if wanted.code and wanted.code not in words:
        rule = "a cause code; no case has this one, and it is none of ours"
        raise InvalidInput("code", wanted.code, rule)
    if wanted.team and wanted.team not in teams:
        raise InvalidInput("team", wanted.team, f"one of {', '.join(sorted(teams))}")


async def _list(
    settings: Settings, wanted: CaseFilter, after: str, limit: int
) -> tuple[Page[CaseView], int, Zones, datetime]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        known = wanted.loan_id in {"", "-"} or await stack.queries.loan(wanted.loan_id) is not None
        if not known:
            raise InvalidInput("loan", wanted.loan_id, "a loan that is boarded")
        now = stack.clock.now()
        page, count = await stack.queries.case_list(wanted, now, after, limit)
        if not count:
            _must_be_known(wanted, stack.rules.case_policy.teams)
        loans = (view.labels.loan_id for view in page.items)
        return page, count, await zones_of(stack.queries, loans), now
