"""What programs ask of the books: lists narrowed to the portfolios that a caller may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from domain.kernel.view import View
from domain.payment.payment import Payment
from ports.paging import Page


@dataclass(frozen=True, slots=True)
class LoanRow:
    """A loan in a list."""

    loan_id: str
    product: str
    version: int


@dataclass(frozen=True, slots=True)
class Happened:
    """One move of something that has states.

    Attributes:
        seq: its place in the ledger: of two events of one subject the later one has the higher.
        order_no: of the attempt that moved; empty where the subject itself did.
    """

    seq: int
    at: datetime
    kind: str
    key: str
    loan_id: str
    event: str
    source: str
    target: str
    order_no: str


class ApiQueries(Protocol):
    """Lists; `portfolios` says which loans are seen, and `*` in it all of them and all else."""

    async def loan_rows(self, portfolios: frozenset[str], after: str, limit: int) -> Page[LoanRow]:
        """Loans by their ids."""
        ...

    async def views(
        self, kind: str, portfolios: frozenset[str], states: tuple[str, ...], after: str, limit: int
    ) -> Page[View[Any]]:
        """Subjects of one kind, in these states or in any, by their keys."""
        ...

    async def payment(self, payment_id: str) -> Payment | None:
        """One payment."""
        ...

    async def payments(
        self, portfolios: frozenset[str], loan_id: str, after: str, limit: int
    ) -> Page[Payment]:
        """Payments by their ids, of one loan or of all; only those that pay no other loan."""
        ...

    async def happened(
        self, portfolios: frozenset[str], after: str, limit: int
    ) -> tuple[Page[Happened], str]:
        """Moves in the order of the ledger, and the cursor behind the last one of the page."""
        ...
