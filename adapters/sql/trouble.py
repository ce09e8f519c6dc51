"""Foreseeable faults of a database, each in one line for the person who runs a command."""

import socket
import sqlite3
from dataclasses import dataclass

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong and what to do. `away`: it may pass, and the same command will then work."""

    text: str
    away: bool


_DAMAGED = Trouble("the file of the books is damaged: restore it", away=False)
_OTHERS = Trouble("the books are of another version, or not ours: `acquit db upgrade`", away=False)
_FILE = {
    "unable to open database file": Trouble("the file of the books cannot be opened", away=False),
    "file is not a database": Trouble("the books' file is no database, or damaged", away=False),
    "readonly database": Trouble("the books may only be read here: nothing is written", away=False),
    "database or disk is full": Trouble("the disk is full: make room and try again", away=True),
    "disk i/o error": Trouble("the disk that holds the books fails, or is full", away=True),
    "database is locked": Trouble("another program keeps the books busy: try again", away=True),
    "no such table": Trouble("no books are here yet: run `acquit db upgrade`", away=False),
    "no such column": _OTHERS,
}
_STATES = {
    "28P01": Trouble("the database refuses the password", away=False),
    "28000": Trouble("the database refuses the role", away=False),
    "3D000": Trouble("the database server has no database of that name", away=False),
    "42703": _OTHERS,
    "42P01": Trouble("no books are here yet: run `acquit db upgrade`", away=False),
    "42501": Trouble("the role lacks rights: `acquit db upgrade --grant-to ROLE`", away=False),
    "25006": Trouble("the books may only be read here: nothing is written", away=False),
    "53100": Trouble("the disk of the database is full: make room and try again", away=True),
    "53300": Trouble("the database has no free connection: try again", away=True),
}
_AWAY = ("08", "57P")
_GONE = (ConnectionError, socket.gaierror, TimeoutError, PoolTimeoutError, asyncpg.InterfaceError)


def trouble_of(error: BaseException) -> Trouble | None:
    """The words for an error of either database; None for one that nobody could foresee."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(origin, sqlite3.Error):
        text = str(origin).lower()
        # The class itself, no kind of it: SQLite met bytes that it did not write.
        other = _DAMAGED if type(origin) is sqlite3.DatabaseError else None
        return next((found for part, found in _FILE.items() if part in text), other)
    state = str(getattr(origin, "sqlstate", None) or "")
    if state in _STATES:
        return _STATES[state]
    refused = isinstance(origin, OSError) and "Connect call failed" in str(origin)
    if state.startswith(_AWAY) or refused or isinstance(origin, _GONE):
        return Trouble(f"the database does not answer: {origin}; start it, try again", away=True)
    return None
