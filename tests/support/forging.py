"""What an owner of the database can do to a journal so that it is whole by itself again."""

from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.signing.ed25519 import Ed25519Signer
from adapters.sql.read.chainitems import chain_items
from adapters.sql.schema.tables import (
    chain_head,
    checkpoints,
    commands,
    entries,
    metadata,
    postings,
    receipts,
    transitions,
)
from domain.ledger.chain import GENESIS, Booked, Commanded, KnownHead, next_hash
from domain.ledger.checkpoint import Checkpoint
from tests.support.unlocked import unlock_on

Dump = dict[str, list[dict[str, Any]]]


def known(checkpoint: Checkpoint, source: str = "checkpoint") -> KnownHead:
    """A checkpoint from outside, for a verification."""
    head = checkpoint.head
    return KnownHead(head.size, head.root, head.head, f"{source} {head.size}")


async def dump(engine: AsyncEngine) -> Dump:
    """A copy of everything in the books, as a backup is."""
    async with engine.connect() as conn:
        return {
            table.name: [dict(row._mapping) for row in await conn.execute(select(table))]
            for table in metadata.sorted_tables
        }


async def restore(engine: AsyncEngine, copy: Dump) -> None:
    """Put a copy in the place of everything that is in the books."""
    async with engine.begin() as conn:
        await unlock_on(conn)
        for table in reversed(metadata.sorted_tables):
            await conn.execute(delete(table))
        for table in metadata.sorted_tables:
            if rows := copy[table.name]:
                await conn.execute(insert(table), rows)


async def rechain(conn: AsyncConnection, since: int, reason: str) -> None:
    """Give command `since` another reason, and hash it and everything after it anew."""
    head, size, faults = GENESIS, 0, list[str]()
    async for page in chain_items(conn, faults.append):
        for item, stored in page:
            changed = replace(item, reason=reason) if item.seq == since else item
            head = next_hash(head, changed) if item.seq >= since else stored
            size = item.seq
            match item.what:
                case Commanded():
                    table = commands
                case Booked():
                    table = entries
                case _:
                    table = transitions
            row = update(table).where(table.c.seq == item.seq)
            await conn.execute(row.values(hash=head, reason=changed.reason))
    assert faults == []
    await conn.execute(update(chain_head).values(seq=size, hash=head))


async def cut(conn: AsyncConnection, size: int) -> None:
    """Remove every item behind `size`, and bring the head of the chain back to it."""
    hashes = list[str]()
    for table in (entries, transitions, commands):
        found = await conn.execute(select(table.c.hash).where(table.c.seq == size))
        hashes += found.scalars()
    await forget(conn, size)
    for table in (postings, entries, transitions, commands):
        await conn.execute(delete(table).where(table.c.seq > size))
    await conn.execute(update(chain_head).values(seq=size, hash=hashes[0]))


async def forget(conn: AsyncConnection, size: int) -> None:
    """Remove the kept checkpoints of more than `size` items, with their receipts."""
    for table in (receipts, checkpoints):
        await conn.execute(delete(table).where(table.c.size > size))


def a_signer(mark: int = 1) -> Ed25519Signer:
    """A key for tests, the same each time."""
    return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(bytes([mark] * 32)))
