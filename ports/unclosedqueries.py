"""What the report of paid and unclosed items asks of the books."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ports.paging import Page


@dataclass(frozen=True, slots=True)
class ClosedItem:
    """An installment that was closed, and when; `generation` above 1: it had been reopened."""

    loan_id: str
    number: int
    generation: int
    closed_at: datetime


class UnclosedQueries(Protocol):
    """Questions about loans that are paid, or are being closed."""

    async def unclosed_loans(self, after: str, limit: int) -> tuple[str, ...]:
        """Loans with an installment that is paid and not closed, or with a closure that runs."""
        ...

    async def closed_since(self, since: datetime, after: str, limit: int) -> Page[ClosedItem]:
        """Installments that were closed at an instant or later, in the order of their keys."""
        ...
