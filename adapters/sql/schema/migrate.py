"""Brings a database to the current schema, from code and for both databases.

Alembic is loaded where it is used: with its template engine and what colours source text it is a
tenth of what a worker would load, and workers do not migrate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine, is_postgres, is_there
from adapters.sql.read.looking import look
from adapters.sql.schema.appendonly import grants
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
# Any number that nobody else uses for advisory locks of this database: "acquit" in ASCII.
_LOCK = 0x616371756974


@dataclass(frozen=True, slots=True)
class Revision:
    """How far a database is migrated, and how far this code asks for.

    Attributes:
        found: None where no migration was ever run.
        head: the last revision that this code brings with it.
        fits: this code can work: `found` is `head`, or a later one than this code knows. Builds
            stand side by side while a release rolls in, so migrations only add.
    """

    found: str | None
    head: str
    fits: bool

    def __str__(self) -> str:
        if self.found == self.head:
            return f"revision {self.found}"
        return f"revision {self.found or 'none'}, this build brings {self.head}"


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an ini file; the connection travels as an attribute."""
    from alembic.config import Config  # noqa: PLC0415

    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    if connection is not None:
        settings.attributes["connection"] = connection
    return settings


async def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at `url`; two processes may do it at once, one after the other.

    Raises:
        InvalidInput: this code brings no such revision.
    """
    if revision not in {"head", *_brought()[1]}:
        rule = f"head, or a revision that this build brings: {', '.join(sorted(_brought()[1]))}"
        raise InvalidInput("revision", revision, rule)
    engine = books_engine(url, create=True)
    try:
        await upgrade_engine(engine, revision)
    finally:
        await engine.dispose()


async def revision_of(engine: AsyncEngine) -> Revision:
    """How far the books are migrated; nothing is written and nothing is locked."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    head, known = _brought()
    if not is_postgres(engine) and not is_there(engine):
        return Revision(None, head, fits=False)
    async with look(engine) as conn:
        found = await conn.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )
    return Revision(found, head, fits=found == head or (found is not None and found not in known))


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


@cache
def _brought() -> tuple[str, frozenset[str]]:
    """The last revision of this code, and all of them."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory.from_config(config())
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return scripts.get_current_head() or "", known


async def upgrade_engine(engine: AsyncEngine, revision: str = "head") -> None:
    """Migrate in one transaction: all steps or none."""
    async with engine.begin() as conn:
        if is_postgres(engine):
            # Another migration may take long: it is waited for. Locks of tables are not.
            await conn.execute(text("SET LOCAL lock_timeout = 0"))
            await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await conn.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
        await conn.run_sync(_upgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415

    command.upgrade(config(connection), revision)
