"""The write side of the books: commands go in, answers come out."""

from collections.abc import Sequence
from typing import Protocol

from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command


class Books(Protocol):
    """Money, state and evidence, changed by commands only.

    A command is applied once: the same id and content gives the stored answer with the current
    view; the same id with another content raises `Conflict`. Evidence is never refused.
    """

    async def apply(self, command: Command) -> Applied | Refused:
        """Apply one command in one transaction.

        Raises:
            Conflict: the id was used for another content.
            InvariantBroken: the decision contradicted itself; nothing was written.
        """
        ...

    async def apply_many(
        self, commands: Sequence[Command]
    ) -> Sequence[Applied | Refused | Exception]:
        """Apply a bounded batch by the same path; one answer, refusal or fault for each."""
        ...


class BooksWithDoors(Books, Protocol):
    """The books as a process opens them: each door is given to those who come in by it."""

    def for_drivers(self) -> Books:
        """The door of the activities of drivers, and of nobody else.

        A driver is given the new view as the answer, so it needs no message about that.
        """
        ...
