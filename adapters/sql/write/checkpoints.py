"""Seals the ledger: implements `ports.checkpoints.Checkpoints`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.signing.ed25519 import signed
from adapters.sql.engine import is_postgres
from adapters.sql.read.chainitems import chain_items
from adapters.sql.read.keptheads import as_checkpoint, origin, peaks_text
from adapters.sql.read.looking import UNREADABLE, look
from adapters.sql.read.reader import Key, cut, page_of
from adapters.sql.schema.tables import chain_head, checkpoints, receipts
from domain.errors import InvalidInput, InvariantBroken
from domain.ledger.chain import GENESIS, Verification
from domain.ledger.checkpoint import (
    Checkpoint,
    PublicKey,
    TreeHead,
    read_checkpoint,
    read_public_keys,
)
from domain.ledger.merkle import Tree
from ports.checkpoints import KeptCheckpoint, Receipt
from ports.clock import Clock
from ports.paging import LIMIT_MOST, Page
from ports.signing import Signer

_C, _R = checkpoints.c, receipts.c
_KEY: Key = ((_C.size, int),)
_LAST: Select[Any] = select(checkpoints).order_by(_C.size.desc()).limit(1)


class SqlCheckpoints:
    """Signs what the journal holds, reading only what was written since the last checkpoint.

    Args:
        engine: of the books.
        clock: says when a checkpoint is made.
        signer: the key; None: nothing can be signed here, what is kept can be read.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock, signer: Signer | None) -> None:
        self._engine, self._clock, self._signer = engine, clock, signer
        self._dialect = postgresql if is_postgres(engine) else sqlite

    async def seal(self) -> KeptCheckpoint | None:
        """The checkpoint of everything that is committed; see the port."""
        if self._signer is None:
            rule = "a file with an Ed25519 key; `acquit ledger new-key FILE` makes one"
            raise InvalidInput("ACQUIT_SIGNING_KEY", "", rule)
        async with look(self._engine, unhurried=True) as conn:
            named = await origin(conn)
            last = (await conn.execute(_LAST)).first()
            head = (await conn.execute(select(chain_head.c.seq, chain_head.c.hash))).one()
            start, sealed = Tree(), GENESIS
            if last is not None:
                kept, frontier = _trusted(last, named)
                start, sealed = Tree(frontier), kept.head.head
                if (head.seq, head.hash) == (kept.head.size, sealed):
                    return KeptCheckpoint(kept, last.public_key)
            if head.seq == 0:
                return None
            tree = await _grown(conn, start, sealed, (head.seq, head.hash))
        written = TreeHead(named, tree.size, tree.root(), head.hash, self._clock.now())
        return await self._keep(written, tree, self._signer)

    async def _keep(self, head: TreeHead, tree: Tree, signer: Signer) -> KeptCheckpoint:
        """Keep a new checkpoint; whoever was faster with the same size, theirs counts."""
        key = PublicKey(head.origin, signer.public)
        made = Checkpoint(head, (signed(head.text(), head.origin, signer),))
        row = {
            "ledger": head.origin.rpartition("/")[2],
            "size": head.size,
            "root": head.root.hex(),
            "head": head.head,
            "at": head.at,
            "public_key": key.text(),
            "note": made.text(),
            "peaks": peaks_text(tree.frontier()),
        }
        put = self._dialect.insert(checkpoints).values(row).on_conflict_do_nothing()
        async with self._engine.begin() as conn:
            await conn.execute(put)
        async with look(self._engine) as conn:
            kept = (await conn.execute(select(checkpoints).where(_C.size == head.size))).one()
        return KeptCheckpoint(_trusted(kept, head.origin)[0], kept.public_key)

    async def last(self) -> KeptCheckpoint | None:
        """The largest checkpoint that is kept, with its receipts."""
        async with look(self._engine) as conn:
            rows = (await conn.execute(_LAST)).all()
            found = await _with_receipts(conn, rows)
        return found[0] if found else None

    async def of(self, size: int) -> KeptCheckpoint | None:
        """The kept checkpoint of so many items, with its receipts."""
        async with look(self._engine) as conn:
            rows = (await conn.execute(select(checkpoints).where(_C.size == size))).all()
            found = await _with_receipts(conn, rows)
        return found[0] if found else None

    async def keys(self) -> tuple[PublicKey, ...]:
        """The keys of all checkpoints; see the port."""
        used = select(_C.public_key, func.max(_C.size).label("upto")).group_by(_C.public_key)
        async with look(self._engine) as conn:
            named = await origin(conn)
            rows = (await conn.execute(used.order_by("upto"))).all()
        found = [(read_public_keys(row.public_key)[0], int(row.upto)) for row in rows]
        if self._signer is not None:
            now = PublicKey(named, self._signer.public)
        elif found:
            now = found[-1][0]
        else:
            return ()
        return (*(replace(key, upto=upto) for key, upto in found if key != now), now)

    async def kept(self, after: str = "", limit: int = LIMIT_MOST) -> Page[KeptCheckpoint]:
        """Every checkpoint with its receipts, the smallest first."""
        page = page_of("checkpoints", select(checkpoints), _KEY, after, limit)
        async with look(self._engine) as conn:
            rows, cursor = cut("checkpoints", (await conn.execute(page)).all(), len(_KEY), limit)
            return Page(await _with_receipts(conn, rows), cursor)

    async def keep_receipt(self, receipt: Receipt) -> None:
        """Keep a receipt; the first of an anchor for a checkpoint stays."""
        of = select(_C.ledger, _C.size).where(_C.size == receipt.size)
        async with self._engine.begin() as conn:
            found = (await conn.execute(of)).one()
            row = {
                "ledger": found.ledger,
                "size": receipt.size,
                "anchor": receipt.anchor,
                "kind": receipt.kind,
                "kept_at": receipt.kept_at,
                "witnessed_at": receipt.witnessed_at,
                "content": receipt.content,
            }
            put = self._dialect.insert(receipts).values(row)
            await conn.execute(put.on_conflict_do_nothing())


