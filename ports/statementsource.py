"""Where statement files of a bank account come from.

A source belongs to a bank account, whatever rails settle on it. It decides nothing: it lists what
is on offer and hands out a file as it is.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from domain.errors import AcquitError


class SourceUnavailable(AcquitError):
    """The source gave no usable answer. Asking changes nothing there, so ask again.

    Args:
        why: a short code such as `connect`, `http_429`; never an address or a secret.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"statement source unavailable: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class StatementFile:
    """One file on offer.

    Attributes:
        id: names the file at its source, at most 800 characters.
        booked_on, sequence: of the statement, where the source announces them.
        sha256: as the source announces it, in lower-case hex; None where it does not.
        stamp: size and time as the source shows them, at most 80 characters: while they change, the
            file is still being written. Empty where a file is on offer only when it is whole.
    """

    id: str
    account: str
    booked_on: date | None = None
    sequence: int = 0
    sha256: str | None = None
    stamp: str = ""


class StatementSource(Protocol):
    """The statement files of one bank account.

    `settle_s`: for how many seconds the stamp of a file must not have changed before it is taken.
    """

    @property
    def settle_s(self) -> float:
        """See the class."""
        ...

    async def offered(self, first: date, last: date) -> tuple[StatementFile, ...]:
        """The files on offer for booking days from `first` to `last`.

        Raises:
            SourceUnavailable: no usable answer came.
        """
        ...

    def open(self, file: StatementFile) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """One file as the bank wrote it, in parts, which are read once and in order.

        Raises:
            SourceUnavailable: no usable answer came, or only a part of it, or the file is not any
                more what its stamp says: then from the iterator.
        """
        ...

    async def taken(self, file: StatementFile) -> None:
        """The file is kept and will be read: move it out of the way, where that is agreed.

        Raises:
            SourceUnavailable: it stays where it is; it is taken to be done once more.
        """
        ...

    async def put_aside(self, file: StatementFile) -> None:
        """The file cannot be taken, now or later: move it out of the way, where that is agreed.

        Raises:
            SourceUnavailable: it stays where it is.
        """
        ...
