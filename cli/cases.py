"""`acquit case`: one case with its notes and story, and what people do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.caselist import row_of
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
from cli.times import Zones, shown, zones_of
from domain.errors import InvalidInput
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.case.case import Case
    from domain.case.commands import AnyCaseOrder
    from domain.case.item import CaseItem
    from domain.case.view import CaseView
    from domain.story.events import StoryEvent
    from ports.paging import Page
    from workers.settings import Settings

_ONE = (
    'Example: acquit case resolve unbelieved/LC1 resolution=corrected --actor ops-7 --reason "..."'
)
_STORY_MOST = 1_000
"""Events of a case that are shown; a case holds a few hundred at most."""
VERBS: Mapping[str, str] = {
    "assign": "assign_case",
    "note": "note_case",
    "wait": "wait_case",
    "resolve": "resolve_case",
    "reopen": "reopen_case",
    "transfer": "transfer_case",
}
"""What can be ordered about a case, and the kind of that order."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("case", cls=WithVerbs, epilog=_ONE)(case)


class WithVerbs(WithKinds):
    """A command whose help lists what can be ordered about a case."""

    def kinds(self) -> Mapping[str, Any]:
        """The orders by the words that they are typed with."""
        from domain.case.commands import CASE_ORDERS  # noqa: PLC0415

        return {verb: CASE_ORDERS[kind] for verb, kind in VERBS.items()}


def case(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[VERB] KEY [FIELD=VALUE]...", help="The case; what to do, if any."),
    ],
    *,
    actor: ActorOption = "",
    reason: Annotated[str, typer.Option(help="Why, in words; of a note, the note.")] = "",
    approver: ApproverOption = None,
    order_id: IdOption = "",
    to: Annotated[str, typer.Option(help="Of transfer: the team that gets it.")] = "",
    items: Annotated[bool, typer.Option("--items", help="List the lines it stands for.")] = False,
    open_only: Annotated[
        bool, typer.Option("--open", help="Of --items: only those that are still open.")
    ] = False,
    after: Annotated[str, typer.Option(help="Of --items: go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show one case with its notes and its story; or give an order on it, by a verb.

    What the rules do not allow is refused by name, exit code 1.
    """
    settings = books_settings(ctx, home)
    if words[0] not in VERBS:
        if len(words) > 1:
            raise InvalidInput("VERB", words[0], f"one of {', '.join(VERBS)}")
        if items:
            asked = (after, limit, open_only)
            return _list_items(settings, words[0], asked, as_json=as_json)
        return _show(settings, words[0], as_json=as_json)
    if len(words) == 1:
        raise InvalidInput("KEY", "", f"the case to {words[0]}; see `acquit cases`")
    must_be_given(actor, reason)
    who = ordered_by(actor, reason, approver, order_id)
    if to and words[0] != "transfer":
        raise InvalidInput("--to", to, "only of transfer")
    terms = [*words[2:], *([f"to={to}"] if to else [])]
    given = _read(words[0], words[1], terms, who)
    give(settings, given, who["id"], words[1], as_json=as_json)
    return None


def _read(verb: str, key: str, terms: list[str], who: dict[str, Any]) -> AnyCaseOrder:
    from domain.case.commands import CASE_ORDERS  # noqa: PLC0415

    return read_typed(VERBS[verb], terms, who, CASE_ORDERS, {"case": key})


def _show(settings: Settings, key: str, *, as_json: bool) -> None:
    from domain.case.guides import GUIDES  # noqa: PLC0415
    from domain.story.words import in_words  # noqa: PLC0415

    found, view, story, zones, now = run_async(_one(settings, key))
    zone = zones.of(found.loan_id)
    row = {
        **row_of(view, zones, now),
        "generation": found.generation,
        "guide": GUIDES[found.kind],
        "items": found.items,
        "items_ever": found.items_ever,
        "notes": [{"at": note.at, "by": note.by, "text": note.text} for note in found.notes],
        "story": [event_row(event) for event in story],
    }
    if as_json:
        print_json(row)
        return
    print_text(f"{key}: {row['kind']}, {row['state']}, {row['with']}, {row['due']}")
    print_text(f"  {found.text}")
    print_text(f"  cause: {row['cause']}, {row['cause_code']}")
    for link in row["links"]:
        print_text(f"  see {link['to']} {link['name']}")
    if row["about"] or row["amount"]:
        print_text(f"  about {row['about']} {row['amount']} {row['currency']}".rstrip())
    if found.items_ever:
        print_text(f"  {found.items} of {found.items_ever} lines are open; list them with --items")
    print_text(f"  {row['guide']}")
    for one in row["notes"]:
        print_text(f"  note of {shown(one['at'], zone)} by {one['by']}: {one['text']}")
    for event in in_words(story, zone, found.currency):
        for line in event.lines():
            print_text(f"  {line}")


def _list_items(
    settings: Settings, key: str, asked: tuple[str, int, bool], *, as_json: bool
) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

    found, page, zones = run_async(_items(settings, key, asked))
    rows = [
        {
            "line": item.line,
            "since": item.added_at,
            "amount": decimal_text(item.amount_minor, item.currency) if item.currency else "",
            "currency": item.currency,
            "text": item.text,
            "cleared_at": item.cleared_at,
            "reason": item.reason,
        }
        for item in page.items
    ]
    if as_json:
        print_json({"items": rows, "after": page.after})
        return
    print_table(
        f"{key}: {found.items} of {found.items_ever} lines are open",
        ("since", "line", "amount>", "currency", "state", "what"),
        [
            (
                zones.shown(item.added_at, found.loan_id),
                row["line"],
                row["amount"],
                row["currency"],
                "open" if item.is_open else "cleared",
                row["reason"] or row["text"],
            )
            for item, row in zip(page.items, rows, strict=True)
        ],
    )
    if page.after:
        note(f"{len(rows)} are shown; go on with --after {page.after}")


async def _one(
    settings: Settings, key: str
) -> tuple[Case, CaseView, tuple[StoryEvent, ...], Zones, datetime]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found = await stack.queries.case(key)
        view = None if found is None else await stack.queries.view(found.subject)
        if found is None or view is None:
            raise InvalidInput("case", key, "the key of a case; see `acquit cases`")
        story = await stack.queries.history(found.subject, "", _STORY_MOST)
        zones = await zones_of(stack.queries, [found.loan_id])
        return found, view, story.items, zones, stack.clock.now()


async def _items(
    settings: Settings, key: str, asked: tuple[str, int, bool]
) -> tuple[Case, Page[CaseItem], Zones]:
    """The case, and a page of its items: `asked` is the cursor, the limit and if only open ones."""
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found = await stack.queries.case(key)
        if found is None:
            raise InvalidInput("case", key, "the key of a case; see `acquit cases`")
        after, limit, open_only = asked
        page = await stack.queries.case_items(key, after, limit, open_only=open_only)
        return found, page, await zones_of(stack.queries, [found.loan_id])
