"""A product: the rules that apply to a loan, versioned and pinned at boarding."""

from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum

from domain.calendar import Adjust, DayWindow
from domain.debit.retry import RetryPlan
from domain.errors import InvalidInput
from domain.kernel.canonical import ADDED_LATER
from domain.ledger import accounts as ledger
from domain.loan.split import SplitRules
from domain.loan.waterfall import Waterfall
from domain.loanclosure.rules import ClosingRules
from domain.matching.model import NOTHING_TOLERATED, Tolerance
from domain.pricing.amounts import Component
from domain.pricing.caps import CapRules
from domain.pricing.penalty import PenaltyRule


@dataclass(frozen=True, slots=True)
class ReminderRule:
    """One reminder: how many days before the due date, at what local time, over which channels.

    Channels are tried in order: the next one when a channel fails or gives no payment in time.
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
    delivery_report_within: timedelta = timedelta(hours=20)
    require_delivered: bool = False


@dataclass(frozen=True, slots=True)
class ClosureRules:
    """When an installment may be released: banking days after its last payment was taken.

    `settlement_banking_days` is how long reported money may stay unproven before it is a case.
    """

    return_window_banking_days: int
    settlement_banking_days: int


class Routing(StrEnum):
    """How the share of a party reaches it."""

    DIRECT = "direct"
    """It arrives on the party's own bank account."""
    POOLED = "pooled"
    """It arrives on the collection account, and is due to the party until it is sent on."""


@dataclass(frozen=True, slots=True)
class Payee:
    """How one party of the shares gets its money; `account` is its own account, "" when pooled."""

    party: str
    routing: Routing
    account: str = ""

    def __post_init__(self) -> None:
        if (self.routing is Routing.DIRECT) != bool(self.account):
            rule = "direct names the party's own account, pooled names none"
            raise InvalidInput(f"payees.{self.party}.account", self.account, rule)


@dataclass(frozen=True, slots=True)
class Product:
    """All rules of one product version.

    `account` is the collection account, on which the rail settles. `payees` says for each party of
    the shares how its money reaches it; nothing is inferred from their number. A product without
    penalty charges none; one without caps is held to no ceiling. `matching` is what bank lines may
    differ by from what they show. `closing` says what the closure of a whole loan needs; without it
    a loan ends with its last installment.
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
    payees: tuple[Payee, ...]
    penalty: PenaltyRule | None = None
    caps: CapRules | None = field(default=None, metadata=ADDED_LATER)
    matching: Tolerance = field(default=NOTHING_TOLERATED, metadata=ADDED_LATER)
    closing: ClosingRules | None = field(default=None, metadata=ADDED_LATER)

    def __post_init__(self) -> None:
        order = self.waterfall.order
        if set(order) != set(Component):
            # What money cannot pay would be asked for again and again, and wait as a surplus.
            rule = f"each component once: {', '.join(Component)}"
            raise InvalidInput("waterfall.order", ",".join(order), rule)
        named = [payee.party for payee in self.payees]
        if sorted(named) != sorted(self.shares.parties):
            rule = f"each party of the shares once: {sorted(self.shares.parties)}"
            raise InvalidInput("payees.party", named, rule)
        own = [payee.account for payee in self.payees if payee.account]
        if len(set(own)) != len(own):
            raise InvalidInput("payees.account", own, "each direct party has its own account")

    @property
    def accounts(self) -> frozenset[str]:
        """Every bank account on which money of this product may arrive."""
        return frozenset({self.account, *(payee.account for payee in self.payees)} - {""})

    @property
    def own_accounts(self) -> dict[str, str]:
        """The place of each party that has a bank account of its own."""
        return {it.party: ledger.bank(it.account) for it in self.payees if it.account}

    @property
    def ref(self) -> str:
        """How transitions and loans name this version: `id@version`."""
        return f"{self.id}@{self.version}"
