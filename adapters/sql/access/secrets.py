"""Keeps what persons log in with: passwords as argon2id hashes, second factors encrypted."""

import asyncio
import os
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import InvalidInput, InvariantBroken

KEY_BYTES = 32
_NONCE_BYTES = 12
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's smallest for argon2id: 19 MiB, two passes."""


class AccessSecrets:
    """Hashes and encrypts with the key of a file that lies outside the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._nobody = ""

    def seal(self, secret: bytes) -> bytes:
        """Encrypt a second factor; the key is made when the first one is."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self._key(make=True)).encrypt(nonce, secret, None)

    def unseal(self, sealed: bytes) -> bytes:
        """A second factor in clear.

        Raises:
            InvalidInput: the file of the key is missing.
            InvariantBroken: it was encrypted with another key.
        """
        cipher = AESGCM(self._key(make=False))
        try:
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except InvalidTag:
            raise InvariantBroken("second factors are encrypted with another access key") from None

    async def hash(self, password: str) -> str:
        """The hash of a password."""
        return await asyncio.to_thread(_HASHER.hash, password)

    async def matches(self, kept: str, password: str) -> bool:
        """Whether a password has this hash; where there is none it takes as long to say no."""
        if not self._nobody:
            self._nobody = await self.hash(secrets.token_urlsafe())
        return await asyncio.to_thread(_verify, kept or self._nobody, password)

    def _key(self, *, make: bool) -> bytes:
        if make and not os.path.lexists(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(self._path, flags, 0o600), "wb") as file:
                file.write(os.urandom(KEY_BYTES))
        try:
            if self._path.stat().st_mode & 0o077:
                rule = "a file that nobody but its user may read"
                raise InvalidInput("access_key", str(self._path), rule)
            key = self._path.read_bytes()
        except OSError as error:
            raise InvalidInput("access_key", str(self._path), f"a file: {error.strerror}") from None
        if len(key) != KEY_BYTES:
            raise InvalidInput("access_key", str(self._path), f"a file of {KEY_BYTES} bytes")
        return key


def _verify(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
