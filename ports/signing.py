"""Signing: what a private key does, whoever keeps it."""

from typing import Protocol


class Signer(Protocol):
    """Signs text with one Ed25519 key. The key itself never leaves it."""

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        ...

    def sign(self, content: bytes) -> bytes:
        """The signature of some bytes, 64 bytes; the same content has the same signature."""
        ...
