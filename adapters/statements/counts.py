"""Counts how often each number has come, in bounded memory: beyond a few MiB it is on disk."""

import sqlite3
from types import TracebackType
from typing import Self

_TABLE = "CREATE TABLE seen (key INTEGER PRIMARY KEY, times INTEGER NOT NULL)"
_COUNT = (
    "INSERT INTO seen VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1"
    " RETURNING times"
)


class Counts:
    """A temporary database of SQLite's own: without a name, gone when it is closed."""

    def __init__(self) -> None:
        # A reader is taken from one thread to the next, but never used by two at once.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def count(self, key: int) -> int:
        """How often this signed 64-bit number has come, this time included."""
        (times,) = self._database.execute(_COUNT, (key,)).fetchone()
        return int(times)

    def clear(self) -> None:
        """Begin anew."""
        self._database.execute("DELETE FROM seen")