def _trusted(row: Row[Any], named: str) -> tuple[Checkpoint, Any]:
    """A kept checkpoint on which another one may be built.

    Raises:
        InvariantBroken: something of its row is not what was signed.
    """
    try:
        return as_checkpoint(row, named)
    except (InvalidInput, ValueError) as error:
        raise InvariantBroken(f"kept checkpoint {row.size} is faulty: {error}") from None


async def _grown(conn: AsyncConnection, tree: Tree, head: str, end: tuple[int, str]) -> Tree:
    """The tree with every item behind it, each of which is recomputed.

    Raises:
        InvariantBroken: an item, its number or the end is not what the hashes say.
    """
    found = Verification(head=head, seq=tree.size, tree=tree)
    try:
        async for page in chain_items(conn, found.fault, tree.size):
            for item, stored in page:
                found.take(item, stored)
            if found.faults:
                break
    except UNREADABLE as error:
        found.fault(f"the journal cannot be read after item {found.seq}: {type(error).__name__}")
    if not found.faults:
        found.close(*end)
    if found.faults:
        raise InvariantBroken(f"nothing is signed: {found.faults[0]}")
    return tree


async def _with_receipts(
    conn: AsyncConnection, rows: Sequence[Row[Any]]
) -> tuple[KeptCheckpoint, ...]:
    if not rows:
        return ()
    sizes = _R.size.between(rows[0].size, rows[-1].size)
    statement = select(receipts).where(sizes).order_by(_R.size, _R.anchor)
    held: defaultdict[int, list[Receipt]] = defaultdict(list)
    for row in await conn.execute(statement):
        held[row.size].append(
            Receipt(row.size, row.anchor, row.kind, row.kept_at, row.witnessed_at, row.content)
        )
    return tuple(
        KeptCheckpoint(read_checkpoint(row.note), row.public_key, tuple(held[row.size]))
        for row in rows
    )
