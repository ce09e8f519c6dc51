"""`acquit payouts`, `acquit payout` and `acquit remit`: money that goes out to payees."""

from __future__ import annotations

from datetime import UTC, date
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
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from activities.remittances import Remitted
    from domain.payout.items import PayoutItem
    from domain.payout.payout import Payout
    from domain.payout.view import PayoutView
    from domain.story.events import StoryEvent
    from ports.consolequeries import Listed
    from ports.paging import Page
    from ports.subjectfilter import SubjectFilter
    from workers.settings import Settings

_EXAMPLE = "Example: acquit payouts --state REQUESTED --payee funder-1"
_ONE = (
    "Example: acquit payout approve funder-1/CNY/ACCT-K/20260310/1 --actor ops-7 --approver ops-9 "
    '--reason "checked". Exit codes: 0 done, 1 refused by a rule, 2 wrong input.'
)
_REMIT = (
    "Example: acquit remit --as-of 2026-03-10. Exit codes: 0 everything was requested that could "
    "be, 1 something was refused or failed, 2 wrong input."
)
_STORY_MOST = 1_000
VERBS: Mapping[str, str] = {
    "approve": "approve_payout",
    "refuse": "refuse_payout",
    "cancel": "cancel_payout",
    "settle": "settle_payout",
}
"""What can be ordered about a payout, and the kind of that order."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("payouts", epilog=_EXAMPLE)(payouts)
    app.command("payout", cls=WithVerbs, epilog=_ONE)(payout)
    app.command("remit", epilog=_REMIT)(remit)


class WithVerbs(WithKinds):
    """A command whose help lists what can be ordered about a payout."""

    def kinds(self) -> Mapping[str, Any]:
        """The orders by the words that they are typed with."""
        from domain.payout.commands import PAYOUT_ORDERS  # noqa: PLC0415

        return {verb: PAYOUT_ORDERS[kind] for verb, kind in VERBS.items()}


def payouts(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    *,
    state: Annotated[
        list[str] | None, typer.Option(help="A state; repeat for several. All of them.")
    ] = None,
    payee: Annotated[str, typer.Option(help="Only to this party.")] = "",
    channel: Annotated[str, typer.Option(help="Only over this channel.")] = "",
    needs_operator: Annotated[
        bool, typer.Option("--needs-operator", help="Only those that wait for a person.")
    ] = False,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List payouts, those first that have been in their state longest, with their age in it."""
    from domain.payout.payout import PAYOUT  # noqa: PLC0415
    from ports.subjectfilter import SubjectFilter  # noqa: PLC0415

    wanted = SubjectFilter(
        kind=PAYOUT,
        states=tuple(state or ()),
        rail=channel,
        owner=payee,
        needs_operator=True if needs_operator else None,
    )
    page, now = run_async(_list(books_settings(ctx, home), wanted, after, limit))
    rows = [_row(one.view, one.since, now) for one in page.items]
    if as_json:
        print_json({"payouts": rows, "after": page.after})
        return
    fields = ("key", "payee", "amount", "currency", "items", "state", "age_days", "waits")
    print_table(
        f"Payouts: {len(rows)}",
        ("key", "payee", "amount>", "currency", "items>", "state", "days>", "waits for"),
        [tuple(str(row[name]) for name in fields) for row in rows],
    )
    if page.after:
        note(f"{len(rows)} are shown; go on with --after {page.after}")


