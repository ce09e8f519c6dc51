"""`acquit story`: what happened to a loan or an installment, and what comes next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from zoneinfo import ZoneInfo

import typer

from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_text,
    run_async,
)
from domain.errors import InvalidInput
from ports.paging import LIMIT_MOST
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.case.case import Case
    from domain.loan.aggregate import Installment, Loan
    from domain.story.events import StoryEvent
    from ports.consolequeries import ConsoleQueries
    from ports.driverqueries import DriverQueries
    from ports.paging import Page
    from workers.settings import Settings

    class StoryQueries(DriverQueries, ConsoleQueries, Protocol):
        """The readers that a story needs."""


_KINDS = {
    "Moved": "move",
    "Posted": "entry",
    "RefusedBy": "refusal",
    "LeftNothing": "nothing",
}
"""What an effect is called in JSON."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("story", epilog="Example: acquit story LC00001/2")(story)


def story(
    ctx: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="LOAN[/NUMBER]", help="Loan, or installment.")],
    *,
    after: Annotated[str, typer.Option(help="Go on where a page ended.")] = "",
    limit: Annotated[
        int, typer.Option(min=1, max=LIMIT_MOST, help="Tell so many events at most.")
    ] = 1_000,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Tell what happened to a loan or one installment, in order, and what comes next.

    With --json the events as they are: each command with its moves, entries or refusal.
    """
    loan_id, number = read_subject(subject)
    found = run_async(_story(books_settings(ctx, home), loan_id, number, after, limit))
    if as_json:
        print_json(found.as_json())
        return
    for line in story_lines(found):
        print_text(line)
    if found.events.after:
        note(f"there is more: go on with --after {found.events.after}")


@dataclass(frozen=True, slots=True)
class Story:
    """A page of a story, with what the loan is, what waits for a person, and what comes next."""

    loan: Loan
    number: int | None
    events: Page[StoryEvent]
    cases: tuple[Case, ...]
    coming: Mapping[int, str]

    @property
    def items(self) -> list[Installment]:
        """The installments that it is about."""
        return [one for one in self.loan.installments if self.number in {None, one.number}]

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the loan's days."""
        return ZoneInfo(self.loan.product.timezone)

    def as_json(self) -> dict[str, Any]:
        """The events as they are, and the rest in words."""
        from domain.story import standing  # noqa: PLC0415

        return {
            "loan": standing.heading(self.loan),
            "standing": [standing.standing(self.loan, item) for item in self.items],
            "events": [event_row(event) for event in self.events.items],
            "after": self.events.after,
            "cases": [
                {
                    "kind": found.kind,
                    "number": found.number,
                    "what": standing.waiting(found, self.zone),
                }
                for found in self.cases
            ],
            "next": [{"number": one, "what": what} for one, what in self.coming.items()],
        }


def event_row(event: StoryEvent) -> dict[str, Any]:
    """An event as plain values; each effect says in `kind` what it is."""
    row = asdict(event)
    kinds = (_KINDS[type(effect).__name__] for effect in event.effects)
    row["effects"] = [
        {"kind": kind, **effect} for kind, effect in zip(kinds, row["effects"], strict=True)
    ]
    return row


def story_lines(story: Story) -> Iterator[str]:
    """Yield the lines of a story: what the loan is, what happened, what comes next."""
    from domain.story import standing, words  # noqa: PLC0415

    yield standing.heading(story.loan)
    yield from (f"  {standing.standing(story.loan, item)}" for item in story.items)
    yield ""
    for event in words.runs(words.in_words(story.events.items, story.zone, story.loan.currency)):
        yield from event.lines()
    yield ""
    for found in story.cases:
        about = f"#{found.number}" if found.number else "the loan"
        what = standing.waiting(found, story.zone)
        yield f"waits for a person, {about}: {what}"
    yield from (f"next #{number}: {what}" for number, what in story.coming.items())


def read_subject(text: str) -> tuple[str, int | None]:
    """`LC00001` or `LC00001/2`."""
    loan_id, slash, number = text.partition("/")
    if not loan_id or (slash and not (number.isascii() and number.isdigit() and int(number) > 0)):
        raise InvalidInput("loan", text, "LOAN or LOAN/NUMBER, such as LC00001/2")
    return loan_id, int(number) if slash else None


async def _story(
    settings: Settings, loan_id: str, number: int | None, after: str, limit: int
) -> Story:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await story_of(stack.queries, loan_id, number, after, limit)


async def story_of(
    queries: StoryQueries,
    loan_id: str,
    number: int | None,
    after: str = "",
    limit: int = LIMIT_MOST,
) -> Story:
    """The story of a loan or installment.

    Raises:
        InvalidInput: the books have no such loan or installment, or no such page.
    """
    from domain.loan.view import installment  # noqa: PLC0415
    from domain.story import standing  # noqa: PLC0415

    loan = await queries.loan(loan_id)
    if loan is None:
        raise InvalidInput("loan", loan_id, "a loan that is boarded")
    if number is not None and number > len(loan.installments):
        raise InvalidInput("number", number, f"1 to {len(loan.installments)}")
    wanted = [
        item.number
        for item in loan.installments
        if item.number == number or (number is None and item.closed_at is None)
    ]
    return Story(
        loan,
        number,
        await queries.story(loan_id, number, after, limit),
        tuple(
            found
            for found in (await queries.waiting(loan_id)).items
            if found.number is None or number in {None, found.number}
        ),
        {
            one: standing.coming(loan, await queries.view(installment(loan_id, one)))
            for one in wanted
        },
    )
