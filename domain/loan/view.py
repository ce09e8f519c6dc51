"""What driver, console and upstream see of an installment: state, money, what comes next."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.loan.lifecycle import State

WAITS = "!"
"""Last character of a mark while a person is needed."""


class ActionKind(StrEnum):
    """What the driver is asked to do next."""

    REMIND = "REMIND"
    PRESENT = "PRESENT"
    INQUIRE = "INQUIRE"
    REVIEW = "REVIEW"
    """Open a case for money that is unproven past its deadline."""
    OTHER = "OTHER"
    """A member that this build does not know: it waits for a newer view."""

    @classmethod
    def _missing_(cls, _value: object) -> "ActionKind":
        return cls.OTHER


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do, not before an instant (UTC), and why. `key` names it for ever."""

    kind: ActionKind
    not_before: datetime
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class InstallmentView:
    """The installment as the books have it now; folded by the highest (generation, version).

    `next_action` is None when nothing is asked of the driver; `missing` names what closure lacks.
    `needs_operator` says why a person is waited for: empty when no case about the installment is
    open; `cases` are the kinds of those that are. `failure_code` is the last refusal of the rail
    and `failure_class` what it means, an `OutcomeClass`. Its days begin in `timezone`. Amounts in
    minor units. No personal data.
    """

    tenant: str
    loan_id: str
    number: int
    generation: int
    version: int
    state: State
    due_on: date
    currency: str
    owed_minor: int
    rail: str
    attempt_no: int = 0
    attempt_state: str = ""
    failure_code: str = ""
    order_no: str = ""
    hold: str = ""
    needs_operator: str = ""
    next_action: Action | None = None
    missing: tuple[str, ...] = ()
    is_final: bool = False
    as_of: datetime | None = None
    cases: tuple[str, ...] = ()
    failure_class: str = ""
    timezone: str = "UTC"

    @property
    def mark(self) -> str:
        """What the view asks of a driver, as text: key and instant of the next action, or `final`.

        It ends in `WAITS` while a person is needed. Two views with the same mark ask the same of a
        driver and show the same to searches.
        """
        action = self.next_action
        asked = f"{action.key}@{action.not_before.isoformat()}" if action else "-"
        return "final" if self.is_final else asked + (WAITS if self.needs_operator else "")

    def newer(self, other: "InstallmentView") -> "InstallmentView":
        """The later of two views; folding is commutative and idempotent."""
        mine = (self.generation, self.version)
        return other if (other.generation, other.version) > mine else self
