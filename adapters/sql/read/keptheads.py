"""Reads the checkpoints that are kept in the books, and gives them to a verification."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.signing.ed25519 import must_be_signed
from adapters.sql.schema.tables import chain_head, checkpoints
from domain.errors import InvalidInput, InvariantBroken
from domain.ledger.chain import FAULTS_KEPT, KnownHead, Verification
from domain.ledger.checkpoint import (
    Checkpoint,
    TreeHead,
    origin_of,
    read_checkpoint,
    read_public_keys,
)
from domain.ledger.merkle import Frontier

_C = checkpoints.c


def frontier_of(size: int, peaks: str) -> Frontier:
    """What is kept beside a checkpoint, so that its tree can grow.

    Raises:
        InvariantBroken: it is none of a tree of that size.
    """
    try:
        return Frontier(size, tuple(bytes.fromhex(peak) for peak in peaks.split()))
    except ValueError:
        raise InvariantBroken(f"the hashes kept with checkpoint {size} are none") from None


def peaks_text(frontier: Frontier) -> str:
    """A frontier as it is kept."""
    return " ".join(peak.hex() for peak in frontier.peaks)


async def origin(conn: AsyncConnection) -> str:
    """The name of this ledger in its checkpoints.

    Raises:
        InvariantBroken: the chain has no head row.
    """
    rows = (await conn.execute(select(chain_head.c.books_id, chain_head.c.ledger))).all()
    if len(rows) != 1:
        raise InvariantBroken(f"the chain has {len(rows)} head rows")
    return origin_of(rows[0].books_id, rows[0].ledger)


def as_checkpoint(row: Any, named: str) -> tuple[Checkpoint, Frontier]:  # noqa: ANN401  (a row)
    """A kept checkpoint and its frontier, compared with everything that stands beside it.

    Args:
        row: of `checkpoints`.
        named: the origin that these books have.

    Raises:
        InvalidInput: its text, its key or its signature is faulty, or a column says something else.
        InvariantBroken: its frontier is faulty.
    """
    found, keys = read_checkpoint(row.note), read_public_keys(row.public_key)
    must_be_signed(found, keys)
    beside = TreeHead(named, row.size, bytes.fromhex(row.root), row.head, row.at)
    if beside != found.head:
        raise InvalidInput("columns", row.size, "what the text of the checkpoint says")
    frontier = frontier_of(row.size, row.peaks)
    if frontier.root() != found.head.root:
        raise InvariantBroken(f"the hashes kept with checkpoint {row.size} have another root")
    return found, frontier


class KeptHeads:
    """Hands the kept checkpoints to a verification before it reaches their sizes, page by page."""

    def __init__(self, conn: AsyncConnection, found: Verification) -> None:
        self._conn, self._found = conn, found
        self._after, self._origin = 0, ""

    async def expect(self, upto: int | None) -> None:
        """Expect those of up to `upto` items; None: those that are left, which are too many."""
        self._origin = self._origin or await _origin_if_known(self._conn)
        rest: Select[Any] = select(checkpoints).where(_C.size > self._after).order_by(_C.size)
        rest = rest.limit(FAULTS_KEPT) if upto is None else rest.where(_C.size <= upto)
        for row in await self._conn.execute(rest):
            self._after = row.size
            source = f"kept checkpoint {row.size}"
            try:
                kept, _ = as_checkpoint(row, self._origin)
            except (InvalidInput, InvariantBroken, ValueError) as error:
                self._found.fault(f"{source} is faulty: {error}")
                continue
            head = kept.head
            self._found.expect(KnownHead(head.size, head.root, head.head, source))


async def _origin_if_known(conn: AsyncConnection) -> str:
    """The origin; a name of nobody where the head is lost, which is a fault of its own."""
    try:
        return await origin(conn)
    except InvariantBroken:
        return "(lost)"
