"""Hands for overrides: the order of an operator or of upstream, brought to the books."""

from dataclasses import dataclass

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.errors import Conflict, InvalidInput
from domain.loan.change import Refused
from domain.loan.commands import Order
from domain.loan.view import InstallmentView
from ports.books import Books


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """What became of an order: the view as it is now, and the rule that refused it, if any."""

    view: InstallmentView | None
    refused_by: str = ""
    why: str = ""


class OrderActivities:
    """Applies orders. A refusal is an answer, stored by the books; it is never an error here."""

    def __init__(self, books: Books) -> None:
        self._books = books

    @activity.defn(name="orders.apply")
    async def apply(self, order: Order) -> OrderAnswer:
        """Apply one order. An id used before for another order is refused by rule `conflict`."""
        try:
            answer = await self._books.apply(order)
        except Conflict as conflict:
            return OrderAnswer(None, "conflict", str(conflict))
        except (ValueError, InvalidInput) as error:
            raise ApplicationError(str(error), type="InvalidInput", non_retryable=True) from error
        if isinstance(answer, Refused):
            return OrderAnswer(answer.view, answer.rule, answer.reason)
        return OrderAnswer(answer.view)
