"""Looks at a folder once: `python -m tests.support.collectprocess URL FOLDER LOG [WHERE]`.

Every reading that is asked for is a line in the file LOG, once for each hash. With WHERE the
process kills itself, as a machine that loses power does: after it has `kept` a file, `remembered`
that, had its reading `started`, or `moved` it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

from activities.collecting import Collected, Collector
from adapters.sources.folder import Folder, FolderStatements
from adapters.sql.engine import books_engine
from adapters.sql.read.archive import SqlArchive
from adapters.sql.write.books import SqlBooks
from ports.archive import Look
from ports.statementsource import StatementFile
from tests.support.booksbench import StillClock
from tests.support.memory import RULES

ACCOUNT = "A"


class Fuse:
    """Kills this process where it is told to."""

    def __init__(self, where: str) -> None:
        self._where = where

    def burn(self, where: str) -> None:
        """It has happened."""
        if where == self._where:
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedArchive(SqlArchive):
    """The real archive, which says when something is in it."""

    fuse: Fuse

    async def keep(self, kind: str, parts: AsyncIterator[bytes], account: str | None = None) -> str:
        """Keep a file."""
        sha256 = await super().keep(kind, parts, account)
        self.fuse.burn("kept")
        return sha256

    async def looked(self, source: str, file_id: str, look: Look) -> None:
        """Remember a file."""
        await super().looked(source, file_id, look)
        self.fuse.burn("remembered")


class WatchedFolder(FolderStatements):
    """The real folder, which says when a file has left it."""

    fuse: Fuse

    async def taken(self, file: StatementFile) -> None:
        """Move a file."""
        await super().taken(file)
        self.fuse.burn("moved")


class LoggedStarter:
    """Starts each reading once by its hash, as Temporal does; the log is what was started."""

    def __init__(self, log: Path, fuse: Fuse) -> None:
        self._log, self._fuse = log, fuse

    async def start_statement(self, tenant: str, sha256: str, account: str = "") -> bool:
        """Start a reading."""
        known = self._log.read_text().split() if self._log.exists() else []
        if sha256 in known:
            return False
        with self._log.open("a") as log:
            log.write(f"{sha256}\n")
        self._fuse.burn("started")
        return True


async def _main(url: str, folder: Path, log: Path, where: str) -> None:
    engine, clock, fuse = books_engine(url), StillClock(), Fuse(where)
    archive = WatchedArchive(engine, clock)
    source = WatchedFolder(ACCOUNT, Folder(folder / "in", done=folder / "done", settle_s=0.0))
    archive.fuse = source.fuse = fuse
    starter: Any = LoggedStarter(log, fuse)
    async with SqlBooks(engine, clock, RULES) as books:
        collector = Collector({ACCOUNT: source}, archive, books, starter, clock)
        done = await collector.collect("t1", ACCOUNT, date(2026, 3, 2), Collected())
    await engine.dispose()
    assert done.faults == (), done.faults


if __name__ == "__main__":
    given = [*sys.argv[1:], ""]
    asyncio.run(_main(given[0], Path(given[1]), Path(given[2]), given[3]))
