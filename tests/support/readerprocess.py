"""Reads a kept file: `python -m tests.support.readerprocess URL SHA256 LOG [WHERE COUNT]`.

Every page that is handed to the books is a line in the file LOG. With WHERE the process kills
itself, as a machine that loses power does: `booked` after so many pages, before the last of them is
remembered; `remembered` after it is; `recorded` after so many statements are.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.testing import ActivityEnvironment

from activities.statements import StatementActivities, StatementOrder
from adapters.sql.engine import books_engine
from adapters.sql.read.archive import SqlArchive
from adapters.sql.write.books import SqlBooks
from adapters.statements.anyfile import StatementFileReader
from domain.kernel.change import Applied, Refused
from ports.archive import Reached, StatementRecord
from ports.clock import Clock
from tests.support.booksbench import StillClock
from tests.support.doors import AnyCommand, BookLine
from tests.support.memory import RULES

PAGE_LINES = 20


class Fuse:
    """Kills this process once something has happened so often."""

    def __init__(self, where: str, count: int) -> None:
        self._where, self._left = where, count

    def burn(self, where: str) -> None:
        """It has happened once more."""
        if where == self._where:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class LoggedBooks(SqlBooks):
    """The real books, with a log of the pages that they were handed."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, log: Path, burn: Callable[[str], None]
    ) -> None:
        super().__init__(engine, clock, RULES)
        self._log, self._burn = log, burn

    async def apply_many(
        self, commands: Sequence[AnyCommand]
    ) -> Sequence[Applied | Refused | Exception]:
        """Book a page."""
        answers = await super().apply_many(commands)
        first = commands[0]
        if isinstance(first, BookLine):
            with self._log.open("a", encoding="utf-8") as log:
                log.write(f"{first.line.id}\n")
            self._burn("booked")
        return answers


class WatchedArchive(SqlArchive):
    """The real archive, which says when something is in it."""

    def __init__(self, engine: AsyncEngine, clock: Clock, burn: Callable[[str], None]) -> None:
        super().__init__(engine, clock)
        self._burn = burn

    async def reach(self, sha256: str, before: Reached | None, now: Reached) -> bool:
        """Remember a page."""
        done = await super().reach(sha256, before, now)
        self._burn("remembered")
        return done

    async def record_statement(self, record: StatementRecord, *, ends_file: bool) -> bool:
        """Record a statement."""
        done = await super().record_statement(record, ends_file=ends_file)
        self._burn("recorded")
        return done


async def _main(url: str, sha256: str, log: Path, where: str, count: int) -> None:
    engine, clock, fuse = books_engine(url), StillClock(), Fuse(where, count)
    archive = WatchedArchive(engine, clock, fuse.burn)
    async with LoggedBooks(engine, clock, log, fuse.burn) as books:
        activities = StatementActivities(archive, StatementFileReader(page_lines=PAGE_LINES), books)
        await ActivityEnvironment().run(activities.book, StatementOrder("t1", sha256))
    await engine.dispose()


if __name__ == "__main__":
    given = [*sys.argv[1:], "", "0"]
    asyncio.run(_main(given[0], given[1], Path(given[2]), given[3], int(given[4])))
