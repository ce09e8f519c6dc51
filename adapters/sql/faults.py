"""What a database error means for the transaction that met it."""

import sqlite3
from enum import Enum, auto

import asyncpg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.loan.change import Lacks


class Fault(Enum):
    """Which way to go after an error."""

    AGAIN = auto()
    """Deadlock, serialization failure, lock not given in time: try again on a new snapshot."""
    LOST = auto()
    """The connection is gone; a commit may have happened: look, then answer or retry."""
    RACE = auto()
    """A key exists already: another process was first, or the command itself breaks a key."""
    WIDER = auto()
    """A decision must look at more than its command names: load that as well."""
    OTHER = auto()
    """Anything else; trying the same again would fail the same way."""


class Raced(Exception):
    """Another process wrote what this group had looked for and not found."""


_AGAIN_STATES = {"40001", "40P01", "55P03"}
# Connection exceptions are class 08; 57P01-03 are a server that shuts down or starts up, 25P03 and
# 57P05 a session that was ended because its program did nothing for too long.
_LOST_STATES = {"57P01", "57P02", "57P03", "57P05", "25P03"}


def fault_of(error: BaseException) -> Fault:
    """Classify an error of either driver, wrapped by SQLAlchemy or not."""
    if isinstance(error, OSError | PoolTimeoutError | TimeoutError):
        return Fault.LOST
    if isinstance(error, asyncpg.InterfaceError):
        return Fault.LOST
    if isinstance(error, asyncpg.PostgresError):
        return _by_state(str(error.sqlstate or ""))
    if isinstance(error, Lacks):
        return Fault.WIDER
    if isinstance(error, Raced):
        return Fault.RACE
    if not isinstance(error, DBAPIError):
        return Fault.OTHER
    if isinstance(error, IntegrityError):
        return Fault.RACE
    if error.connection_invalidated:
        return Fault.LOST
    return _by_driver(error.orig)


def _by_driver(origin: BaseException | None) -> Fault:
    if isinstance(origin, sqlite3.OperationalError):
        text = str(origin)
        return Fault.AGAIN if "locked" in text or "busy" in text else Fault.OTHER
    if isinstance(origin, OSError):
        return Fault.LOST
    state = str(getattr(origin, "sqlstate", None) or "")
    if not state and "connection" in str(origin).lower():
        return Fault.LOST
    return _by_state(state)


def _by_state(state: str) -> Fault:
    if state in _AGAIN_STATES:
        return Fault.AGAIN
    if state in _LOST_STATES or state.startswith("08"):
        return Fault.LOST
    return Fault.OTHER
