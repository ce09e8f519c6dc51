"""Alembic's environment: the caller's connection, or for `alembic -x url=...` one of its own."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from adapters.sql.engine import books_engine
from adapters.sql.schema.tables import metadata


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


async def _migrate_alone(url: str) -> None:
    engine = books_engine(url, create=True)
    try:
        async with engine.begin() as conn:
            await conn.run_sync(_migrate)
    finally:
        await engine.dispose()


connection = context.config.attributes.get("connection")
if connection is None:
    asyncio.run(_migrate_alone(context.get_x_argument(as_dictionary=True)["url"]))
else:
    _migrate(connection)
