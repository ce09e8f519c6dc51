"""Anchors: witnesses outside our reach who keep checkpoints, or say when they saw them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.errors import AcquitError
from domain.ledger.checkpoint import Checkpoint

ANSWER_MOST_BYTES = 64 * 1024
"""Most bytes of a witness's answer."""


class AnchorFailed(AcquitError):
    """A witness did not answer, or not with what it must give; another try may help.

    Args:
        anchor: its name.
        why: in words, without anything that its answer holds.
    """

    def __init__(self, anchor: str, why: str) -> None:
        super().__init__(f"anchor {anchor}: {why}")
        self.anchor, self.why = anchor, why


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a witness gave: bytes that prove it, and the time by its own clock if it says one."""

    content: bytes
    witnessed_at: datetime | None = None


class Anchor(Protocol):
    """One witness. Witnessing the same checkpoint again does no harm; who calls limits retries."""

    @property
    def name(self) -> str:
        """Its name in our settings."""
        ...

    @property
    def kind(self) -> str:
        """What it is: `file`, `http` or `rfc3161`."""
        ...

    async def witness(self, checkpoint: Checkpoint) -> Testimony:
        """Have a checkpoint witnessed; what comes back was verified.

        Raises:
            AnchorFailed: it could not be reached, or gave no valid testimony.
            Conflict: it holds another checkpoint of the same size.
        """
        ...
