"""The sandbox's clock offset, shared by every process through one row."""

from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import reader
from adapters.sql.tables import sandbox_clock

_READ = select(sandbox_clock.c.offset_us).where(sandbox_clock.c.id == 1)
_US = timedelta(microseconds=1)


async def read_offset(engine: AsyncEngine) -> timedelta:
    """How far the sandbox's clock is ahead of the wall; zero in production."""
    async with reader(engine).begin() as conn:
        return timedelta(microseconds=(await conn.execute(_READ)).scalar_one())


async def advance(engine: AsyncEngine, by: timedelta) -> timedelta:
    """Move the clock ahead; gives the new offset. It never goes back.

    Raises:
        ValueError: `by` is negative.
    """
    if by < timedelta(0):
        raise ValueError("the clock never goes back")
    move = (
        update(sandbox_clock)
        .where(sandbox_clock.c.id == 1)
        .values(offset_us=sandbox_clock.c.offset_us + by // _US)
    )
    async with engine.begin() as conn:
        await conn.execute(move)
        return timedelta(microseconds=(await conn.execute(_READ)).scalar_one())
