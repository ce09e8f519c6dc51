"""Activities of every driver, whatever its kind: look, bring an order, ask for a person."""

from dataclasses import dataclass
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.actions import about
from activities.answers import apply, view_of
from domain.errors import Conflict, InvalidInput
from domain.kernel.change import Refused
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.registry import KINDS, Order
from ports.books import Books


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """What became of an order: the view as it is now, and the rule that refused it, if any."""

    view: View[Any] | None
    refused_by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Plea:
    """Ask for a person about a subject: `why` in words; `key` makes it once for each cause."""

    subject: Subject
    key: str
    why: str


class ViewQueries(Protocol):
    """The part of `ports.driverqueries.DriverQueries` that gives views."""

    async def view(self, subject: Subject) -> View[Any] | None:
        """The current view of one subject."""
        ...


class SubjectActivities:
    """What any driver asks of the books. A refusal is an answer, stored there; never an error.

    Args:
        queries: where views are read.
        books: where orders of people and of upstream go in.
        drivers: the door of drivers.
    """

    def __init__(self, queries: ViewQueries, books: Books, drivers: Books) -> None:
        self._queries, self._books, self._drivers = queries, books, drivers

    @activity.defn(name="subjects.look")
    async def look(self, subject: Subject) -> View[Any] | None:
        """The subject as the books have it now; None when they do not know it."""
        return await self._queries.view(subject)

    @activity.defn(name="subjects.order")
    async def order(self, order: Order) -> OrderAnswer:
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

    @activity.defn(name="subjects.ask")
    async def ask(self, plea: Plea) -> View[Any]:
        """Ask for a person; the same cause asks once."""
        subject = plea.subject
        command = about(
            subject,
            KINDS[subject.kind].raise_operator,
            id=f"driver/{subject}/{plea.key}",
            reason=plea.why,
        )
        return view_of(await apply(self._drivers, command))
