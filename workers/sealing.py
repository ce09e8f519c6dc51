"""Who signs checkpoints of the ledger here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.signing.ed25519 import read_key
from adapters.sql.write.checkpoints import SqlCheckpoints

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from ports.clock import Clock
    from workers.settings import Settings


def checkpoints_of(settings: Settings, engine: AsyncEngine, clock: Clock) -> SqlCheckpoints:
    """The checkpoints of these books; without a key they can be read and not be made.

    Raises:
        SourceRefused: the file of the key may not be used, or holds none.
    """
    path = settings.signing_key
    return SqlCheckpoints(engine, clock, None if path is None else read_key(path))
