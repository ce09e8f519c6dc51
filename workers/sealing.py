"""Who signs checkpoints of the ledger here, and who witnesses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activities.closures import ClosureActivities, Issuer
from activities.sealing import SealActivities
from adapters.signing.ed25519 import read_key
from adapters.sql.write.checkpoints import SqlCheckpoints
from workers.anchors import open_anchors
from workers.compose import SENDER

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from sqlalchemy.ext.asyncio import AsyncEngine

    from ports.clock import Clock
    from workers.compose import Stack
    from workers.settings import Settings


def checkpoints_of(settings: Settings, engine: AsyncEngine, clock: Clock) -> SqlCheckpoints:
    """The checkpoints of these books; without a key they can be read and not be made.

    Raises:
        SourceRefused: the file of the key may not be used, or holds none.
    """
    path = settings.signing_key
    return SqlCheckpoints(engine, clock, None if path is None else read_key(path))


def issuer_of(settings: Settings) -> Issuer | None:
    """Who signs certificates here; None without a key.

    Raises:
        SourceRefused: the file of the key may not be used, or holds none.
    """
    path = settings.signing_key
    return None if path is None else Issuer(read_key(path), SENDER["lender"])


def closure_activities(settings: Settings, stack: Stack) -> ClosureActivities:
    """The activities of closures; without a key no certificate is signed and nothing sealed.

    Raises:
        SourceRefused: the file of the key may not be used, or holds none.
    """
    return ClosureActivities(
        stack.books.for_drivers(),
        stack.queries,
        stack.rails,
        stack.bureaus,
        issuer_of(settings),
        checkpoints_of(settings, stack.engine, stack.clock),
        stack.clock,
    )


async def seal_activities(
    settings: Settings, stack: Stack, closing: AsyncExitStack
) -> SealActivities:
    """The activity that makes checkpoints; without a key it fails, and no schedule asks for it.

    Raises:
        SourceRefused: the file of the key or of the anchors breaks rules.
    """
    checkpoints = checkpoints_of(settings, stack.engine, stack.clock)
    return SealActivities(checkpoints, await open_anchors(settings, closing), stack.clock)
