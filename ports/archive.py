"""Files as they came, kept by content hash, and what was read out of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """What the books know of one statement, or of one page of it. Amounts in minor units.

    Attributes:
        opening_minor, closing_minor: None where the bank stated no booked balance.
        lines, sum_minor: booked lines and what they sum to.
        later_minor: the part of the sum that is booked after the day of the closing balance.
        first_on, last_on: the period that the bank states, else None.
        page: from 1. `is_last_page`: False where the bank says that more follow.
    """

    statement_id: str
    account: str
    currency: str
    sequence: int | None
    booked_on: date | None
    opening_minor: int | None
    closing_minor: int | None
    lines: int
    sha256: str
    faults: tuple[str, ...]
    sum_minor: int = 0
    later_minor: int = 0
    first_on: date | None = None
    last_on: date | None = None
    page: int = 1
    is_last_page: bool = True

    @property
    def period(self) -> str:
        """First and last day in one text; empty where the bank states none."""
        if self.first_on is None or self.last_on is None:
            return ""
        return f"{self.first_on.isoformat()}/{self.last_on.isoformat()}"


class Archive(Protocol):
    """Keeps files by hash, and one record for each statement read."""

    async def keep(self, kind: str, content: bytes) -> str:
        """Keep a file; the same content is kept once. Gives its SHA-256."""
        ...

    async def load(self, sha256: str) -> bytes:
        """The content of a kept file; raises KeyError."""
        ...

    async def record_statement(self, record: StatementRecord) -> bool:
        """Remember a statement that was read; False if its account, id and period are known."""
        ...

    async def statements(self, account: str | None = None) -> tuple[StatementRecord, ...]:
        """Known statements, by account and sequence."""
        ...

    async def brought_by(self, line_ids: Sequence[str]) -> Mapping[str, str]:
        """Of the lines that are booked, the id of the statement that brought each first."""
        ...
