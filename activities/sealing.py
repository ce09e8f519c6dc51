"""The activity that seals the ledger and has its checkpoint witnessed."""

from collections.abc import Sequence
from dataclasses import dataclass

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.shielded import heartbeats
from domain.errors import Conflict, InvariantBroken
from ports.anchors import Anchor, AnchorFailed
from ports.checkpoints import Checkpoints, KeptCheckpoint, Receipt
from ports.clock import Clock


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint and who witnessed it.

    Attributes:
        size: of the checkpoint, in items; 0 where the journal is empty.
        root: the Merkle root, hexadecimal.
        witnessed: names of the anchors that have it, now or from an earlier time.
        faults: what went wrong with the others, in words.
        contradicted: names of the anchors that hold another checkpoint of the same size.
    """

    size: int = 0
    root: str = ""
    witnessed: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()


async def witnessed_by(
    checkpoints: Checkpoints, anchors: Sequence[Anchor], clock: Clock, kept: KeptCheckpoint
) -> Sealed:
    """Have a checkpoint witnessed by every anchor that has not yet; each is asked once.

    One that fails is reported and holds up no other.
    """
    size = kept.checkpoint.head.size
    known = await checkpoints.of(size)
    having = {one.anchor for one in (known or kept).receipts}
    faults, contradicted = list[str](), list[str]()
    for anchor in anchors:
        if anchor.name in having:
            continue
        try:
            seen = await anchor.witness(kept.checkpoint)
        except AnchorFailed as error:
            faults.append(str(error))
            continue
        except Conflict as error:
            faults.append(str(error))
            contradicted.append(anchor.name)
            continue
        receipt = Receipt(
            size, anchor.name, anchor.kind, clock.now(), seen.witnessed_at, seen.content
        )
        await checkpoints.keep_receipt(receipt)
        having.add(anchor.name)
    root = kept.checkpoint.head.root.hex()
    return Sealed(size, root, tuple(sorted(having)), tuple(faults), tuple(contradicted))


class SealActivities:
    """Seals what was written since the last checkpoint."""

    def __init__(self, checkpoints: Checkpoints, anchors: Sequence[Anchor], clock: Clock) -> None:
        self._checkpoints, self._anchors, self._clock = checkpoints, anchors, clock

    @activity.defn(name="sealing.seal")
    async def seal(self) -> Sealed:
        """Make the checkpoint of now and have it witnessed.

        A journal that is not what was hashed is a failure, and nothing is signed. A witness that
        fails is named in the answer and asked again with the next checkpoint.
        """
        async with heartbeats():
            try:
                kept = await self._checkpoints.seal()
            except InvariantBroken as error:
                raise ApplicationError(str(error), type="JournalFaulty") from None
            if kept is None:
                return Sealed()
            done = await witnessed_by(self._checkpoints, self._anchors, self._clock, kept)
        for fault in done.faults:
            activity.logger.error("a checkpoint was not witnessed: %s", fault)
        return done
