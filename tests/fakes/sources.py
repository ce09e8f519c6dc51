"""A statement source for tests: files by id, which it hands out in parts."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

from ports.statementsource import StatementFile

PART = 5


async def in_parts(content: bytes, size: int = PART) -> AsyncIterator[bytes]:
    """The content in parts of so many bytes."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


@dataclass
class FakeSource:
    """Offers the files that it was given; those in `broken` raise this when they are opened."""

    account: str = "acc"
    files: dict[str, tuple[StatementFile, bytes]] = field(default_factory=dict)
    broken: dict[str, Exception] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def offer(self, name: str, content: bytes, on: date, announced: str | None = None) -> str:
        """Put a file on offer; its hash, or the one that is announced instead."""
        sha256 = announced or hashlib.sha256(content).hexdigest()
        file = StatementFile(name, self.account, on, len(self.files), sha256)
        self.files[name] = (file, content)
        return sha256

    async def offered(self, first: date, last: date) -> tuple[StatementFile, ...]:
        return tuple(file for file, _ in self.files.values() if first <= file.date <= last)

    @asynccontextmanager
    async def open(self, file_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        self.opened.append(file_id)
        if (error := self.broken.get(file_id)) is not None:
            raise error
        yield in_parts(self.files[file_id][1])
