"""Activities that only read the books."""

from dataclasses import dataclass
from typing import Protocol

from temporalio import activity

from domain.loan.view import InstallmentView


@dataclass(frozen=True, slots=True)
class LookOrder:
    """Which installment to look at."""

    loan_id: str
    number: int


class ViewQueries(Protocol):
    """The part of `ports.queries.Queries` that a look needs."""

    async def view(self, loan_id: str, number: int) -> InstallmentView | None:
        """The current view of one installment."""
        ...


class QueriesActivities:
    """Reads views from the books."""

    def __init__(self, queries: ViewQueries) -> None:
        self._queries = queries

    @activity.defn(name="queries.look")
    async def look(self, order: LookOrder) -> InstallmentView | None:
        """The installment as the books have it now; None when they do not know it."""
        return await self._queries.view(order.loan_id, order.number)
