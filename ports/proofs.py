"""Proofs for outsiders, made from the journal."""

from collections.abc import Sequence
from typing import Protocol

from domain.ledger.checkpoint import TreeHead
from domain.ledger.proofs import ConsistencyProof, InclusionProof

ITEMS_MOST = 1_000
"""Most items of which proofs are made, and read, at once."""


class Proofs(Protocol):
    """Makes proofs. Each was verified before it is given out."""

    async def of_items(self, numbers: Sequence[int], head: TreeHead) -> tuple[InclusionProof, ...]:
        """Proofs that items stand in the ledger of a checkpoint, in order of their numbers.

        Raises:
            InvalidInput: too many, or one that the checkpoint does not cover.
            InvariantBroken: the journal is not what the checkpoint covers.
        """
        ...

    async def of_growth(self, earlier: TreeHead, later: TreeHead) -> ConsistencyProof:
        """The proof that a checkpoint's ledger begins with all that an earlier one covers.

        Raises:
            InvalidInput: the earlier one is the larger.
            InvariantBroken: the journal is not what one of them covers.
        """
        ...
