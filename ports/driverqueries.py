"""What drivers, and what works for one subject at a time, ask of the books."""

from typing import Any, Protocol

from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.loan.aggregate import Loan
from domain.payout.items import PayoutItem
from domain.payout.payout import Payout


class DriverQueries(Protocol):
    """Questions about one subject or one loan; every answer is what the books hold now."""

    async def view(self, subject: Subject) -> View[Any] | None:
        """The current view of one subject."""
        ...

    async def payout(self, key: str) -> Payout | None:
        """A payout as the books hold it."""
        ...

    async def payout_items(
        self, key: str, after: tuple[str, str, int, str], limit: int
    ) -> tuple[PayoutItem, ...]:
        """Items of a payout in the order of their keys, after one of them."""
        ...

    async def unsettled_under(self, mandate: str, besides: str) -> int:
        """Installments that are not settled yet of loans under a mandate, one loan left out."""
        ...

    async def loan(self, loan_id: str) -> Loan | None:
        """The whole aggregate."""
        ...
