"""Keys by which a request is carried out once: implements `ports.idempotency.IdempotencyKeys`."""

import math
import uuid
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.schema.tables import idempotency_keys
from ports.idempotency import AtWork, Held, OtherBody

HELD = timedelta(seconds=60)
"""How long a request may be at work before its key is taken over: twice the time limit of one."""
_K = idempotency_keys.c


class SqlIdempotencyKeys:
    """One row for each key; whoever writes it first holds it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def hold(
        self, caller: str, key: str, digest: str, at: datetime
    ) -> Held | AtWork | OtherBody:
        """See the port."""
        mine = Held(uuid.uuid4().hex)
        row = {
            "caller": caller,
            "key": key,
            "digest": digest,
            "held_until": at + HELD,
            "holder": mine.holder,
            "resource": "",
            "at": at,
        }
        try:
            async with self._engine.begin() as conn:
                await conn.execute(insert(idempotency_keys).values(**row))
        except IntegrityError:
            return await self._hold_known(caller, key, digest, at, Held(mine.holder, again=True))
        return mine

    async def _hold_known(
        self, caller: str, key: str, digest: str, at: datetime, mine: Held
    ) -> Held | AtWork | OtherBody:
        named = and_(_K.caller == caller, _K.key == key)
        free = or_(_K.held_until.is_(None), _K.held_until <= at)
        taken = update(idempotency_keys).where(named, free, _K.digest == digest)
        async with self._engine.begin() as conn:
            row = (await conn.execute(select(idempotency_keys).where(named))).first()
            if row is None:
                return AtWork(1)  # it was given back a moment ago
            if row.digest != digest:
                return OtherBody()
            # One that is answered is not held again: its answer is found by what it made.
            if row.held_until is None:
                return mine
            done = await conn.execute(taken.values(held_until=at + HELD, holder=mine.holder))
            if done.rowcount:
                return mine
        return AtWork(max(1, math.ceil((row.held_until - at).total_seconds())))

    async def keep(self, caller: str, key: str, held: Held, resource: str, at: datetime) -> None:
        """See the port."""
        mine = and_(_K.caller == caller, _K.key == key, _K.holder == held.holder)
        kept = update(idempotency_keys).where(mine)
        async with self._engine.begin() as conn:
            await conn.execute(kept.values(held_until=None, resource=resource[:400], at=at))

    async def give_back(self, caller: str, key: str, held: Held) -> None:
        """See the port."""
        if held.again:
            return  # what was carried out before is never forgotten
        mine = and_(_K.caller == caller, _K.key == key, _K.holder == held.holder)
        async with self._engine.begin() as conn:
            await conn.execute(delete(idempotency_keys).where(mine))
