"""The messages to and from a driver: plain data, the same for every kind of subject.

Orders come by signal or Update in the wire form of their commands: see `domain.kernel.order`.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.registry import Order

MESSAGE = "message"
"""The door of signals and Updates, as it stands in the ids of commands."""
DRIVER = "driver"
"""The door of what a driver orders by itself."""
CLI = "cli"
"""The door of the command line."""

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An order on its way to the books, and the tries that failed.

    `lost` is empty while the order is tried; then it says why it is no longer tried, and a person
    is to be asked.
    """

    order: Order
    tries: int = 0
    lost: str = ""


@dataclass(frozen=True, slots=True)
class DriverOrder(Generic[D]):
    """Drive a subject through one generation; `view` is what the books held at the start.

    The rest is what an earlier run of the same driver hands on: `run` goes on counting,
    `pending` are orders that the books could not take yet, `lost` says why an order was lost
    without a person knowing of it yet.
    """

    generation: int
    view: View[D]
    run: int = 0
    pending: tuple[PendingOrder, ...] = ()
    lost: str = ""

    @classmethod
    def of(cls, view: View[D]) -> "DriverOrder[D]":
        """The order to drive what `view` shows."""
        return cls(view.generation, view)


@dataclass(frozen=True, slots=True)
class Closure:
    """How a driver ended: final for its generation, or reopened under a higher one."""

    subject: Subject
    generation: int
    state: str
    version: int
    reopened_as: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A readable account: what happened, the newest last, and what comes next.

    `unknown_signals` had a name that nobody here knows, `unread_signals` a content that breaks a
    rule; neither was acted upon.
    """

    happened: tuple[str, ...]
    next: str
    unknown_signals: int = 0
    unread_signals: int = 0
