"""Aggregates that this process has read or written, valid while their row's revision stands."""

from collections import OrderedDict

from adapters.sql.write.workset import Held
from domain.loan.product import Product


class LoanCache:
    """The most recently used loans and all products.

    A loan is used only if the revision read under its row lock is the one it was kept with, so
    another process's write is never missed.
    """

    def __init__(self, limit: int = 2_000) -> None:
        self.products: dict[str, tuple[str, Product]] = {}
        self._limit = limit
        self._loans: OrderedDict[str, Held] = OrderedDict()

    def get(self, loan_id: str, revision: int) -> Held | None:
        """The loan at exactly this revision."""
        held = self._loans.get(loan_id)
        if held is None or held.revision != revision:
            return None
        self._loans.move_to_end(loan_id)
        return held

    def put(self, held: Held) -> None:
        """Keep a loan whose write is committed."""
        self._loans[held.loan.id] = held
        self._loans.move_to_end(held.loan.id)
        while len(self._loans) > self._limit:
            self._loans.popitem(last=False)

    def clear(self) -> None:
        """Forget everything: after a commit whose result is not known."""
        self._loans.clear()
        self.products.clear()
