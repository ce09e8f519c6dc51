"""`acquit installments`: what is open, those first that have been in their state longest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import HomeOption, JsonOption, books_settings, print_json, print_table, run_async
from cli.times import Zones, zones_of
from domain.errors import InvalidInput
from ports.paging import LIMIT_MOST
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ports.consolequeries import Listed
    from ports.paging import Page
    from ports.subjectfilter import SubjectFilter
    from workers.settings import Settings

LimitOption = Annotated[int, typer.Option(min=1, max=LIMIT_MOST, help="Show so many at most.")]
_DAYS_MOST = 36_500


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    example = "Example: acquit installments --state IN_DOUBT --state CLEARING --older-than 3"
    app.command("installments", epilog=example)(installments)


def installments(  # noqa: PLR0913  (one parameter for each option)
    ctx: typer.Context,
    *,
    state: Annotated[
        list[str] | None, typer.Option(help="A state; repeat for several. All open ones.")
    ] = None,
    loan: Annotated[str, typer.Option(help="Only of this loan.")] = "",
    borrower: Annotated[str, typer.Option(help="Only of this borrower's reference.")] = "",
    product: Annotated[str, typer.Option(help="Only of this product, with version.")] = "",
    rail: Annotated[str, typer.Option(help="Only over this rail.")] = "",
    owner: Annotated[str, typer.Option(help="Only with this team or person.")] = "",
    owed_least: Annotated[
        str, typer.Option(help="At least so much is owed, such as '10.00 CNY'.")
    ] = "",
    owed_most: Annotated[str, typer.Option(help="At most so much is owed.")] = "",
    action: Annotated[str, typer.Option(help="Only with this next action.")] = "",
    action_by: Annotated[
        str, typer.Option(help="Its next action is due by then: an ISO 8601 instant.")
    ] = "",
    older_than: Annotated[
        int | None,
        typer.Option(min=0, max=_DAYS_MOST, help="In its state for so many days at least."),
    ] = None,
    needs_operator: Annotated[
        bool, typer.Option("--needs-operator", help="Only those that wait for a person.")
    ] = False,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: LimitOption = 50,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List installments that are neither scheduled nor ended, or those of some states.

    Those that have been in their state longest come first, with what closing lacks. What is asked
    for holds all together.
    """
    from ports.subjectfilter import SubjectFilter  # noqa: PLC0415

    least, most = _amount("owed_least", owed_least), _amount("owed_most", owed_most)
    given = {found[1] for found in (least, most) if found}
    if len(given) > 1:
        raise InvalidInput("owed_most", owed_most, "the currency of owed_least")

    def wanted(now: datetime) -> SubjectFilter:
        return SubjectFilter(
            states=_states(state or ()),
            loan_id=loan,
            borrower=borrower,
            product=product,
            currency="".join(given),
            owed_least=least[0] if least else None,
            owed_most=most[0] if most else None,
            action=action.upper(),
            action_by=_instant(action_by),
            since_before=None if older_than is None else now - timedelta(days=older_than),
            rail=rail,
            owner=owner,
            needs_operator=True if needs_operator else None,
        )

    page, zones, now = run_async(_listed(books_settings(ctx, home), wanted, after, limit))
    rows = [_installment(item, zones, now) for item in page.items]
    if as_json:
        print_json({"installments": rows, "after": page.after})
        return
    _print(rows, zones)
    if page.after:
        note(f"{len(rows)} are shown; go on with --after {page.after}")


def _print(rows: Sequence[dict[str, Any]], zones: Zones) -> None:
    columns = (
        "installment", "state", "since", "days>", "owed>", "currency", "hold", "lacks or waits for",
    )  # fmt: skip
    print_table(
        f"Installments: {len(rows)}",
        columns,
        [
            (
                f"{row['loan_id']}/{row['number']}",
                row["state"],
                zones.shown(row["since"], row["loan_id"]),
                row["days"],
                row["owed"],
                row["currency"],
                row["hold"],
                row["needs_operator"] or ", ".join(row["missing"]) or row["next"],
            )
            for row in rows
        ],
    )


def _states(names: Sequence[str]) -> tuple[str, ...]:
    from domain.loan.lifecycle import FINAL, State  # noqa: PLC0415

    chosen = tuple(name.upper() for name in names)
    return chosen or tuple(one for one in State if one not in {*FINAL, State.SCHEDULED})


def _amount(field: str, text: str) -> tuple[int, str] | None:
    """Read an amount with its currency, such as `10.00 CNY`; None if there is no text."""
    from domain.money import parse_minor  # noqa: PLC0415

    if not text:
        return None
    amount, _, currency = text.strip().partition(" ")
    if not currency:
        raise InvalidInput(field, text, "an amount and its currency, such as '10.00 CNY'")
    return parse_minor(amount, currency.strip(), field), currency.strip()


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("action_by", text, "an ISO 8601 instant with its offset") from None
    if found.tzinfo is None:
        raise InvalidInput("action_by", text, "an ISO 8601 instant with its offset")
    return found.astimezone(UTC)


async def _listed(
    settings: Settings, wanted: Callable[[datetime], SubjectFilter], after: str, limit: int
) -> tuple[Page[Listed], Zones, datetime]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        now = stack.clock.now()
        page: Page[Listed] = await stack.queries.subjects(wanted(now), after, limit)
        loans = (item.view.labels.loan_id for item in page.items)
        return page, await zones_of(stack.queries, loans), now


def _installment(item: Listed, zones: Zones, now: datetime) -> dict[str, Any]:
    from domain.money import decimal_text  # noqa: PLC0415

    view = item.view
    action, loan = view.next_action, view.labels.loan_id
    at = zones.shown(action.not_before, loan) if action else ""
    return {
        "loan_id": loan,
        "number": view.labels.number,
        "state": view.state,
        "since": item.since,
        "days": (now - item.since).days,
        "due_on": view.labels.due_on,
        "owed": decimal_text(view.labels.amount_minor, view.labels.currency),
        "currency": view.labels.currency,
        "borrower": item.borrower,
        "product": item.product,
        "rail": view.labels.rail,
        "owner": view.labels.owner,
        "hold": view.detail.hold,
        "needs_operator": view.needs_operator,
        "missing": list(view.missing),
        "next": f"{action.kind.lower()} at {at}" if action else "",
    }
