"""Lists in pages: every list has a limit, and a cursor with which it goes on."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.errors import InvalidInput

T = TypeVar("T")
LIMIT_MOST = 10_000
"""Most items of one page."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list.

    Attributes:
        after: where the list goes on: given back as it is, it brings the next page. It names the
            last item, so that what is added meanwhile moves no other item into a page twice. Empty
            at the end.
    """

    items: tuple[T, ...]
    after: str = ""


def checked_limit(limit: int) -> int:
    """The limit of a page.

    Raises:
        InvalidInput: it is not positive, or more than a page may have.
    """
    if not 1 <= limit <= LIMIT_MOST:
        raise InvalidInput("limit", limit, f"1 to {LIMIT_MOST}")
    return limit


async def walk(ask: Callable[[str], Awaitable[Page[T]]]) -> AsyncGenerator[T]:
    """Every item of a list, page by page; `ask` gives the page behind a cursor."""
    after = ""
    while True:
        page = await ask(after)
        for item in page.items:
            yield item
        if not (after := page.after):
            return
