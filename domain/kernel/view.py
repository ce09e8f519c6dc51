"""What drivers, lists and searches see of any subject: where it stands and what comes next."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, Self, TypeVar

from domain.kernel.subject import Subject

WAITS = "!"
"""Last character of a mark while a person is needed."""

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do, not before an instant (UTC), and why. `key` names it for ever.

    `kind` is one of its subject's kind; a driver that does not know it waits for a newer view.
    """

    kind: str
    not_before: datetime
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What a subject is found by in lists and in the Temporal UI: one set for every kind.

    Attributes:
        loan_id, number: the loan that it is about, and the installment.
        due_on: the day on which it is due, if it has one.
        currency, amount_minor: the money that it is about now, in minor units: what is owed.
        rail: of its orders. `code`: the last refusal of the rail, or why it failed.
        attempt_no: how often it was tried.
        owner: the team or person that works on it.
    """

    loan_id: str = ""
    number: int | None = None
    due_on: date | None = None
    currency: str = ""
    amount_minor: int = 0
    rail: str = ""
    code: str = ""
    attempt_no: int = 0
    owner: str = ""


@dataclass(frozen=True, slots=True)
class View(Generic[D]):
    """A subject as the books have it now; folded by the highest (generation, version).

    Attributes:
        state: one of its kind. A state that a build does not know is shown as it is.
        is_final: nothing more is asked of a driver of this generation.
        next_action: what is asked of the driver, or None while it only waits for news.
        missing: codes of what its closure lacks.
        needs_operator: why a person is waited for; empty when nobody is.
        as_of: the instant at which it was computed, by the books' clock.
        detail: what only its kind has. No personal data.
    """

    tenant: str
    subject: Subject
    generation: int
    version: int
    state: str
    labels: Labels
    detail: D
    is_final: bool = False
    next_action: Action | None = None
    missing: tuple[str, ...] = ()
    needs_operator: str = ""
    as_of: datetime | None = None

    @property
    def mark(self) -> str:
        """What the view asks of a driver, as text: key and instant of the next action, or `final`.

        It ends in `WAITS` while a person is needed. Two views with the same mark ask the same of a
        driver and show the same to searches.
        """
        action = self.next_action
        asked = f"{action.key}@{action.not_before.isoformat()}" if action else "-"
        return "final" if self.is_final else asked + (WAITS if self.needs_operator else "")

    def newer(self, other: Self) -> Self:
        """The later of two views; folding is commutative and idempotent."""
        mine = (self.generation, self.version)
        return other if (other.generation, other.version) > mine else self
