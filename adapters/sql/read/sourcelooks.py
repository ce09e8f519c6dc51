"""What is remembered of the files that sources offer, one row of `source_files` for each."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Insert, bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.schema.tables import source_files as table
from ports.archive import Look

_OF = select(table).where(table.c.source == bindparam("of"))
_ONE = (table.c.source == bindparam("of"), table.c.file_id == bindparam("named"))


async def look_at(
    conn: AsyncConnection, source: str, stamps: Mapping[str, str], now: datetime, insert: Insert
) -> dict[str, Look]:
    """Write what is new, changed or gone since the last look; what is known of each file now.

    `insert` adds rows to the table and leaves those that another worker has added meanwhile.
    """
    rows = await conn.execute(_OF, {"of": source})
    known = {row.file_id: Look(row.stamp, row.since, row.sha256, row.refused) for row in rows}
    gone = [{"of": source, "named": name} for name in sorted(known.keys() - stamps.keys())]
    if gone:
        await conn.execute(delete(table).where(*_ONE), gone)
    found = {name: _seen(known.get(name), stamp, now) for name, stamp in stamps.items()}
    fresh = [_row(source, name, found[name]) for name in sorted(found.keys() - known.keys())]
    if fresh:
        await conn.execute(insert, fresh)
    for name in sorted(found.keys() & known.keys()):
        if found[name] != known[name]:
            await put(conn, source, name, found[name], known[name].stamp)
    return found


async def put(
    conn: AsyncConnection, source: str, file_id: str, look: Look, stamp: str | None = None
) -> None:
    """Write what is known of a file that stands there with `stamp`, its own unless given."""
    here = (
        table.c.source == source,
        table.c.file_id == file_id,
        table.c.stamp == (look.stamp if stamp is None else stamp),
    )
    await conn.execute(update(table).where(*here).values(_row(source, file_id, look)))


def _seen(before: Look | None, stamp: str, now: datetime) -> Look:
    if before is None:
        return Look(stamp, now)
    return before if before.stamp == stamp else Look(stamp, now, refused=before.refused)


def _row(source: str, file_id: str, look: Look) -> dict[str, object]:
    return {
        "source": source,
        "file_id": file_id,
        "stamp": look.stamp,
        "since": look.since,
        "sha256": look.sha256,
        "refused": look.refused,
    }
