"""Checkpoints of the ledger that were signed, and receipts of those who witnessed them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ledger.checkpoint import Checkpoint, PublicKey
from ports.paging import LIMIT_MOST, Page


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a witness gave for a checkpoint.

    Attributes:
        size: of the checkpoint.
        anchor: the witness, by its name in our settings.
        kind: "file", "http" or "rfc3161".
        kept_at: when we got it.
        witnessed_at: when they saw it by their own clock, where they say so.
        content: as it came.
    """

    size: int
    anchor: str
    kind: str
    kept_at: datetime
    witnessed_at: datetime | None
    content: bytes


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint as it was given out, with the line of the key that signed it."""

    checkpoint: Checkpoint
    public_key: str
    receipts: tuple[Receipt, ...] = ()


class Checkpoints(Protocol):
    """Seals the ledger. What was signed once is given again as long as nothing was written."""

    async def seal(self) -> KeptCheckpoint | None:
        """The checkpoint of everything that is committed; None where nothing is.

        Raises:
            InvariantBroken: the journal since the last checkpoint is not what was hashed; nothing
                is signed.
            InvalidInput: there is no key to sign with.
        """
        ...

    async def last(self) -> KeptCheckpoint | None:
        """The largest checkpoint that is kept, with its receipts."""
        ...

    async def of(self, size: int) -> KeptCheckpoint | None:
        """The kept checkpoint of so many items, with its receipts."""
        ...

    async def keys(self) -> tuple[PublicKey, ...]:
        """The keys that signed, each that is used no more with its limit; the key of now last."""
        ...

    async def kept(self, after: str = "", limit: int = LIMIT_MOST) -> Page[KeptCheckpoint]:
        """Every checkpoint with its receipts, the smallest first."""
        ...

    async def keep_receipt(self, receipt: Receipt) -> None:
        """Keep a receipt; the first of an anchor for a checkpoint stays."""
        ...
