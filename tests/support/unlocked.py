"""Books whose guards are off, as for somebody who has the keys to the database."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.schema.tables import APPEND_ONLY


async def unlock(engine: AsyncEngine) -> None:
    """Switch off the triggers and constraints that keep rows from being changed."""
    async with engine.begin() as conn:
        await unlock_on(conn)


async def unlock_on(conn: AsyncConnection) -> None:
    """Switch them off in a transaction, which may be rolled back."""
    if conn.dialect.name == "postgresql":
        for table in APPEND_ONLY:
            await conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        await conn.execute(text("ALTER TABLE postings DROP CONSTRAINT fk_postings_seq"))
        return
    found = await conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    for name in [row.name for row in found]:
        await conn.execute(text(f"DROP TRIGGER {name}"))
