"""Which files of a bank account wait for their reader, and which for its controls."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.schema.tables import files
from ports.archive import WAIT_MOST

_ONE = files.c.sha256 == bindparam("named")


async def hand_in(conn: AsyncConnection, sha256: str, account: str) -> None:
    """A kept file is handed in once more; if it is not read, it is of this account from now on."""
    unread = files.c.read_at.is_(None)
    await conn.execute(update(files).where(_ONE, unread), {"named": sha256, "account": account})


async def refuse(conn: AsyncConnection, sha256: str, at: datetime) -> None:
    """A file was refused by its reader."""
    await conn.execute(update(files).where(_ONE), {"named": sha256, "refused_at": at})


async def due(conn: AsyncConnection, account: str, now: datetime) -> frozenset[str] | None:
    """Files of the account that are read and not judged; None while one waits for its reader.

    Files that wait for longer than `WAIT_MOST` after they were kept or read do so no more: what
    came is judged though a reader is down, or though a file is always on its way.
    """
    lately = now - WAIT_MOST
    found = select(files.c.sha256, files.c.read_at).where(
        files.c.account == account, files.c.control_due.is_(True)
    )
    rows = (await conn.execute(found)).all()
    if any(row.read_at <= lately for row in rows):
        return frozenset(row.sha256 for row in rows)
    waiting = select(files.c.sha256).where(
        files.c.account == account,
        files.c.read_at.is_(None),
        files.c.refused_at.is_(None),
        files.c.kept_at > lately,
    )
    if (await conn.execute(waiting.limit(1))).first() is not None:
        return None
    return frozenset(row.sha256 for row in rows)


async def judged(conn: AsyncConnection, sha256s: Collection[str]) -> None:
    """The controls of their account were judged with these files."""
    rows = [{"named": sha256, "control_due": False} for sha256 in sorted(sha256s)]
    if rows:
        await conn.execute(update(files).where(_ONE), rows)
