"""Files as they came, kept by content hash, and what was read out of statements."""

from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """What the house knows of one statement. Amounts in minor units."""

    statement_id: str
    account: str
    currency: str
    sequence: int | None
    booked_on: date | None
    opening_minor: int
    closing_minor: int
    lines: int
    sha256: str
    faults: tuple[str, ...]


class Archive(Protocol):
    """Keeps files by hash, and one record for each statement read."""

    async def keep(self, kind: str, content: bytes) -> str:
        """Keep a file; the same content is kept once. Gives its SHA-256."""
        ...

    async def load(self, sha256: str) -> bytes:
        """The content of a kept file; raises KeyError."""
        ...

    async def record_statement(self, record: StatementRecord) -> bool:
        """Remember a statement that was read; False if it was known already (same id)."""
        ...

    async def statements(self, account: str | None = None) -> tuple[StatementRecord, ...]:
        """Known statements, by account and sequence."""
        ...
