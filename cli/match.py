"""`acquit match`: what waits on bank lines, what the passes say of it, and what people decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.lists import LimitOption
from cli.options import day_of
from cli.order import (
    ActorOption,
    ApproverOption,
    IdOption,
    give,
    must_be_given,
    ordered_by,
    printed,
    read_typed,
)
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
    from collections.abc import Callable, Sequence
    from datetime import date

    from domain.kernel.change import Applied, Refused
    from domain.matching.group import Group
    from domain.matching.result import Status
    from ports.matching import CaseOfLine, MatchFilter, Overdue
    from workers.settings import Settings

    GiveBackBy = Callable[[CaseOfLine], date]

_EXAMPLE = 'Example: acquit match accept ACCT-1/2026-03-10/SR-4 --actor ops-7 --reason "it is hers"'
VERBS = ("accept", "force", "run")
_FORCE_WORDS = 3
_ABOUT_MOST = 3


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("match", epilog=_EXAMPLE)(match)


def match(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[VERB LINE [LOAN/NUMBER FIELD=VALUE...]]",
            help="accept LINE; force LINE LOAN/NUMBER reference=... amount_minor=...; run.",
        ),
    ] = None,
    *,
    account: Annotated[str, typer.Option(help="Only lines of this bank account.")] = "",
    day: Annotated[str, typer.Option(help="Only lines booked on this day: YYYY-MM-DD.")] = "",
    status: Annotated[str, typer.Option(help="Only this status, such as unidentified.")] = "",
    missing: Annotated[
        bool, typer.Option("--missing", help="List money instead that no line shows in time.")
    ] = False,
    actor: ActorOption = "",
    reason: Annotated[str, typer.Option(help="Why, in words; kept in the journal.")] = "",
    approver: ApproverOption = None,
    order_id: IdOption = "",
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List what waits on bank lines with its status, cause, age and suggestion; or decide about it.

    accept takes the match that is proposed for a line. force posts by hand what no pass says: it
    needs a reason and an approver. run matches now what the passes find. Exit code 1 where an order
    is refused. A wrong match is undone by `acquit order LOAN/NUMBER undo_match`.
    """
    from domain.matching.result import Status  # noqa: PLC0415
    from ports.matching import MatchFilter  # noqa: PLC0415

    settings = books_settings(ctx, home)
    if not words:
        if status and status not in set(Status):
            raise InvalidInput("status", status, f"one of {', '.join(Status)}")
        statuses: tuple[Status, ...] = (Status(status),) if status else ()
        on = day_of("day", day) if day else None
        if missing:
            return _list_missing(settings, after, limit, as_json=as_json)
        wanted = MatchFilter(account, on, statuses=statuses)
        return _list(settings, wanted, after, limit, as_json=as_json)
    if words[0] not in VERBS:
        raise InvalidInput("VERB", words[0], f"one of {', '.join(VERBS)}")
    if words[0] == "run":
        return _run(settings, as_json=as_json)
    if len(words) == 1:
        raise InvalidInput("LINE", "", f"the line to {words[0]}; see `acquit match`")
    must_be_given(actor, reason)
    who = ordered_by(actor, reason, approver, order_id)
    if words[0] == "accept":
        return _accept(settings, words[1], who, as_json=as_json)
    return _force(settings, words, who, as_json=as_json)


# --- lists ---------------------------------------------------------------------------------------


def _list(
    settings: Settings, wanted: MatchFilter, after: str, limit: int, *, as_json: bool
) -> None:
    groups, cases, today, give_back_by = run_async(_groups(settings, wanted, after, limit))
    by_line = {case.line: case for case in cases}
    rows = [row for group in groups for row in _rows(group, by_line, today, give_back_by)]
    goes_on = groups[-1].shown[0].id if len(groups) == limit else ""
    if as_json:
        print_json({"lines": rows, "after": goes_on})
        return
    shown = (
        ("key", "line"),
        ("amount>", "amount"),
        ("currency", "currency"),
        ("status", "status"),
        ("cause", "cause"),
        ("by", "by"),
        ("days>", "days"),
        ("give back by", "return_by"),
        ("owner", "owner"),
        ("suggested", "suggestion"),
    )
    print_table(
        f"{len(rows)} pieces of lines wait",
        [title for title, _ in shown],
        [[_cell(row[name]) for _, name in shown] for row in rows],
    )
    if goes_on:
        note(f"more wait; go on with --after {goes_on}")


def _cell(value: object) -> object:
    return "" if value is None else value


async def _groups(
    settings: Settings, wanted: MatchFilter, after: str, limit: int
) -> tuple[Sequence[Group], Sequence[CaseOfLine], date, GiveBackBy]:
    from domain.case.kinds import CaseKind  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack, stack.matching.run() as run:
        groups = await run.groups(wanted, after, limit)
        lines = sorted({it.line for group in groups for it in group.shown})
        within = stack.rules.case_policy.level(CaseKind.UNMATCHED_LINE).resolution
        cases = await run.cases_of(lines)
        now = stack.clock.now()
        return groups, cases, now.date(), lambda case: (case.opened_at + within).date()


