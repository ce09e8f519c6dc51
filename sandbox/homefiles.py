"""The files that a sandbox keeps in its home: their names, and how they are removed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from typing import TYPE_CHECKING

from domain.errors import InvalidInput
from workers.clock import CLOCK_FILE
from workers.stackfile import SECRETS_FILE, STACK_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOOKS_DB = "books.db"
TEMPORAL_DB = "temporal.db"
SIMULATOR_DB = "simulator.db"
HOLIDAYS_FILE = "holidays.json"
READY_FILE = "simulator.ready"
LOG_FILE = "bank-log.json"
SIMULATED_RAILS = "simulator-rails.toml"
LOCK_FILE = "stack.lock"
DATABASES = (BOOKS_DB, TEMPORAL_DB, SIMULATOR_DB)
BESIDE = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database; what is committed may lie in them."""
_NAMES = (
    *(f"{name}{end}" for name in DATABASES for end in ("", *BESIDE)),
    *(CLOCK_FILE, STACK_FILE, SECRETS_FILE, LOG_FILE, HOLIDAYS_FILE, READY_FILE, SIMULATED_RAILS),
)
_OF_ADDRESSES = frozenset("?#%")
_LOG = re.compile(r"(temporal|simulator|worker-[0-9]+|acquit-errors)\.log")


def is_of_a_home(path: Path) -> bool:
    """Whether a file is one that a sandbox keeps in its home."""
    return path.name in {*_NAMES, LOCK_FILE} and (path.parent / LOCK_FILE).exists()


@contextlib.contextmanager
def only_stack_in(home: Path, *, fresh: bool) -> Iterator[None]:
    """Keep a home to one stack: a second one would remove the first one's books, or share them.

    The kernel ends the lock with its process, however that ends; the file stays, and says that a
    sandbox was here.

    Raises:
        InvalidInput: a stack runs there; a fresh one would remove files that no sandbox wrote; or
            a Temporal server would open another file than the home's.
    """
    if not _OF_ADDRESSES.isdisjoint(str(home.absolute())):
        rule = "a path without ?, # and %, which a Temporal server reads as parts of an address"
        raise InvalidInput("home", str(home), rule)
    if fresh and not (home / LOCK_FILE).exists():
        others = [name for name in _NAMES if os.path.lexists(home / name)]
        if others:
            rule = f"a home of a sandbox, or a folder without files called {', '.join(others)}"
            raise InvalidInput("home", str(home), rule)
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_FILE).open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            rule = "a home in which no stack runs: end that one, or give another --home"
            raise InvalidInput("home", str(home), rule) from None
        yield


def clear_home(home: Path) -> None:
    """Remove the state of an earlier sandbox: books, Temporal file and bank go together.

    Only what a sandbox has written itself is removed, by its whole name: a copy that somebody made
    beside it stays.
    """
    for name in _NAMES:
        (home / name).unlink(missing_ok=True)
    logs = home / "logs"
    if logs.is_dir():
        for log in logs.iterdir():
            if _LOG.fullmatch(log.name):
                log.unlink()
        with contextlib.suppress(OSError):  # logs of others lie there
            logs.rmdir()
