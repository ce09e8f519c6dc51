"""`acquit trail`: where the money of a payment lay, for whom, how long, and every posting of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
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
from cli.times import Zones, zones_of
from domain.errors import InvalidInput
from ports.paging import LIMIT_MOST
from workers.reporting import note

if TYPE_CHECKING:
    from datetime import date

    from domain.ledger.entry import JournalPosting
    from domain.ledger.flow import Flow, Stay
    from ports.paging import Page
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    example = "Example: acquit trail R-LC00001001017F3A9C1B --svg way.svg"
    app.command("trail", epilog=example)(trail)


def trail(
    ctx: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="A payment, a debit order or a bank line.")
    ],
    *,
    svg: Annotated[Path | None, typer.Option(help="Draw the way of the payment here.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the picture if it is there.")
    ] = False,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: Annotated[
        int, typer.Option(min=1, max=LIMIT_MOST, help="Show so many postings at most.")
    ] = 1_000,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Follow one payment: on which accounts its money lay, for whom, for how many days.

    KEY is what `acquit story` names: a payment, a debit order, or a bank line. Every posting about
    it follows, from the first report to the bank line that proves it. A picture needs one payment.
    """
    found = run_async(_found(books_settings(ctx, home), key, after, limit))
    if not found.page.items and not after:
        raise InvalidInput("key", key, "a payment, debit order or bank line of the books")
    if svg is not None:
        _draw(found, key, svg, replace=replace)
    if as_json:
        print_json(
            {
                "flows": [_flow_row(flow, found.today) for flow in found.flows],
                "postings": [_posting_row(item) for item in found.page.items],
                "after": found.page.after,
            }
        )
        return
    for flow in found.flows:
        _show_flow(flow, found.today)
    _show_postings(key, found)


@dataclass(frozen=True, slots=True)
class _Trail:
    """A page of postings; the flows of the payments, where it holds all postings about them."""

    page: Page[JournalPosting]
    flows: tuple[Flow, ...]
    zones: Zones
    today: date


async def _found(settings: Settings, key: str, after: str, limit: int) -> _Trail:
    from domain.ledger.flow import flows  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        page: Page[JournalPosting] = await stack.queries.trail(key, after, limit)
        is_whole = not after and not page.after
        zones = await zones_of(stack.queries, (item.loan for item in page.items))
        return _Trail(
            page,
            flows(page.items) if is_whole else (),
            zones,
            stack.clock.now().astimezone(zones.of(*(item.loan for item in page.items))).date(),
        )


def _draw(found: _Trail, key: str, svg: Path, *, replace: bool) -> None:
    from adapters.exports.flowsvg import flow_svg  # noqa: PLC0415
    from cli.outfile import written  # noqa: PLC0415

    if len(found.flows) != 1:
        names = ", ".join(flow.payment for flow in found.flows) or "a page that holds all of it"
        raise InvalidInput("key", key, f"one payment for a picture: {names}")
    with written(svg, replace=replace) as output:
        output.write(flow_svg(found.flows[0], found.today))


def _flow_row(flow: Flow, today: date) -> dict[str, Any]:
    from domain.money import decimal_text  # noqa: PLC0415

    def money(minor: int) -> dict[str, Any]:
        return {"amount": decimal_text(minor, flow.currency), "minor": minor}

    return {
        "payment": flow.payment,
        "currency": flow.currency,
        "accounts": list(flow.accounts),
        "hops": [
            {
                "seq": hop.mark.seq,
                "event": hop.mark.event,
                "on": hop.mark.on,
                "from": hop.source,
                "to": hop.target,
                **money(hop.minor),
            }
            for hop in flow.hops
        ],
        "stays": [
            {
                "account": stay.account,
                "place": stay.place,
                **money(stay.minor),
                "came_on": stay.came.on,
                "came_by": stay.came.event,
                "left_on": stay.left.on if stay.left else None,
                "left_by": stay.left.event if stay.left else None,
                "dwell_days": stay.dwell_days(today),
                "line": stay.line,
            }
            for stay in flow.stays
        ],
        "paid": [
            {
                "loan": part.loan,
                "number": part.number,
                "component": part.component,
                **money(part.minor),
            }
            for part in flow.paid
        ],
    }


def _show_flow(flow: Flow, today: date) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

    columns = ("account", "amount>", "came", "by", "left", "by", "days>", "line")

    def row(stay: Stay) -> tuple[object, ...]:
        left = (stay.left.on, stay.left.event) if stay.left else ("", "")
        came = (stay.came.on, stay.came.event)
        amount, days = decimal_text(stay.minor, flow.currency), stay.dwell_days(today)
        return (stay.account, amount, *came, *left, days, stay.line or "")

    for title, is_cash in (("Where its money lay", True), ("For whom it lay there", False)):
        rows = [row(stay) for stay in flow.stays if stay.is_cash is is_cash]
        print_table(f"{title}: payment {flow.payment}, {flow.currency}", columns, rows)
    for part in flow.paid:
        amount = decimal_text(part.minor, flow.currency)
        print_text(f"paid {amount} {flow.currency} of {part.component}: {part.loan}/{part.number}")
    way = " > ".join(flow.accounts)
    print_text(f"{len(flow.hops)} hops over {len(flow.accounts)} accounts of cash: {way}")
    print_text()


def _posting_row(item: JournalPosting) -> dict[str, Any]:
    from domain.money import decimal_text  # noqa: PLC0415

    return {
        "seq": item.seq,
        "at": item.at,
        "posted_on": item.posted_on,
        "value_on": item.value_on,
        "event": item.event,
        "account": item.account,
        "amount": decimal_text(item.minor, item.currency),
        "currency": item.currency,
        "payment": item.payment,
        "order_no": item.order_no,
        "line": item.line,
        "loan": item.loan,
        "number": item.number,
        "component": item.component,
        "party": item.party,
        "place": item.place,
    }


def _show_postings(key: str, found: _Trail) -> None:
    shown = ("event", "account", "place", "amount", "currency", "payment", "line")
    rows = []
    for item in found.page.items:
        row = _posting_row(item)
        cells = ("" if row[name] is None else row[name] for name in shown)
        rows.append((item.seq, found.zones.shown(item.at, item.loan), item.value_on, *cells))
    columns = (
        "seq>",
        "posted",
        "value",
        *("amount>" if name == "amount" else name for name in shown),
    )
    print_table(f"Postings about {key}", columns, rows)
    if found.page.after:
        note(f"there is more: go on with --after {found.page.after}")
