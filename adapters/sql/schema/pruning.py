"""Removes what is of no use any more; done by the owner of the books, who alone may remove."""

from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.schema.tables import outbox

_BATCH = 1_000
_DELETE = delete(outbox).where(outbox.c.id == bindparam("key_id"))


async def prune_outbox(engine: AsyncEngine, before: datetime, batch: int = _BATCH) -> int:
    """Remove messages delivered, or dropped by order, before an instant; how many there were.

    In batches, each a transaction of its own, so that no writer waits long. What still waits, every
    dead letter about which nobody has decided, and one whose case is still to be opened or ended
    stays.
    """
    ended = or_(outbox.c.delivered_at < before, outbox.c.dropped_at < before)
    old = (
        select(outbox.c.id)
        .where(ended, outbox.c.case_due.is_(None))
        .order_by(outbox.c.id)
        .limit(batch)
    )
    removed = 0
    while True:
        async with engine.begin() as conn:
            ids = list((await conn.execute(old)).scalars())
            if ids:
                await conn.execute(_DELETE, [{"key_id": one} for one in ids])
        removed += len(ids)
        if len(ids) < batch:
            return removed
