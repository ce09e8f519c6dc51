"""The simulator's state: one SQLite file, written in transactions, intact after a kill."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Value = str | int | None
Row = dict[str, Value]
SCHEMA = Path(__file__).with_name("schema.sql")
SCHEMA_VERSION = 4
"""Raised with every change of the tables: a database of another release is refused, not mended."""


class Store:
    """One connection, used from the event loop's thread only, so transactions never interleave."""

    def __init__(self, path: str) -> None:
        """Open or create the file.

        Raises sqlite3.Error where it is not a database, ValueError for that of another release.
        """
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # NORMAL survives the death of the process, which is what a simulator must survive.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._of_this_release(path)
        self._db.executescript(SCHEMA.read_text(encoding="utf-8"))
        self._inside = False

    def _of_this_release(self, path: str) -> None:
        version = self.count("PRAGMA user_version")
        if version != SCHEMA_VERSION:
            if self.count("SELECT COUNT(*) FROM sqlite_master"):
                msg = f"{path}: the database of another release of the simulator"
                raise ValueError(msg)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def tx(self) -> Iterator[None]:
        """Run a block as one transaction; a block inside a block belongs to the outer one."""
        if self._inside:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._inside = True
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        finally:
            self._inside = False

    def run(self, sql: str, *values: Value) -> None:
        """Execute one statement."""
        self._db.execute(sql, values)

    def one(self, sql: str, *values: Value) -> sqlite3.Row | None:
        """Return the first row, or None."""
        row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """Return every row."""
        return self._db.execute(sql, values).fetchall()

    def count(self, sql: str, *values: Value) -> int:
        """Return the single number of a query, NULL as zero."""
        return int(self._db.execute(sql, values).fetchone()[0] or 0)

    def insert(self, table: str, row: Row) -> None:
        """Insert a row; table and column names come from this program only."""
        marks = ", ".join("?" for _ in row)
        sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
        self._db.execute(sql, tuple(row.values()))

    def get(self, key: str) -> str | None:
        """Return a setting, or None."""
        row = self.one("SELECT value FROM meta WHERE key = ?", key)
        return None if row is None else str(row["value"])

    def put(self, key: str, value: str) -> None:
        """Keep a setting."""
        self.run("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", key, value)

    def bump(self, key: str) -> int:
        """Count a call on a key and return its number, from 1."""
        sql = (
            "INSERT INTO calls (key, n) VALUES (?, 1)"
            " ON CONFLICT (key) DO UPDATE SET n = n + 1 RETURNING n"
        )
        return int(self._db.execute(sql, (key,)).fetchone()[0])

    def schedule(self, due_ms: int, kind: str, ref: str) -> None:
        """Note that something falls due; the same thing at the same instant is noted once."""
        self.run(
            "INSERT OR IGNORE INTO events (due_ms, kind, ref) VALUES (?, ?, ?)", due_ms, kind, ref
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()
