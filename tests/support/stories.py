"""Stories as tests look at them: the effects of all events in a row."""

from collections.abc import Iterable, Iterator

from domain.story.events import Effect, LeftNothing, Moved, Posted, RefusedBy, StoryEvent
from ports.consolequeries import ConsoleQueries

WHOLE = ("", 1_000)
"""A page that holds the whole story of a test."""


async def story(
    queries: ConsoleQueries, loan_id: str, number: int | None = None
) -> tuple[StoryEvent, ...]:
    """The whole story of a loan or installment."""
    page = await queries.story(loan_id, number, *WHOLE)
    assert page.after == ""
    return page.items


def effects(events: Iterable[StoryEvent]) -> Iterator[tuple[StoryEvent, Effect]]:
    """Every effect with its event."""
    for event in events:
        for effect in event.effects:
            yield event, effect


def names(events: Iterable[StoryEvent]) -> list[str]:
    """Every effect by its name: of a command that had none, the command."""
    return [_name(event, effect) for event, effect in effects(events)]


def _name(event: StoryEvent, effect: Effect) -> str:
    match effect:
        case Moved() | Posted():
            return effect.event
        case RefusedBy() | LeftNothing():
            return event.command
