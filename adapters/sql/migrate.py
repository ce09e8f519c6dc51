"""Brings a database to the current schema, from code and for both databases."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.appendonly import grants
from adapters.sql.engine import books_engine, is_postgres
from domain.errors import InvalidInput

_FOLDER = Path(__file__).parent / "migrations"
# Any number that nobody else uses for advisory locks of this database: "acquit" in ASCII.
_LOCK = 0x616371756974


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an ini file; the connection travels as an attribute."""
    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    if connection is not None:
        settings.attributes["connection"] = connection
    return settings


async def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url`; two processes may do it at once, one after the other."""
    engine = books_engine(url)
    try:
        await upgrade_engine(engine, revision)
    finally:
        await engine.dispose()


async def grant(url: str, role: str) -> None:
    """Let `role` (PostgreSQL) use the books as the application needs to, and nothing more.

    Raises:
        InvalidInput: the database knows no roles, or the name would need quoting.
    """
    engine = books_engine(url)
    try:
        if not is_postgres(engine):
            raise InvalidInput("grant_to", role, "PostgreSQL; a SQLite file has no roles")
        try:
            statements = tuple(grants(role))
        except ValueError as error:
            raise InvalidInput("grant_to", role, str(error)) from None
        async with engine.begin() as conn:
            for statement in statements:
                await conn.execute(text(statement))
    finally:
        await engine.dispose()


async def upgrade_engine(engine: AsyncEngine, revision: str = "head") -> None:
    """Migrate in one transaction: all steps or none."""
    async with engine.begin() as conn:
        if is_postgres(engine):
            await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await conn.run_sync(_upgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(config(connection), revision)
