"""Activities for overrides: an order of an operator or of upstream is brought to the books."""

from dataclasses import dataclass

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.actions import DRIVER
from activities.answers import apply, view_of
from domain.errors import Conflict, InvalidInput
from domain.kernel import canonical
from domain.loan.change import Refused
from domain.loan.commands import Order, RaiseOperator
from domain.loan.view import InstallmentView
from ports.books import Books


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """What became of an order: the view as it is now, and the rule that refused it, if any."""

    view: InstallmentView | None
    refused_by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class LostOrder:
    """An order that the books could not take: which, by whom, and why not, in words."""

    loan_id: str
    number: int
    kind: str
    order_id: str
    actor: str
    why: str


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

    @activity.defn(name="orders.abandon")
    async def abandon(self, lost: LostOrder) -> InstallmentView:
        """Make a lost order a visible task of a person; once for each order."""
        command = RaiseOperator(
            id=f"driver/{lost.loan_id}/{lost.number}/lost/{canonical.digest(lost.order_id)[:16]}",
            actor=DRIVER,
            from_driver=True,
            reason=f"order {lost.kind} of {lost.actor} was not taken: {lost.why}",
            loan_id=lost.loan_id,
            number=lost.number,
        )
        return view_of(await apply(self._books, command))
