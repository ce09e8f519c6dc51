"""What a case points to as its evidence: orders, files, messages, commands, payments and lines."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.kernel.canonical import bounded
from domain.kernel.command import Command

LINKS_MOST = 20
"""Links of one case; the newest are kept."""


class LinkTo(StrEnum):
    """What a link points to."""

    ORDER = "order"
    """A debit order, by its number."""
    PAYMENT = "payment"
    """A payment, by its id."""
    LINE = "line"
    """A bank line, by its id."""
    FILE = "file"
    """A file or the body of a report, by its SHA-256."""
    MESSAGE = "message"
    """A message of the outbox, by its number, or one to a borrower, by its id."""
    COMMAND = "command"
    """The command that opened the case, or another one, by its id."""


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that a case points to: what it is, and by which name the books find it."""

    to: LinkTo
    name: str


_FIELDS = {
    "order_no": LinkTo.ORDER,
    "payment": LinkTo.PAYMENT,
    "line": LinkTo.LINE,
    "file": LinkTo.FILE,
    "raw": LinkTo.FILE,
    "message": LinkTo.MESSAGE,
    "message_id": LinkTo.MESSAGE,
    "notice": LinkTo.MESSAGE,
}
"""The fields of commands that name something a case can point to."""


def links_of(command: Command) -> Iterator[Link]:
    """Yield what a command names that a case can point to, and last the command itself."""
    for name, to in _FIELDS.items():
        value = getattr(command, name, None)
        if isinstance(value, str | int) and value:
            yield Link(to, str(value))
    yield Link(LinkTo.COMMAND, command.id)


def linked(*links: Iterable[Link]) -> tuple[Link, ...]:
    """These links, each once and no longer than the books hold; the first `LINKS_MOST` of them."""
    all_of = (Link(link.to, bounded(link.name)) for several in links for link in several)
    return tuple(dict.fromkeys(link for link in all_of if link.name))[:LINKS_MOST]


def in_words(links: Iterable[Link]) -> str:
    """Links in words; without commands, which a move in the journal names by itself."""
    return ", ".join(f"{it.to} {it.name}" for it in links if it.to is not LinkTo.COMMAND)
