"""`acquit story` and `acquit trail`: what happened to a loan, and where money went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

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
from domain.errors import InvalidInput
from workers.reporting import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.ledger.entry import JournalPosting
    from ports.queries import Queries
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("story", epilog="Example: acquit story LC00001/2")(story)
    app.command("trail", epilog="Example: acquit trail LC00001001017F3A9C1B")(trail)


def story(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="LOAN[/NUMBER]", help="Loan, or installment.")],
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Tell what happened to a loan or one installment, in order, and what comes next."""
    loan_id, number = read_subject(subject)
    story = run_async(_story(books_settings(ctx, home), loan_id, number))
    if as_json:
        print_json(story)
        return
    for line in story_lines(story):
        print_text(line)


def story_lines(story: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of what `story_of` gives: what it is, what happened, what comes next."""
    from cli.storytelling import event_lines, runs  # noqa: PLC0415

    yield story["loan"]
    yield from (f"  {line}" for line in story["standing"])
    yield ""
    for event in runs(story["story"]):
        yield from event_lines(event)
    yield ""
    for item in story["cases"]:
        about = f"#{item['number']}" if item["number"] else "the loan"
        yield f"waits for a person, {about}: {item['what']}"
    yield from (f"next #{item['number']}: {item['what']}" for item in story["next"])


def trail(
    ctx: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="A payment, a debit order or a bank line.")
    ],
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Every posting about one payment, from the first report to the bank line that proves it.

    KEY is what `acquit story` names: a payment, a debit order, or a bank line.
    """
    from domain.money import decimal_text  # noqa: PLC0415

    postings = run_async(_trail(books_settings(ctx, home), key))
    if not postings:
        raise InvalidInput("key", key, "a payment, debit order or bank line of the books")
    rows: list[dict[str, Any]] = [
        {
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
        for item in postings
    ]
    if as_json:
        print_json(rows)
        return
    columns = (
        "seq>",
        "posted",
        "value",
        "event",
        "account",
        "place",
        "amount>",
        "currency",
        "payment",
        "line",
    )
    print_table(
        f"Trail of {key}",
        columns,
        [
            (
                row["seq"],
                instant_text(row["at"]),
                row["value_on"],
                row["event"],
                row["account"],
                row["place"] or "",
                row["amount"],
                row["currency"],
                row["payment"] or "",
                row["line"] or "",
            )
            for row in rows
        ],
    )


def read_subject(text: str) -> tuple[str, int | None]:
    """`LC00001` or `LC00001/2`."""
    loan_id, slash, number = text.partition("/")
    if not loan_id or (slash and not (number.isascii() and number.isdigit() and int(number) > 0)):
        raise InvalidInput("loan", text, "LOAN or LOAN/NUMBER, such as LC00001/2")
    return loan_id, int(number) if slash else None


async def _story(settings: Settings, loan_id: str, number: int | None) -> dict[str, Any]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await story_of(stack.queries, loan_id, number)


async def story_of(queries: Queries, loan_id: str, number: int | None) -> dict[str, Any]:
    """The story of a loan or installment as plain data.

    Raises:
        InvalidInput: the books have no such loan or installment.
    """
    from cli import storytelling as tell  # noqa: PLC0415
    from domain.loan.view import installment  # noqa: PLC0415

    loan = await queries.loan(loan_id)
    if loan is None:
        raise InvalidInput("loan", loan_id, "a loan that is boarded")
    if number is not None and number > len(loan.installments):
        raise InvalidInput("number", number, f"1 to {len(loan.installments)}")
    items = [item for item in loan.installments if number is None or item.number == number]
    coming = [
        {
            "number": item.number,
            "what": tell.coming(loan, await queries.view(installment(loan_id, item.number))),
        }
        for item in items
    ]
    zone = ZoneInfo(loan.product.timezone)
    cases = [
        {"kind": found.kind, "number": found.number, "what": tell.waiting(found, zone)}
        for found in await queries.waiting(loan_id)
        if found.number is None or number in {None, found.number}
    ]
    open_items = {item.number for item in items if item.closed_at is None}
    return {
        "loan": tell.heading(loan),
        "standing": [tell.standing(loan, item) for item in items],
        "story": list(tell.events(loan, await queries.story(loan_id, number))),
        "cases": cases,
        "next": [item for item in coming if number is not None or item["number"] in open_items],
    }


async def _trail(settings: Settings, key: str) -> tuple[JournalPosting, ...]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found: tuple[JournalPosting, ...] = await stack.queries.trail(key)
        return found
