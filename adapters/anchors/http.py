"""A server that keeps checkpoints and signs that it saw them."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

import httpx

from adapters.anchors.calls import post
from adapters.signing.ed25519 import is_genuine
from domain.errors import InvalidInput
from domain.ledger.checkpoint import (
    ED25519_COSIGNATURE,
    SIGNATURE_BYTES,
    Checkpoint,
    PublicKey,
    Signature,
    read_signatures,
)
from ports.anchors import AnchorFailed, Testimony

_TIME_BYTES = 8
_YEAR_10000 = 253_402_300_800


class HttpAnchor:
    """Implements `ports.anchors.Anchor` with one POST of the checkpoint's text.

    `Idempotency-Key` is the SHA-256 of that text. The answer is lines of signatures of the text as
    signed notes have them, plain or with a time (C2SP `tlog-cosignature`); one of them must be by a
    key of the witness.

    Args:
        name: in our settings.
        url: where checkpoints are posted.
        keys: public keys of the witness.
        client: whose lifetime the caller owns.
    """

    kind = "http"

    def __init__(
        self, name: str, url: str, keys: Iterable[PublicKey], client: httpx.AsyncClient
    ) -> None:
        self.name, self._url, self._keys, self._client = name, url, tuple(keys), client

    async def witness(self, checkpoint: Checkpoint) -> Testimony:
        """Post the checkpoint; the testimony is the answer as it came."""
        content = checkpoint.text().encode()
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Idempotency-Key": hashlib.sha256(content).hexdigest(),
        }
        answer = await post(self._client, self.name, self._url, content, headers)
        try:
            lines = read_signatures(answer.decode())
        except (InvalidInput, UnicodeDecodeError):
            raise AnchorFailed(self.name, "answered with something else than signatures") from None
        for line in lines:
            for key in self._keys:
                if key.matches(line, checkpoint.head.size):
                    return Testimony(answer, self._seen_at(key, line, checkpoint))
        raise AnchorFailed(self.name, "answered without a signature by a key of the witness")

    def _seen_at(self, key: PublicKey, line: Signature, checkpoint: Checkpoint) -> datetime | None:
        """When the witness saw the checkpoint, if it says so.

        Raises:
            AnchorFailed: the signature is not genuine.
        """
        text, content, at = checkpoint.head.text(), line.content, None
        if key.algorithm == ED25519_COSIGNATURE:
            seconds = int.from_bytes(content[:_TIME_BYTES])
            content = content[_TIME_BYTES:]
            text = f"cosignature/v1\ntime {seconds}\n{text}"
            at = datetime.fromtimestamp(seconds, UTC) if seconds < _YEAR_10000 else None
        whole = len(content) == SIGNATURE_BYTES
        if not whole or not is_genuine(key.content, text.encode(), content):
            raise AnchorFailed(self.name, "answered with a signature that is not genuine")
        return at
