"""Writes evidence bundles: reads the books, proves every item, signs the whole."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, BinaryIO

from adapters.proofs.bundlefile import BundleWriter, signed_text
from adapters.signing.ed25519 import read_key, signed
from adapters.sql.read.auditing import SqlAuditing
from adapters.sql.read.evidence import SqlEvidence
from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.audit.sample import Draw
from domain.errors import InvalidInput
from ports.evidence import LaterItems

if TYPE_CHECKING:
    from adapters.signing.ed25519 import Ed25519Signer
    from domain.ledger.checkpoint import Checkpoint
    from workers.compose import Stack
    from workers.settings import Settings

TRIES = 5


class Bundles:
    """Writes bundles of loans under checkpoints that it makes where none covers what is written.

    Raises:
        InvalidInput: no key is named with which to sign.
    """

    def __init__(self, settings: Settings, stack: Stack) -> None:
        if settings.signing_key is None:
            rule = "a file with an Ed25519 key; `acquit ledger new-key FILE` makes one"
            raise InvalidInput("ACQUIT_SIGNING_KEY", "", rule)
        self._signer: Ed25519Signer = read_key(settings.signing_key)
        self._evidence = SqlEvidence(stack.engine)
        self._auditing = SqlAuditing(stack.engine)
        self._checkpoints = SqlCheckpoints(stack.engine, stack.clock, self._signer)

    async def checkpoint(self) -> Checkpoint:
        """The checkpoint of now."""
        kept = await self._checkpoints.seal()
        if kept is None:
            raise InvalidInput("books", "0 items", "something to prove: the journal is empty")
        return kept.checkpoint

    async def draw(self, size: int, seed: str, *, by_risk: bool) -> tuple[Checkpoint, Draw]:
        """A sample of the loans, and the checkpoint from whose head it is drawn.

        Raises:
            InvalidInput: size or seed break a rule; or loans were written all the while.
        """
        for _ in range(TRIES):
            checkpoint = await self.checkpoint()
            draw = Draw(size, seed, checkpoint.head.head)
            async with aclosing(self._auditing.risks()) as loans:
                async for one in loans:
                    draw.take(one.loan_id, one.risk.weight if by_risk else 1)
            if (await self.checkpoint()).head == checkpoint.head:
                return checkpoint, draw
        raise InvalidInput(
            "books", "written to", f"books that stand still for one of {TRIES} draws"
        )

    async def write(self, loan_id: str, output: BinaryIO) -> Checkpoint:
        """Write the bundle of a loan, and give the checkpoint under which it is proven.

        Where something about the loan is written meanwhile, it begins anew with a later checkpoint.

        Raises:
            InvalidInput: there is no such loan, or too much of it.
            InvariantBroken: the journal is not what was signed.
        """
        for _ in range(TRIES):
            checkpoint = await self.checkpoint()
            try:
                await self.write_under(checkpoint, loan_id, output)
            except LaterItems:
                output.seek(0)
                output.truncate()
            else:
                return checkpoint
        rule = f"a loan about which nothing is written during {TRIES} exports"
        raise InvalidInput("loan", loan_id, rule)

    async def write_under(self, checkpoint: Checkpoint, loan_id: str, output: BinaryIO) -> None:
        """Write the bundle of a loan under a checkpoint.

        Raises:
            LaterItems: something about the loan was written since.
        """
        writer = BundleWriter(output, loan_id, checkpoint)
        try:
            async with aclosing(self._evidence.of_loan(loan_id, checkpoint.head)) as rows:
                async for row in rows:
                    writer.take(row)
        except BaseException:
            writer.abandon()
            raise
        manifest, head = writer.manifest(), checkpoint.head
        text = signed_text(head.origin, head.size, manifest)
        writer.seal(manifest, signed(text, head.origin, self._signer))
