"""Encryption of everything that histories carry: AES-256-GCM, with keys that can be renewed.

Encrypted are arguments, results, signals, queries, memos, summaries, and the messages and stacks
of failures. Not encrypted, because server or SDK work with them: ids, names of types, signals and
queues, search attributes, headers, and when and how often a local activity ran.
"""

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)

from domain.errors import InvalidInput

ENCODING = b"binary/encrypted"
KEY_BYTES = 32
NONCE_BYTES = 12
"""Random for each payload: 2**32 payloads under one key are the limit of NIST SP 800-38D, 8.3."""
KEYS_MOST = 100
_ENCODING, _KEY_ID = "encoding", "encryption-key-id"


class PayloadUnreadable(RuntimeError):
    """A payload was changed, or its key is not in the keyring. Says which key, never what is in it.

    A workflow task that meets it fails and is tried again, so a key that was forgotten on one
    worker stops nothing for good.
    """


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by id. `current` encrypts; all of them decrypt, for as long as histories are kept."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Read one `id:base64` a line; the first encrypts. Blank lines and `#` lines are skipped.

        Raises:
            InvalidInput: a line is not of that form, a key has not 32 bytes, an id comes twice or
                there is no key. The value shown is the id or the line's number, never a key.
        """
        keys: dict[str, bytes] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            entry = line.strip()
            if not entry or entry.startswith("#"):
                continue
            name, colon, code = entry.partition(":")
            if not colon or not name.replace("-", "").replace(".", "").isalnum():
                raise InvalidInput("payload_keys", f"line {number}", "key-id:base64")
            if name in keys:
                raise InvalidInput("payload_keys", name, "each key id once")
            keys[name] = _key(name, code)
        if not 1 <= len(keys) <= KEYS_MOST:
            raise InvalidInput("payload_keys", f"{len(keys)} keys", f"1 to {KEYS_MOST} keys")
        return cls(next(iter(keys)), MappingProxyType(keys))


def _key(name: str, code: str) -> bytes:
    try:
        key = base64.b64decode(code, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise InvalidInput("payload_keys", name, f"{KEY_BYTES} bytes in base64")
    return key


def new_key(name: str) -> str:
    """A fresh line for a keyring."""
    return f"{name}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


class EncryptionCodec(PayloadCodec):
    """Turns each payload whole, its metadata too, into one that holds only a key id in clear."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._ciphers = {name: AESGCM(key) for name, key in keyring.keys.items()}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt under the current key."""
        name = self._keyring.current
        return [self._sealed(name, payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is encrypted; what is not (histories from before) passes unchanged.

        Raises:
            PayloadUnreadable: unknown key, or the payload is not as it was written.
        """
        return [self._opened(payload) for payload in payloads]

    def _sealed(self, name: str, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[name].encrypt(nonce, payload.SerializeToString(), _bound(name))
        metadata = {_ENCODING: ENCODING, _KEY_ID: name.encode()}
        return Payload(metadata=metadata, data=nonce + sealed)

    def _opened(self, payload: Payload) -> Payload:
        if payload.metadata.get(_ENCODING) != ENCODING:
            return payload
        name = payload.metadata.get(_KEY_ID, b"").decode(errors="replace")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise PayloadUnreadable(f"no key {name[:80]!r} in the keyring")
        nonce, sealed = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, _bound(name)))
        except (InvalidTag, ValueError):
            raise PayloadUnreadable(f"changed since it was written under key {name!r}") from None


def _bound(name: str) -> bytes:
    """What a ciphertext is tied to: this format and its key's name."""
    return b"acquit/1/" + name.encode()


def converter(keyring: Keyring | None) -> DataConverter:
    """The data converter of our histories: encrypting where there are keys, else in clear."""
    if keyring is None:
        return pydantic_data_converter
    return replace(
        pydantic_data_converter,
        payload_codec=EncryptionCodec(keyring),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
