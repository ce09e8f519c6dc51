"""Keys by which a caller's request is carried out once, however often it comes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Held:
    """The key is ours: the request is to be carried out, and the key kept or given back.

    `again`: it was carried out before, or somebody who held it has died; what it did is found
    again by its id.
    """

    holder: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class AtWork:
    """Another request with this key is at work; ask again in so many seconds."""

    retry_after_s: int


@dataclass(frozen=True, slots=True)
class OtherBody:
    """The key was used for another request."""


class IdempotencyKeys(Protocol):
    """Remembers keys for ever, with the digest of the request and what it made; never a body."""

    async def hold(
        self, caller: str, key: str, digest: str, at: datetime
    ) -> Held | AtWork | OtherBody:
        """Take a key for one request."""
        ...

    async def keep(self, caller: str, key: str, held: Held, resource: str, at: datetime) -> None:
        """The request is carried out: the key stands for what it made."""
        ...

    async def give_back(self, caller: str, key: str, held: Held) -> None:
        """The request was refused before it did anything: the key is free again."""
        ...
