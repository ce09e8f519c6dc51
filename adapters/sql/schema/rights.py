"""What the connection's role may do to the books, and whether the database guards its journal."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import is_postgres
from adapters.sql.read.looking import look
from adapters.sql.schema.appendonly import verbs_on
from adapters.sql.schema.tables import APPEND_ONLY, chain_head, metadata
from domain.errors import InvariantBroken

_REWRITES = ("UPDATE", "DELETE", "TRUNCATE")


@dataclass(frozen=True, slots=True)
class Rights:
    """What a role may do, compared with what `grants` gives.

    Attributes:
        role: the role of the connection; empty for a SQLite file, which knows no roles.
        lacking: `VERB table` without which the application cannot work.
        beyond: `VERB table` by which journal rows could be changed or removed.
        unguarded: append-only tables whose triggers are gone or switched off.
    """

    role: str
    lacking: tuple[str, ...]
    beyond: tuple[str, ...]
    unguarded: tuple[str, ...]


async def rights_of(engine: AsyncEngine) -> Rights:
    """Look at the role and the triggers; the books must be migrated."""
    async with look(engine) as conn:
        if not is_postgres(engine):
            return Rights("", (), (), await _unguarded(conn, _SQLITE_TRIGGERS, 2))
        role = str((await conn.execute(text("SELECT current_user"))).scalar_one())
        lacking = [
            f"{verb} {table}"
            for table in sorted(metadata.tables)
            for verb in verbs_on(table)
            if not await _may(conn, table, verb)
        ]
        beyond = [
            f"{verb} {table}"
            for table in APPEND_ONLY
            for verb in _REWRITES
            if await _may(conn, table, verb)
        ]
        unguarded = await _unguarded(conn, _POSTGRES_TRIGGERS, 1)
        return Rights(role, tuple(lacking), tuple(beyond), unguarded)


async def books_id(engine: AsyncEngine) -> str:
    """The name that these books were given when they were made.

    Raises:
        InvariantBroken: they have none.
    """
    async with look(engine) as conn:
        found = (await conn.execute(select(chain_head.c.books_id))).scalars().all()
    if len(found) != 1:
        raise InvariantBroken(f"the chain has {len(found)} head rows")
    return str(found[0])


async def database_clock(engine: AsyncEngine) -> datetime:
    """The database's own time, UTC. A SQLite file has none: this machine's."""
    if not is_postgres(engine):
        return datetime.now(UTC)
    async with engine.connect() as conn:
        found = (await conn.execute(text("SELECT clock_timestamp()"))).scalar_one()
    return datetime.fromisoformat(str(found)).astimezone(UTC)


async def _may(conn: AsyncConnection, table: str, verb: str) -> bool:
    asked = text("SELECT has_table_privilege(:table, :verb)")
    return bool((await conn.execute(asked, {"table": table, "verb": verb})).scalar_one())


# 'D' is switched off; in 'R' a trigger fires for replication alone.
_POSTGRES_TRIGGERS = text(
    "SELECT count(*) FROM pg_trigger WHERE tgrelid = CAST(:table AS regclass)"
    " AND tgname LIKE '%append_only' AND tgenabled IN ('O', 'A')"
)
_SQLITE_TRIGGERS = text(
    "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
    " AND sql LIKE '%append-only%'"
)


async def _unguarded(conn: AsyncConnection, asked: TextClause, least: int) -> tuple[str, ...]:
    counts = {
        table: (await conn.execute(asked, {"table": table})).scalar_one() for table in APPEND_ONLY
    }
    return tuple(table for table, count in counts.items() if count < least)
