"""A product: every rule that an installment lives by, versioned and pinned at boarding."""

from dataclasses import dataclass, field
from datetime import time, timedelta

from domain.calendar import Adjust, DayWindow
from domain.canonical import ADDED_LATER
from domain.debit.retry import RetryPlan
from domain.loan.caps import CapRules
from domain.loan.penalty import PenaltyRule
from domain.loan.split import SplitRules
from domain.loan.waterfall import Waterfall


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """One reminder: how many days before the due date, at what local time, over which channels.

    Channels are tried in order: the next one when a channel fails or gives no receipt in time.
    """

    days_before: int
    at: time
    channels: tuple[str, ...]
    template: str = "reminder"


@dataclass(frozen=True, slots=True)
class ReminderPlan:
    """Reminders of an installment and the hours in which the borrower may be contacted."""

    rules: tuple[ReminderRule, ...]
    allowed: DayWindow
    receipt_within: timedelta = timedelta(hours=20)
    require_delivered: bool = False


@dataclass(frozen=True, slots=True)
class ClosureRules:
    """When an installment may be released: banking days after its last receipt was taken.

    `settlement_banking_days` is how long reported money may stay unproven before it is a case.
    """

    return_window_banking_days: int
    settlement_banking_days: int


@dataclass(frozen=True, slots=True)
class Product:
    """All rules of one product version. `account` is the funder's own bank account (direct).

    A product without penalty charges none; one without caps is held to no ceiling.
    """

    id: str
    version: int
    currency: str
    timezone: str
    calendar: str
    adjust: Adjust
    rail: str
    funder: str
    account: str
    language: str
    present_at: time
    waterfall: Waterfall
    shares: SplitRules
    reminders: ReminderPlan
    retry: RetryPlan
    grace_days: int
    closure: ClosureRules
    penalty: PenaltyRule | None = None
    caps: CapRules | None = field(default=None, metadata=ADDED_LATER)

    @property
    def ref(self) -> str:
        """How transitions and loans name this version: `id@version`."""
        return f"{self.id}@{self.version}"
