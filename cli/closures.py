"""`acquit closures` and `acquit closure`: loans that are being closed, and orders about that."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.lists import LimitOption
from cli.order import (
    ActorOption,
    ApproverOption,
    IdOption,
    WithKinds,
    give,
    must_be_given,
    ordered_by,
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
from cli.story import event_row
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.loanclosure.view import ClosureView
    from domain.story.events import StoryEvent
    from ports.consolequeries import Listed
    from ports.paging import Page
    from ports.subjectfilter import SubjectFilter
    from workers.settings import Settings

_EXAMPLE = "Example: acquit closures --state RUNNING --needs-operator"
_ONE = (
    "Example: acquit closure waive L-7 leg=release_guarantor --actor ops-7 --approver ops-9 "
    '--reason "the guarantor has been dissolved". Exit codes: 0 done, 1 refused by a rule, 2 wrong '
    "input."
)
_STORY_MOST = 1_000
VERBS: Mapping[str, str] = {
    "retry": "retry_leg",
    "state": "state_leg_done",
    "waive": "waive_leg",
    "hold": "hold_closure",
    "resume": "resume_closure",
}
"""What can be ordered about the closure of a loan, and the kind of that order."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("closures", epilog=_EXAMPLE)(closures)
    app.command("closure", cls=WithVerbs, epilog=_ONE)(closure)


class WithVerbs(WithKinds):
    """A command whose help lists what can be ordered about the closure of a loan."""

    def kinds(self) -> Mapping[str, Any]:
        """The orders by the words that they are typed with."""
        from domain.loanclosure.commands import CLOSURE_ORDERS  # noqa: PLC0415

        return {verb: CLOSURE_ORDERS[kind] for verb, kind in VERBS.items()}


def closures(
    ctx: typer.Context,
    *,
    state: Annotated[
        list[str] | None, typer.Option(help="A state; repeat for several. All of them.")
    ] = None,
    needs_operator: Annotated[
        bool, typer.Option("--needs-operator", help="Only those that wait for a person.")
    ] = False,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List closures of loans, those first that have been in their state longest."""
    from domain.loanclosure.closure import LOAN_CLOSURE  # noqa: PLC0415
    from ports.subjectfilter import SubjectFilter  # noqa: PLC0415

    wanted = SubjectFilter(
        kind=LOAN_CLOSURE,
        states=tuple(state or ()),
        needs_operator=True if needs_operator else None,
    )
    page, now = run_async(_list(books_settings(ctx, home), wanted, after, limit))
    rows = [_row(one.view, one.since, now) for one in page.items]
    if as_json:
        print_json({"closures": rows, "after": page.after})
        return
    print_table(
        f"Closures: {len(rows)}",
        ("loan", "state", "value date", "days>", "missing", "waits for"),
        [
            (
                row["loan"],
                row["state"],
                str(row["value_on"]),
                str(row["age_days"]),
                ", ".join(row["missing"]),
                row["waits"],
            )
            for row in rows
        ],
    )
    if page.after:
        note(f"{len(rows)} are shown; go on with --after {page.after}")


def closure(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[VERB] LOAN [FIELD=VALUE]...", help="The loan; what to do."),
    ],
    *,
    actor: ActorOption = "",
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    approver: ApproverOption = None,
    order_id: IdOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show the closure of a loan with its legs and story; or give an order about a leg of it.

    What the rules do not allow is refused by name, exit code 1.
    """
    settings = books_settings(ctx, home)
    if words[0] not in VERBS:
        if len(words) > 1:
            raise InvalidInput("VERB", words[0], f"one of {', '.join(VERBS)}")
        _show(settings, words[0], as_json=as_json)
        return
    if len(words) == 1:
        raise InvalidInput("LOAN", "", f"the loan to {words[0]}; see `acquit closures`")
    must_be_given(actor, reason)
    who = ordered_by(actor, reason, approver, order_id)
    from domain.loanclosure.commands import CLOSURE_ORDERS  # noqa: PLC0415

    given = read_typed(VERBS[words[0]], words[2:], who, CLOSURE_ORDERS, {"loan_id": words[1]})
    give(settings, given, who["id"], words[1], as_json=as_json)


def _show(settings: Settings, loan: str, *, as_json: bool) -> None:
    from domain.loanclosure.words import CLOSURE_WORDS  # noqa: PLC0415
    from domain.story.words import in_words  # noqa: PLC0415

    view, story = run_async(_one(settings, loan))
    if as_json:
        detail = view.detail
        row = {
            "loan": loan,
            "state": view.state,
            "generation": view.generation,
            "value_on": detail.value_on,
            "legs": dict(detail.legs),
            "rejected": dict(detail.rejected),
            "missing": list(view.missing),
            "certificate": detail.certificate or None,
            "sealed_by": detail.sealed_by or None,
            "is_held": detail.is_held,
            "next_action": view.next_action.kind if view.next_action else None,
            "next_at": view.next_action.not_before if view.next_action else None,
            "waits": view.needs_operator,
        }
        print_json({**row, "story": [event_row(event) for event in story]})
        return
    for part in CLOSURE_WORDS.parts(view):
        print_text(part.replace("**", ""))
    if view.needs_operator:
        print_text(f"  a person is needed: {view.needs_operator}")
    for event in in_words(story, UTC, view.labels.currency):
        for line in event.lines():
            print_text(f"  {line}")


def _row(view: ClosureView, since: datetime, now: datetime) -> dict[str, Any]:
    """A closure as a row of the list."""
    return {
        "loan": view.subject.key,
        "state": view.state,
        "value_on": view.detail.value_on,
        "since": since,
        "age_days": (now - since).days,
        "missing": list(view.missing),
        "certificate": view.detail.certificate,
        "code": view.labels.code,
        "waits": view.needs_operator,
    }


async def _list(
    settings: Settings, wanted: SubjectFilter, after: str, limit: int
) -> tuple[Page[Listed], datetime]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await stack.queries.subjects(wanted, after, limit), stack.clock.now()


async def _one(settings: Settings, loan: str) -> tuple[ClosureView, tuple[StoryEvent, ...]]:
    from domain.kernel.subject import Subject  # noqa: PLC0415
    from domain.loanclosure.closure import LOAN_CLOSURE  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    subject = Subject(LOAN_CLOSURE, loan)
    async with open_stack(settings) as stack:
        view = await stack.queries.view(subject)
        if view is None:
            raise InvalidInput("loan", loan, "a loan that is being closed; see `acquit closures`")
        story = await stack.queries.history(subject, "", _STORY_MOST)
        return view, story.items
