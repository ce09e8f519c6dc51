"""Reads one mandate for people: what it is, the loans under it, and what became of it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.read.stories import history_of
from adapters.sql.readrows import read_mandate
from adapters.sql.schema.tables import loans, mandates
from domain.debit.mandate import LOANS_MOST
from ports.consolequeries import MandateFacts

_STORY_MOST = 1_000


async def mandate_of(conn: AsyncConnection, ref: str) -> MandateFacts | None:
    """One mandate with its loans and its story; None if the books do not hold it."""
    body = (await conn.execute(select(mandates.c.body).where(mandates.c.ref == ref))).scalar()
    if body is None:
        return None
    root = read_mandate(body)
    under = select(loans.c.id).where(loans.c.mandate_ref == ref).order_by(loans.c.id)
    names = tuple((await conn.execute(under.limit(LOANS_MOST))).scalars())
    story = await history_of(conn, root.subject, "", _STORY_MOST)
    return MandateFacts(root, names, story.items)
