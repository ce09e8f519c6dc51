"""`acquit story` and `acquit trail`: what happened to a loan, and where money went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.errors import InvalidInput
from workers.console import (
    HomeOption,
    JsonOption,
    books_settings,
    instant_text,
    print_json,
    print_table,
    print_text,
    run_async,
)

if TYPE_CHECKING:
    from ports.desk import Desk, JournalPosting
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
    from workers.storytelling import event_lines  # noqa: PLC0415

    told = run_async(_story(books_settings(ctx, home), loan_id, number))
    if as_json:
        print_json(told)
        return
    print_text(told["loan"])
    for line in told["standing"]:
        print_text(f"  {line}")
    print_text()
    for event in told["story"]:
        for line in event_lines(event):
            print_text(line)
    print_text()
    for item in told["next"]:
        print_text(f"next #{item['number']}: {item['what']}")


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
            "value_on": item.value_on,
            "event": item.event,
            "account": item.account,
            "amount": decimal_text(item.minor, item.currency),
            "currency": item.currency,
            "payment": item.receipt,
            "order_no": item.order_no,
            "line": item.line,
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
        return await story_of(stack.desk, loan_id, number)


async def story_of(desk: Desk, loan_id: str, number: int | None) -> dict[str, Any]:
    """The story of a loan or installment as plain data.

    Raises:
        InvalidInput: the books have no such loan or installment.
    """
    from workers import storytelling as tell  # noqa: PLC0415

    loan = await desk.loan(loan_id)
    if loan is None:
        raise InvalidInput("loan", loan_id, "a loan that is boarded")
    if number is not None and number > len(loan.installments):
        raise InvalidInput("number", number, f"1 to {len(loan.installments)}")
    items = [item for item in loan.installments if number is None or item.number == number]
    coming = [
        {"number": item.number, "what": tell.coming(loan, await desk.view(loan_id, item.number))}
        for item in items
    ]
    open_items = {item.number for item in items if item.closed_at is None}
    return {
        "loan": tell.heading(loan),
        "standing": [tell.standing(loan, item) for item in items],
        "story": list(tell.events(loan, await desk.story(loan_id, number))),
        "next": [item for item in coming if number is not None or item["number"] in open_items],
    }


async def _trail(settings: Settings, key: str) -> tuple[JournalPosting, ...]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found: tuple[JournalPosting, ...] = await stack.desk.trail(key)
        return found
