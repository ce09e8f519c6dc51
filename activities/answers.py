"""Applies a command for an activity, and turns answers and faults into what Temporal expects."""

from typing import Any

from temporalio.exceptions import ApplicationError

from domain.errors import Conflict, InvalidInput
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command
from domain.kernel.view import View
from ports.books import Books


async def apply(books: Books, command: Command) -> Applied | Refused:
    """Apply a command; one id with two contents can never succeed, so it is not tried again.

    Raises:
        ApplicationError: type `Conflict`, not retryable.
    """
    try:
        return await books.apply(command)
    except Conflict as conflict:
        raise ApplicationError(str(conflict), type="Conflict", non_retryable=True) from conflict


def view_of(answer: Applied | Refused) -> View[Any]:
    """The view in an answer about one subject.

    Raises:
        ApplicationError: type `NoView`: the books answered without one.
    """
    if answer.view is None:
        raise ApplicationError("the books answered without a view", type="NoView")
    return answer.view


def invalid(error: InvalidInput) -> ApplicationError:
    """The failure that a sender reads: type `InvalidInput`; field, value, rule as its detail."""
    return ApplicationError(
        str(error),
        {"field": error.field, "value": str(error.value), "rule": error.rule},
        type="InvalidInput",
        non_retryable=True,
    )
