"""Engines: addresses with their driver, SQLite made safe for money, explicit isolation."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, ColumnElement, any_, bindparam, event, func, make_url, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.types import Text

from domain.errors import InvalidInput

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite connection waits for the write lock."""
LOCK_TIMEOUT_MS = 5_000
"""How long a PostgreSQL statement waits for a lock; then its transaction begins anew."""
IDLE_TIMEOUT_MS = 10_000
"""How long a PostgreSQL transaction may wait for its own program. A program that is suspended, or
whose machine is gone, while it holds the chain's head stops every other writer for so long."""
CONNECT_TIMEOUT_S = 10.0
_READER = "acquit_reader"


class NotUtf8(ValueError):
    """A cell of a SQLite database holds text that is not UTF-8, as anybody may write it there."""


def books_url(url: str) -> URL:
    """The address with its driver always named, so that no default can pick another one.

    Raises:
        InvalidInput: no address, neither SQLite nor PostgreSQL, or a SQLite database in memory,
            which two connections could not share. The address is not shown: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidInput("database url", "(not shown)", "DIALECT://USER@HOST:PORT/NAME") from None
    driver = _DRIVERS.get(parsed.get_backend_name(), "")
    if not driver:
        raise InvalidInput("database url", parsed.get_backend_name(), "sqlite or postgresql")
    if driver.startswith("sqlite") and parsed.database in {None, "", ":memory:"}:
        raise InvalidInput("database url", "sqlite in memory", "a file")
    return parsed.set(drivername=driver)


def books_engine(url: str, *, pool_size: int = 5, create: bool = False) -> AsyncEngine:
    """An engine whose transactions may write; see `reader` for those that only look.

    Its errors show statements without their parameters: those are people's. No PostgreSQL
    transaction of it waits for a lock, or keeps one while it does nothing, without limit. A SQLite
    file is made only where `create` says so; one that may not be written is read and nothing more.
    """
    address = books_url(url)
    if address.get_backend_name() == "postgresql":
        return create_async_engine(
            address,
            isolation_level="READ COMMITTED",
            pool_size=pool_size,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"server_settings": _POSTGRES, "timeout": CONNECT_TIMEOUT_S},
        )
    path = Path(address.database or "")
    fixed = path.is_file() and not _writable(path)
    if fixed:
        address = _only_read(address, path)
    engine = create_async_engine(address, pool_size=pool_size, max_overflow=5, hide_parameters=True)
    if not create and not fixed:
        event.listen(engine.sync_engine, "do_connect", _must_be_there(path))
    event.listen(engine.sync_engine, "connect", _sqlite_read if fixed else _sqlite_connect)
    event.listen(engine.sync_engine, "begin", _sqlite_begin)
    event.listen(engine.sync_engine, "handle_error", _sqlite_error)
    return engine


_POSTGRES = {
    "application_name": "acquit",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
    # A machine that vanished without a word: its locks are given back within a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def is_there(engine: AsyncEngine) -> bool:
    """Whether the file of a SQLite database exists; asking makes none."""
    return Path(engine.url.database or "").is_file() or "immutable" in engine.url.query


def _writable(path: Path) -> bool:
    """Whether the file and its folder (for the write-ahead log beside it) may be written."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _only_read(address: URL, path: Path) -> URL:
    """The address of a file that is read as evidence: no log, lock or index is made beside it.

    Raises:
        InvalidInput: the file's write-ahead log holds changes and cannot be read without writing.
    """
    left = path.with_name(f"{path.name}-wal")
    if left.is_file() and left.stat().st_size:
        rule = "merged with its -wal file: open a copy of both in a folder that may be written"
        raise InvalidInput("database", str(path), rule)
    query = {"mode": "ro", "immutable": "1", "uri": "true"}
    return address.set(database=f"file:{quote(str(path))}", query=query)


def _must_be_there(path: Path) -> Callable[..., None]:
    def check(*_seen: object) -> None:
        if not path.is_file():
            rule = "books that exist: run `acquit db upgrade`, `acquit up` or `acquit demo` first"
            raise InvalidInput("database", str(path), rule)

    return check


def _sqlite_read(connection: Any, _record: object) -> None:  # noqa: ANN401  (DB-API object)
    """Transactions are begun by us; nothing else is set, for that could write."""
    connection.isolation_level = None


def reader(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for transactions that only read: on SQLite they take no write lock."""
    return engine.execution_options(**{_READER: True})


def is_postgres(engine: AsyncEngine) -> bool:
    """Whether this is PostgreSQL; otherwise it is SQLite."""
    return engine.dialect.name == "postgresql"


def among(column: ColumnElement[Any], name: str, *, postgres: bool) -> ColumnElement[bool]:
    """`column` is one of the values of parameter `name`, in one statement text for any number.

    One text means one prepared statement and no limit on bound parameters. The parameter's value
    comes from `listed`.
    """
    if postgres:
        return column == any_(bindparam(name, type_=ARRAY(Text)))
    values = func.json_each(bindparam(name, type_=Text)).table_valued("value")
    return column.in_(select(values.c.value))


def listed(values: Sequence[str], *, postgres: bool) -> object:
    """The value of a parameter made by `among`."""
    return list(values) if postgres else json.dumps(list(values))


def _sqlite_connect(connection: Any, _record: object) -> None:  # noqa: ANN401  (DB-API object)
    """Durable, shared between processes, strict about references; we begin transactions."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        # Without it INSERT OR REPLACE would remove a journal row past its delete trigger.
        "recursive_triggers=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_error(context: ExceptionContext) -> None:
    """Tell text that cannot be decoded from what is wrong with a statement or a connection.

    Raises:
        NotUtf8: SQLite keeps text that is none; the driver says so in words only.
    """
    if "Could not decode to UTF-8" in str(context.original_exception):
        raise NotUtf8("text of the database is not UTF-8")


def _sqlite_begin(connection: Connection) -> None:
    """Take the write lock before the first look, so that read-modify-write is safe."""
    looks_only = connection.get_execution_options().get(_READER, False)
    connection.exec_driver_sql("BEGIN" if looks_only else "BEGIN IMMEDIATE")
