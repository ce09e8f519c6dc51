"""The activity of boarding: an application from upstream becomes a loan on the books."""

from dataclasses import dataclass

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.answers import apply, invalid
from domain.errors import InvalidInput
from domain.kernel.change import Refused
from ports.boarding import HIDDEN, Boarding, LoanApplication, is_private
from ports.books import Books

_SHOWN_MOST = 80


@dataclass(frozen=True, slots=True)
class Boarded:
    """A loan that is on the books. `again`: it had been boarded before, with the same content."""

    loan_id: str
    installments: int
    principal_minor: int
    currency: str
    again: bool


class BoardActivities:
    """Boards loans, once each; the books start drivers of near installments by their outbox."""

    def __init__(self, books: Books, boarding: Boarding) -> None:
        self._books, self._boarding = books, boarding

    @activity.defn(name="boarding.board")
    async def board(self, application: LoanApplication) -> Boarded:
        """Validate an application and put its loan on the books.

        Raises:
            ApplicationError: `InvalidInput` with field, value and rule; `Conflict` when the id is
                taken by another loan; `Refused` with rule and reason. None is tried again.
        """
        try:
            command = self._boarding.command(application)
        except InvalidInput as error:
            raise invalid(_reported(error)) from None
        answer = await apply(self._books, command)
        if isinstance(answer, Refused):
            raise ApplicationError(
                f"{answer.rule}: {answer.reason}",
                {"rule": answer.rule, "reason": answer.reason},
                type="Refused",
                non_retryable=True,
            )
        return Boarded(
            command.loan_id,
            len(command.schedule),
            command.principal_minor,
            command.currency,
            answer.replayed,
        )


def _reported(error: InvalidInput) -> InvalidInput:
    """The fault without a private value: a sender may have put a name where a token belongs."""
    given = "" if error.value is None else str(error.value)
    value = HIDDEN if given and is_private(error.field) else given[:_SHOWN_MOST]
    return InvalidInput(error.field, value, error.rule)