def payout(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[VERB] KEY [FIELD=VALUE]...", help="The payout; what to do."),
    ],
    *,
    actor: ActorOption = "",
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    approver: ApproverOption = None,
    order_id: IdOption = "",
    items: Annotated[bool, typer.Option("--items", help="List what it pays.")] = False,
    after: Annotated[str, typer.Option(help="Of --items: go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show one payout with its story; or approve, refuse, cancel it, or settle one in doubt.

    What the rules do not allow is refused by name, exit code 1.
    """
    settings = books_settings(ctx, home)
    if words[0] not in VERBS:
        if len(words) > 1:
            raise InvalidInput("VERB", words[0], f"one of {', '.join(VERBS)}")
        if items:
            _list_items(settings, words[0], after, limit, as_json=as_json)
        else:
            _show(settings, words[0], as_json=as_json)
        return
    if len(words) == 1:
        raise InvalidInput("KEY", "", f"the payout to {words[0]}; see `acquit payouts`")
    must_be_given(actor, reason)
    who = ordered_by(actor, reason, approver, order_id)
    from domain.payout.commands import PAYOUT_ORDERS  # noqa: PLC0415

    given = read_typed(VERBS[words[0]], words[2:], who, PAYOUT_ORDERS, {"payout": words[1]})
    give(settings, given, who["id"], words[1], as_json=as_json)


def remit(
    ctx: typer.Context,
    *,
    as_of: Annotated[
        str, typer.Option(metavar="DAY", help="For the cut-offs of this day, not of the last one.")
    ] = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Request refunds, set off what payees owe, and request what is open at their last cut-offs.

    It does what the sweep does, now. Exit code 1 if anything was refused or failed.
    """
    done = run_async(_remit(books_settings(ctx, home), read_day("as-of", as_of)))
    counted = {
        "set_off": done.set_off,
        "requested": done.requested,
        "refunds": done.refunds,
        "refused": done.refused,
        "failed": done.failed,
    }
    if as_json:
        print_json(counted)
    else:
        print_text(", ".join(f"{name.replace('_', ' ')} {many}" for name, many in counted.items()))
    if done.refused or done.failed:
        raise typer.Exit(Exit.NOT_CLEAN)


def _show(settings: Settings, key: str, *, as_json: bool) -> None:
    from domain.payout.words import PAYOUT_WORDS  # noqa: PLC0415
    from domain.story.words import in_words  # noqa: PLC0415

    found, view, story, now = run_async(_one(settings, key))
    row = {
        **_row(view, found.since, now),
        "order_no": found.order_no,
        "requested_by": found.requested_by,
        "approved_by": list(found.approved_by),
        "digest": found.items.digest,
        "policy": found.policy,
        "line": found.line or None,
        "return_line": found.return_line or None,
        "story": [event_row(event) for event in story],
    }
    if as_json:
        print_json(row)
        return
    for part in PAYOUT_WORDS.parts(view):
        print_text(part.replace("**", ""))
    if view.needs_operator:
        print_text(f"  a person is needed: {view.needs_operator}")
    for event in in_words(story, UTC, found.currency):
        for line in event.lines():
            print_text(f"  {line}")


def _list_items(settings: Settings, key: str, after: str, limit: int, *, as_json: bool) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

    found, items, cursor = run_async(_items(settings, key, after, limit))
    rows = [
        {
            "loan": item.loan_id,
            "payment": item.payment,
            "number": item.number,
            "component": item.component,
            "amount": decimal_text(item.minor, found.currency),
            "currency": found.currency,
        }
        for item in items
    ]
    if as_json:
        print_json({"items": rows, "count": found.items.count, "after": cursor})
        return
    fields = ("loan", "payment", "number", "component", "amount", "currency")
    print_table(
        f"{key}: {found.items.count} items",
        ("loan", "payment", "number>", "component", "amount>", "currency"),
        [tuple(str(row[name]) for name in fields) for row in rows],
    )
    if cursor:
        note(f"{len(rows)} are shown; go on with --after {cursor}")


def _row(view: PayoutView, since: datetime, now: datetime) -> dict[str, Any]:
    """A payout as a row of the list."""
    from domain.money import decimal_text  # noqa: PLC0415

    labels, detail = view.labels, view.detail
    return {
        "key": view.subject.key,
        "payee": labels.owner,
        "account": detail.account,
        "cut_off_on": detail.cut_off_on,
        "number": detail.number,
        "amount": decimal_text(labels.amount_minor, labels.currency),
        "currency": labels.currency,
        "items": detail.items,
        "state": view.state,
        "since": since,
        "age_days": (now - since).days,
        "waits": view.needs_operator,
        "channel": labels.rail,
        "code": labels.code,
    }


async def _list(
    settings: Settings, wanted: SubjectFilter, after: str, limit: int
) -> tuple[Page[Listed], datetime]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await stack.queries.subjects(wanted, after, limit), stack.clock.now()


async def _one(
    settings: Settings, key: str
) -> tuple[Payout, PayoutView, tuple[StoryEvent, ...], datetime]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found = await stack.queries.payout(key)
        view = None if found is None else await stack.queries.view(found.subject)
        if found is None or view is None:
            raise InvalidInput("payout", key, "the key of a payout; see `acquit payouts`")
        story = await stack.queries.history(found.subject, "", _STORY_MOST)
        return found, view, story.items, stack.clock.now()


async def _items(
    settings: Settings, key: str, after: str, limit: int
) -> tuple[Payout, tuple[PayoutItem, ...], str]:
    """The payout, a page of its items, and where the next one begins: the item to go on after."""
    from workers.compose import open_stack  # noqa: PLC0415

    loan, payment, number, component = "", "", "0", ""
    if after:
        try:
            loan, payment, number, component = after.split("|")
            int(number)
        except ValueError:
            rule = "what the page before ended with"
            raise InvalidInput("after", after, rule) from None
    async with open_stack(settings) as stack:
        found = await stack.queries.payout(key)
        if found is None:
            raise InvalidInput("payout", key, "the key of a payout; see `acquit payouts`")
        start = (loan, payment, int(number), component)
        items = await stack.queries.payout_items(key, start, limit + 1)
        more = len(items) > limit
        last = items[limit - 1] if more else None
        cursor = "" if last is None else "|".join(map(str, last[:4]))
        return found, items[:limit], cursor


def read_day(name: str, value: str) -> date | None:
    """A day as it is typed; None where it is empty.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise InvalidInput(name, value, "a day such as 2026-03-10") from None


async def _remit(settings: Settings, as_of: date | None) -> Remitted:
    from activities.remittances import RemittanceActivities  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        rules = stack.rules.payouts
        if not rules.policy.payees and rules.policy.refunds is None:
            raise InvalidInput("payees", "", "a policy of payees, see ACQUIT_PAYEES")
        books = stack.books.for_drivers()
        return await RemittanceActivities(books, stack.queries, rules, stack.clock).once(as_of)
