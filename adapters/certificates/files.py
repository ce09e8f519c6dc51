"""Certificates and lists of revoked ones as files that verify without the books.

A certificate file is JSON with the signed text, the key and the signature; a PDF carries the same
JSON as an attachment, and is read like it.
"""

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.inputfile import open_bytes
from adapters.refusals import refused
from adapters.signing.ed25519 import is_genuine
from domain.ledger.checkpoint import PublicKey
from domain.ledger.proofs import NotProven
from domain.loanclosure.certificate import (
    TEXT_MOST,
    Certificate,
    Settlement,
    code_of,
    read_settlement,
)
from ports.signing import Signer

FORMAT = "acquit.certificate.v1"
REVOKED_FORMAT = "acquit.revoked.v1"
FILE_MOST_BYTES = 16 * 1024 * 1024
REVOKED_MOST = 100_000
_JSON_MOST, _STREAMS_MOST = 4 * TEXT_MOST, 1_000
_STREAM = re.compile(rb"stream\r?\n")
_MARK = f'{{"format":"{FORMAT}"'.encode()
_Code = Annotated[str, Field(pattern=r"^[A-Z2-7]{4}(-[A-Z2-7]{4}){4}$")]

_Instant = Annotated[str, Field(max_length=40)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _File(_Strict):
    format: Literal["acquit.certificate.v1"]
    text: Annotated[str, Field(max_length=TEXT_MOST)]
    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class _Revoked(_Strict):
    type: Literal["acquit.revoked.v1"]
    issued_at: _Instant
    codes: Annotated[
        dict[_Code, Annotated[str, Field(max_length=40)]], Field(max_length=REVOKED_MOST)
    ]


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate as it was read from a file; nothing of it is proven yet."""

    text: str
    key: bytes
    signature: bytes

    @property
    def code(self) -> str:
        """Its verification code."""
        return code_of(self.text)


@dataclass(frozen=True, slots=True)
class RevokedList:
    """Codes of the certificates that are not true any more, each with since when (ISO 8601)."""

    issued_at: str
    codes: dict[str, str]


def certificate_json(certificate: Certificate) -> str:
    """The file of a certificate: one line of ASCII."""
    held = {"text": certificate.text, "key": certificate.key, "signature": certificate.signature}
    return _dumped({"format": FORMAT, **held})


def read_certificate(path: Path) -> Signed:
    """The certificate in a file, JSON or PDF.

    Raises:
        SourceRefused: it holds none. No content is shown.
    """
    with open_bytes(path, FILE_MOST_BYTES) as source:
        content = source.read()
    try:
        read = _File.model_validate(_held_in(content))
    except ValidationError:
        raise refused(path, "certificate", "(not shown)", "a certificate, as JSON or PDF") from None
    return Signed(read.text, bytes.fromhex(read.key), bytes.fromhex(read.signature))


def _held_in(content: bytes) -> Any:  # noqa: ANN401  (whatever JSON there is)
    """The JSON of a certificate in a file, or in a stream of a PDF; None: there is none."""
    for piece in (content, *islice(_streams(content), _STREAMS_MOST)):
        if piece.lstrip().startswith(_MARK):
            try:
                return json.JSONDecoder().raw_decode(piece[:_JSON_MOST].decode("ascii").lstrip())[0]
            except ValueError:
                return None
    return None


def _streams(content: bytes) -> Iterator[bytes]:
    """Yield the beginning of each stream of a PDF, unpacked where it is packed."""
    for found in _STREAM.finditer(content):
        packed = content[found.end() : found.end() + 2 * _JSON_MOST]
        try:
            yield zlib.decompressobj().decompress(packed, _JSON_MOST)
        except zlib.error:
            yield packed[:_JSON_MOST]


def proven(signed: Signed, keys: Iterable[PublicKey]) -> Settlement:
    """What a certificate says, once one of the known keys is proven to have signed it.

    Raises:
        NotProven: none of them did.
        InvalidInput: what was signed is no certificate of settlement.
    """
    if signed.key not in {key.content for key in keys}:
        rule = "one of the public keys that were given"
        raise NotProven("certificate key", signed.key.hex()[:16], rule)
    if not is_genuine(signed.key, signed.text.encode(), signed.signature):
        raise NotProven("certificate signature", signed.code, "made by its key over its text")
    return read_settlement(signed.text)


def revoked_json(revoked: Iterable[Certificate], at: datetime, signer: Signer) -> str:
    """The signed list of revoked certificates, for whoever verifies without the books."""
    codes = {
        one.code: one.revoked_at.astimezone(UTC).isoformat()
        for one in revoked
        if one.revoked_at is not None
    }
    text = _dumped({"type": REVOKED_FORMAT, "issued_at": at.isoformat(), "codes": codes})
    signature = signer.sign(text.encode()).hex()
    return _dumped({"text": text, "key": signer.public.hex(), "signature": signature})


def read_revoked(path: Path, keys: Iterable[PublicKey]) -> RevokedList:
    """The list in a file, once one of the known keys is proven to have signed it.

    Raises:
        SourceRefused: the file holds no list.
        NotProven: none of the keys signed it.
    """
    with open_bytes(path, FILE_MOST_BYTES) as source:
        content = source.read()
    try:
        held = json.loads(content)
        text = str(held["text"])
        key, signature = bytes.fromhex(held["key"]), bytes.fromhex(held["signature"])
        read = _Revoked.model_validate_json(text)
    except (ValueError, KeyError, TypeError, ValidationError):
        raise refused(path, "list", "(not shown)", "a list of revoked certificates") from None
    known = key in {one.content for one in keys}
    if not known or not is_genuine(key, text.encode(), signature):
        raise NotProven("signature of the list", "(not shown)", "made by one of the public keys")
    return RevokedList(read.issued_at, dict(read.codes))


def _dumped(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