def _rows(
    group: Group, cases: dict[str, CaseOfLine], today: date, give_back_by: GiveBackBy
) -> list[dict[str, Any]]:
    """The pieces of a group as they are printed.

    Money that nobody can name is given back by the day on which its case should have ended.
    """
    from activities.matching import suggestion  # noqa: PLC0415
    from domain.matching.breaks import break_of  # noqa: PLC0415
    from domain.matching.result import Status  # noqa: PLC0415
    from domain.money import decimal_text  # noqa: PLC0415

    result, told, rows = group.result, break_of(group.result), []
    named = result.status is not Status.UNIDENTIFIED
    for it in group.shown:
        case = cases.get(it.line)
        row = {
            "piece": it.id,
            "line": it.line,
            "account": it.account,
            "booked_on": it.booked_on,
            "amount": decimal_text(it.minor, it.currency),
            "currency": it.currency,
            "status": result.status.value,
            "cause": "" if result.cause is None else result.cause.value,
            "by": "" if result.by is None else result.by.value,
            "is_proposal": result.is_proposal,
            "fee_minor": result.fee_minor,
            "days": (today - it.booked_on).days,
            "owner": "" if case is None else case.owner,
            "case": "" if case is None else case.key,
            "case_code": "" if case is None else case.code,
            "return_by": None if case is None or named else give_back_by(case),
            "remedy": "" if told is None else told.remedy.value,
            "suggestion": suggestion(group),
            "about": [meant.id for meant in group.meant],
        }
        rows.append(row)
    return rows


def _list_missing(settings: Settings, after: str, limit: int, *, as_json: bool) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

    found, today = run_async(_overdue(settings, after, limit))
    rows = [
        {
            "id": it.meant.id,
            "kind": it.meant.kind,
            "loan_id": it.meant.loan_id,
            "number": it.meant.number or None,
            "amount": decimal_text(it.meant.minor, it.currency),
            "currency": it.currency,
            "expected_by": it.meant.expected_by,
            "days": None if it.meant.expected_by is None else (today - it.meant.expected_by).days,
        }
        for it in found
    ]
    goes_on = found[-1].meant.id if len(found) == limit else ""
    if as_json:
        print_json({"missing": rows, "after": goes_on})
        return
    fields = ("id", "kind", "loan_id", "amount", "currency", "expected_by", "days")
    print_table(
        f"{len(rows)} are missing",
        ("key", "kind", "loan", "amount>", "currency", "expected by", "days late>"),
        [tuple(row[name] for name in fields) for row in rows],
    )
    if goes_on:
        note(f"more are missing; go on with --after {goes_on}")


async def _overdue(settings: Settings, after: str, limit: int) -> tuple[Sequence[Overdue], date]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack, stack.matching.run() as run:
        return await run.overdue(after, limit), stack.clock.now().date()


# --- decisions -----------------------------------------------------------------------------------


def _run(settings: Settings, *, as_json: bool) -> None:
    done = run_async(_matched(settings))
    if as_json:
        print_json(done)
    else:
        print_text(", ".join(f"{count} {what}" for what, count in done.items()))


async def _matched(settings: Settings) -> dict[str, int]:
    from activities.matching import LineMatching  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        done = await LineMatching(stack.matching, stack.books).match()
    return {"ordered": done.ordered, "refused": done.refused, "suggested": done.suggested}


def _accept(settings: Settings, line: str, who: dict[str, Any], *, as_json: bool) -> None:
    answers = [printed(name, answer) for name, answer in run_async(_accepted(settings, line, who))]
    if as_json:
        print_json({"orders": answers})
    else:
        for answer in answers:
            refused = f"refused by {answer['refused_by']}: {answer['why']}"
            print_text(refused if answer["refused_by"] else f"{answer['answer']} ({answer['id']})")
    if any(answer["refused_by"] for answer in answers):
        raise typer.Exit(Exit.NOT_CLEAN)


async def _accepted(
    settings: Settings, line: str, who: dict[str, Any]
) -> list[tuple[str, Applied | Refused]]:
    """Order what is proposed for a line.

    Raises:
        InvalidInput: nothing is proposed for it.
    """
    from activities.matching import orders_of  # noqa: PLC0415
    from domain.kernel.command import Actor  # noqa: PLC0415
    from domain.loan.matching import Basis  # noqa: PLC0415
    from ports.matching import MatchFilter  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    actor = Actor(**who["actor"])
    async with open_stack(settings) as stack:
        async with stack.matching.run() as run:
            groups = await run.groups(MatchFilter(line=line), "", _FEW)
        orders = [
            order
            for group in groups
            if group.result.is_proposal
            for order in orders_of(group, Basis.ACCEPTED, actor, who["reason"])
        ]
        if not orders:
            raise InvalidInput("LINE", line, "a line for which a match is proposed")
        return [(order.id, await stack.books.apply(order)) for order in orders]


_FEW = 100


def _force(settings: Settings, words: list[str], who: dict[str, Any], *, as_json: bool) -> None:
    from cli.story import read_subject  # noqa: PLC0415
    from domain.loan.commands import ORDERS  # noqa: PLC0415
    from domain.loan.matching import Basis  # noqa: PLC0415

    if len(words) < _FORCE_WORDS:
        raise InvalidInput("LOAN/NUMBER", "", "the installment whose money it is")
    loan_id, number = read_subject(words[2])
    if number is None:
        raise InvalidInput("LOAN/NUMBER", words[2], "an installment: its loan and its number")
    terms = [f"line={words[1]}", f"basis={Basis.FORCED.value}", *words[_FORCE_WORDS:]]
    about = {"loan_id": loan_id, "number": number}
    order = read_typed("match_line", terms, who, ORDERS, about)
    give(settings, order, who["id"], words[2], as_json=as_json)
