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
    """One file on offer. `sha256` as the source announces it, in lower-case hex."""

    id: str
    account: str
    date: date
    sequence: int
    sha256: str


class StatementSource(Protocol):
    """The statement files of one bank account."""

    async def offered(self, first: date, last: date) -> tuple[StatementFile, ...]:
        """The files on offer for booking days from `first` to `last`.

        Raises:
            SourceUnavailable: no usable answer came.
        """
        ...

    def open(self, file_id: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """One file as the bank wrote it, in parts, which are read once and in order.

        Raises:
            SourceUnavailable: no usable answer came, or only a part of it: then from the iterator.
        """
        ...
