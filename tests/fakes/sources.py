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
    """Offers the files that it was given; those in `broken` raise this when they are opened.

    Files in `stuck` raise this when they are moved; `done` and `aside` are where they are moved to,
    None: nowhere.
    """

    account: str = "acc"
    files: dict[str, tuple[StatementFile, bytes]] = field(default_factory=dict)
    broken: dict[str, Exception] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    stuck: dict[str, Exception] = field(default_factory=dict)
    done: list[str] | None = None
    aside: list[str] | None = None
    settle_s: float = 0.0

    def offer(self, name: str, content: bytes, on: date, announced: str | None = None) -> str:
        """Put a file on offer; its hash, or the one that is announced instead."""
        sha256 = announced or hashlib.sha256(content).hexdigest()
        file = StatementFile(name, self.account, on, len(self.files), sha256)
        self.files[name] = (file, content)
        return sha256

    def show(self, name: str, content: bytes) -> None:
        """Put a file there as a folder does: without hash or day, with a stamp by its size."""
        stamp = f"{len(content)}/{hashlib.sha256(content).hexdigest()[:8]}"
        self.files[name] = (StatementFile(name, self.account, stamp=stamp), content)

    async def offered(self, first: date, last: date) -> tuple[StatementFile, ...]:
        known = [file for file, _ in self.files.values()]
        return tuple(
            file for file in known if file.booked_on is None or first <= file.booked_on <= last
        )

    @asynccontextmanager
    async def open(self, file: StatementFile) -> AsyncIterator[AsyncIterator[bytes]]:
        self.opened.append(file.id)
        if (error := self.broken.get(file.id)) is not None:
            raise error
        yield in_parts(self.files[file.id][1])

    async def taken(self, file: StatementFile) -> None:
        self._move(file, self.done)

    async def put_aside(self, file: StatementFile) -> None:
        self._move(file, self.aside)

    def _move(self, file: StatementFile, to: list[str] | None) -> None:
        if (error := self.stuck.get(file.id)) is not None:
            raise error
        if to is not None:
            to.append(file.id)
            del self.files[file.id]
