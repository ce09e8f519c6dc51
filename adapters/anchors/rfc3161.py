"""A time stamping authority (RFC 3161), which signs that a checkpoint was there at a time."""

from collections.abc import Iterable
from datetime import UTC, datetime

import httpx
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from adapters.anchors.calls import post
from domain.ledger.checkpoint import Checkpoint
from ports.anchors import AnchorFailed, Testimony

_HEADERS = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
}


class TimestampAnchor:
    """Implements `ports.anchors.Anchor`: the stamp is over the SHA-256 of the checkpoint's file.

    Args:
        name: in our settings.
        url: of the authority.
        roots: certificates that its own must lead to; nothing else is trusted.
        client: whose lifetime the caller owns.
    """

    kind = "rfc3161"

    def __init__(
        self, name: str, url: str, roots: Iterable[x509.Certificate], client: httpx.AsyncClient
    ) -> None:
        self.name, self._url, self._roots, self._client = name, url, tuple(roots), client

    async def witness(self, checkpoint: Checkpoint) -> Testimony:
        """Ask for a stamp; the testimony is the answer as it came, in DER."""
        content = checkpoint.text().encode()
        asked = (
            TimestampRequestBuilder()
            .data(content)
            .hash_algorithm(HashAlgorithm.SHA256)
            .cert_request(cert_request=True)
            .build()
        )
        answer = await post(self._client, self.name, self._url, asked.as_bytes(), _HEADERS)
        return Testimony(answer, self._stamped_at(asked, answer, content))

    def _stamped_at(self, asked: TimeStampRequest, answer: bytes, content: bytes) -> datetime:
        """The time of the stamp, once it is proven to be of this request and content.

        Raises:
            AnchorFailed: it is not, or the answer is none.
        """
        try:
            found: TimeStampResponse = decode_timestamp_response(answer)
        except ValueError:
            raise AnchorFailed(self.name, "answered with something else than a stamp") from None
        builder = VerifierBuilder.from_request(asked)
        for root in self._roots:
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify_message(found, content)
        except (VerificationError, ValueError) as error:
            why = str(error).partition("\n")[0][:120]
            raise AnchorFailed(self.name, f"gave no valid stamp ({why})") from None
        return found.tst_info.gen_time.astimezone(UTC)
