"""What drivers, and what works for one subject at a time, ask of the books."""

from typing import Any, Protocol

from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.loan.aggregate import Loan


class DriverQueries(Protocol):
    """Questions about one subject or one loan; every answer is what the books hold now."""

    async def view(self, subject: Subject) -> View[Any] | None:
        """The current view of one subject."""
        ...

    async def loan(self, loan_id: str) -> Loan | None:
        """The whole aggregate."""
        ...
