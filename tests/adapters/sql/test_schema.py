"""Migrations make exactly the tables that the code expects, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine, books_url, is_postgres
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import upgrade
from adapters.sql.schema.rights import books_id
from adapters.sql.schema.tables import metadata
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import OutboxRelay
from domain.errors import InvalidInput
from ports.archive import Archive
from ports.books import Books
from ports.consolequeries import ConsoleQueries
from ports.driverqueries import DriverQueries
from ports.ledgerqueries import LedgerQueries
from ports.outbox import Outbox
from ports.sweepqueries import SweepQueries
from tests.support.booksbench import StillClock


def test_the_sql_adapters_are_what_the_ports_ask_for(
    books: SqlBooks, queries: SqlQueries, engine: AsyncEngine, clock: StillClock
) -> None:
    """The type checker compares every signature; here the pieces are only put together."""
    relay = OutboxRelay(engine, clock, {})
    doors: tuple[
        Books, DriverQueries, SweepQueries, ConsoleQueries, LedgerQueries, Outbox, Archive
    ] = (
        books,
        queries,
        queries,
        queries,
        queries,
        relay,
        SqlArchive(engine, clock),
    )
    assert len(doors) == 7


async def test_migrations_and_tables_say_the_same(engine: AsyncEngine) -> None:
    """A column added to one and forgotten in the other is found here, not in production."""

    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with engine.begin() as conn:
        assert await conn.run_sync(compare) == []


async def test_upgrades_at_once_and_again_do_no_harm(books_url: str) -> None:
    """Two processes that start together migrate one after the other; the second finds it done."""
    await asyncio.gather(upgrade(books_url), upgrade(books_url))
    await upgrade(books_url)
    engine = books_engine(books_url)
    async with engine.begin() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM chain_head"))).scalar() == 1
    await engine.dispose()


async def test_sqlite_is_durable_strict_and_shared(sqlite_url: str) -> None:
    """Write-ahead log, full sync, foreign keys, and patience with other writers."""
    engine = books_engine(sqlite_url, create=True)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000}
    async with engine.connect() as conn:
        for name, value in wanted.items():
            assert (await conn.execute(text(f"PRAGMA {name}"))).scalar() == value
    await engine.dispose()


async def test_postgres_isolation_is_named(postgres_url: str) -> None:
    """The level is read committed whatever the server's default says."""
    engine = books_engine(postgres_url)
    assert is_postgres(engine)
    async with engine.connect() as conn:
        level = (await conn.execute(text("SHOW transaction_isolation"))).scalar()
        assert level == "read committed"
    await engine.dispose()


def test_an_address_always_names_its_driver() -> None:
    """A bare scheme never leaves the choice of driver to a default."""
    assert books_url("sqlite:///books.db").drivername == "sqlite+aiosqlite"
    assert books_url("postgresql://h/db").drivername == "postgresql+asyncpg"
    assert books_url("postgres://h/db").drivername == "postgresql+asyncpg"
    assert books_url("postgresql+psycopg://h/db").drivername == "postgresql+asyncpg"
    for bad in ("mysql://h/db", "sqlite://", "sqlite:///:memory:"):
        with pytest.raises(InvalidInput):
            books_url(bad)


async def test_books_have_a_name_of_their_own(
    new_sqlite_url: Callable[[], Awaitable[str]], new_postgres_url: Callable[[], Awaitable[str]]
) -> None:
    """Made once and kept: the same after another upgrade, another one in every other database."""
    names: list[str] = []
    for create in (new_sqlite_url, new_sqlite_url, new_postgres_url, new_postgres_url):
        url = await create()
        await upgrade(url)
        engine = books_engine(url)
        names.append(await books_id(engine))
        await upgrade(url)
        assert await books_id(engine) == names[-1]
        await engine.dispose()
    assert len(set(names)) == 4
    assert all(len(name) == 32 for name in names)


def test_a_case_of_the_longest_line_and_loan_has_room_for_its_key() -> None:
    """`line/{line}/{loan}/{number}`: PostgreSQL would refuse the evidence that opens it."""
    tables = metadata.tables
    longest = tables["lines"].c.id.type.length + tables["loans"].c.id.type.length  # type: ignore[attr-defined]
    for table, column in (
        ("cases", "key"),
        ("subjects", "key"),
        ("commands", "subject_key"),
        ("transitions", "subject_key"),
    ):
        room: int = tables[table].c[column].type.length  # type: ignore[attr-defined]
        assert room >= len("line///") + longest + len("99999"), (table, column)
