"""The loan as the books hold it: installments, attempts, payments. Frozen; changed by `replace`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from domain.calendar import BankingCalendar
from domain.case.policy import USUAL_POLICY, CasePolicy
from domain.debit.attempt import Attempt
from domain.debit.codes import CodeTable, RetryLimit
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.debit.rail import RailProfile
from domain.errors import InvariantBroken
from domain.kernel.driver import DriverRecord
from domain.ledger.bankaccount import BankAccount
from domain.loan.lifecycle import State
from domain.loan.product import Product
from domain.loanclosure.closure import LoanClosure
from domain.matching.model import Key
from domain.payment.portion import Portion
from domain.payout.agenda import PayoutRules
from domain.payout.policy import NO_REMITTANCE, RemittancePolicy
from domain.pricing.amounts import Amounts


class HoldKind(StrEnum):
    """What a hold stops. Inquiry, settlement, returns and waiting money are never stopped."""

    DEBIT = "debit"
    CONTACT = "contact"
    ALL = "all"


class NoticeState(StrEnum):
    """What became of a message."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Refused, bounced, or no delivery report in time: the next channel follows."""


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """One message to the borrower: which rule of the plan, over which channel, what became of it.

    `rule` is the index in the product's reminder rules, `step` the index of the channel,
    `amount_minor` is the amount announced to the borrower, due on `due_on`.
    """

    message_id: str
    rule: int
    step: int
    channel: str
    queued_at: datetime
    state: NoticeState = NoticeState.QUEUED
    amount_minor: int = 0
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Installment:
    """One installment. Amounts by component, minor units.

    `owed` is what the borrower owes now; `charged` everything ever charged net of reversals;
    `written_off` is out of `owed` and still collectable; `is_written_off` and `written_off_on` stay
    once that is recovered: what comes open again then is written off as well. `claims` and
    `written_off_claims` say whose they are: what each party is still due of `owed` and of
    `written_off`.
    `penalty_through` is the last day whose penalty is booked. `penalty_carried` is the penalty
    charged before the due date was moved, or by a former system: days are counted anew from the new
    date, or from `penalty_since`, the first day that is ours, and this stays.
    Attempts up to number `retries_reset_at` do not count for the product's retry plan.
    `debit_on_order`: it was overdue when it was brought over, so a person orders its next debit.
    `hold_since` is the day on which the hold was put on it, or None where nobody knows.
    `needs_operator` says why a person is asked; empty when nobody is.
    """

    number: int
    due_on: date
    scheduled: Amounts
    state: State = State.SCHEDULED
    generation: int = 1
    version: int = 1
    fell_due: bool = False
    owed: Amounts = Amounts()
    charged: Amounts = Amounts()
    forgiven: Amounts = Amounts()
    written_off: Amounts = Amounts()
    is_written_off: bool = False
    written_off_on: date | None = None
    subrogated: Amounts = Amounts()
    claims: Mapping[str, Amounts] = field(default_factory=dict)
    written_off_claims: Mapping[str, Amounts] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()
    notices: tuple[NoticeRecord, ...] = ()
    hold: HoldKind | None = None
    hold_reason: str = ""
    hold_since: date | None = None
    needs_operator: str = ""
    retry_ordered_at: datetime | None = None
    retries_reset_at: int = 0
    debit_on_order: bool = False
    penalty_through: date | None = None
    penalty_carried: int = 0
    penalty_since: date | None = None
    driver: DriverRecord = DriverRecord()
    closed_at: datetime | None = None

    @property
    def live_attempt(self) -> Attempt | None:
        """The attempt that has no final outcome yet, if any."""
        live = [attempt for attempt in self.attempts if attempt.is_live]
        if len(live) > 1:
            raise InvariantBroken(f"installment {self.number} has {len(live)} live attempts")
        return live[0] if live else None

    @property
    def allocated(self) -> Amounts:
        """Cumulative allocation net of reversals: what was charged and is covered by money."""
        return self.charged - self.owed - self.forgiven - self.written_off - self.subrogated


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan and everything that one row lock protects."""

    id: str
    tenant: str
    borrower: str
    currency: str
    principal_minor: int
    disbursed_on: date
    product: Product
    mandate: Mandate
    installments: tuple[Installment, ...]
    portions: tuple[Portion, ...] = ()
    version: int = 1
    rolled_through: date | None = None
    """Last local day whose bulk work (falling due, penalty, gates) was done."""
    closing: LoanClosure | None = None
    """Its closure, once nothing more can be asked of the borrower."""

    def installment(self, number: int) -> Installment:
        """Installment by its number, counted from 1."""
        if not 1 <= number <= len(self.installments):
            raise InvariantBroken(f"loan {self.id} has no installment {number}")
        return self.installments[number - 1]

    def portion(self, payment_id: str) -> Portion | None:
        """The portion of a payment in this loan, if it has one."""
        return next((item for item in self.portions if item.id == payment_id), None)

    def attempts(self) -> Iterator[tuple[Installment, Attempt]]:
        """Every attempt with its installment."""
        for installment in self.installments:
            for attempt in installment.attempts:
                yield installment, attempt


@dataclass(frozen=True, slots=True)
class Match:
    """What a line proves of one payment: minor units, signed like the line, and the fee in it."""

    loan_id: str
    payment: str
    minor: int
    fee_minor: int = 0

    @property
    def booked_minor(self) -> int:
        """What of the line's own amount it explains: a fee always lowers our account."""
        return self.minor - self.fee_minor


_BATCH = "batch/"


def of_batch(batch_ref: str) -> str:
    """The reference under which the line of a batch waits; no payment is ever recorded under it."""
    return f"{_BATCH}{batch_ref}"


def batches_among(refs: Iterable[str]) -> tuple[str, ...]:
    """The batches that lines wait for under some references."""
    return tuple(ref.removeprefix(_BATCH) for ref in refs if ref.startswith(_BATCH))


def of_order(order_no: str) -> str:
    """The reference under which a returned item waits for news of an order that it may be of."""
    return f"order/{order_no}"


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """Money inside a line that nothing explains, signed, with its references; `also` are further.

    It has references as long as no part of it is explained. The first payment that is recorded
    under one of them takes the item. What was returned, or is left of it as the line comes, is
    booked again when there is news of one of `orders`: the one that it names, else those under its
    `mandate_ref`. `bank_ref` is the rail's booking that it names, `reason` the bank's code.
    `keys` and `text` are what the bank says of it, by which it may be matched later; what a person
    has undone has none, so that nothing matches it again by itself.
    """

    ref: str
    minor: int
    fee_minor: int = 0
    also: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    mandate_ref: str | None = None
    bank_ref: str | None = None
    reason: str | None = None
    keys: tuple[Key, ...] = ()
    text: str = ""

    @property
    def booked_minor(self) -> int:
        """What of the line's own amount it is: a fee always lowers our account."""
        return self.minor - self.fee_minor

    @property
    def refs(self) -> tuple[str, ...]:
        """Every reference under which the money may be found."""
        named = (self.ref, *self.also) if self.ref else ()
        return (*named, *map(of_order, self.orders))


@dataclass(frozen=True, slots=True)
class PayoutMatch:
    """What a line shows of one payout: minor units, signed like the line, and the fee in it."""

    payout: str
    minor: int
    fee_minor: int = 0

    @property
    def booked_minor(self) -> int:
        """What of the line's own amount it explains: a fee always lowers our account."""
        return self.minor - self.fee_minor


@dataclass(frozen=True, slots=True)
class LineState:
    """A booked bank line as the books hold it.

    `open_minor` is signed and not explained; `charges_minor`, the bank's charge on the whole line,
    is inside it until the first match books it. `payouts` are those that it proves, or shows
    to have come back. `batch_ref` and `batch_count`: the bank booked the
    orders of a batch in one amount, and says how many. `named`: every reference of the line as it
    was booked, see `domain.statement.identity.names_of`. `keys` and `text` are what the bank says
    of a line without items.
    """

    id: str
    account: str
    statement_id: str
    booked_on: date
    amount_minor: int
    currency: str
    open_minor: int
    value_on: date | None = None
    matches: tuple[Match, ...] = ()
    waiting: tuple[WaitingItem, ...] = ()
    charges_minor: int = 0
    batch_ref: str | None = None
    batch_count: int | None = None
    keys: tuple[Key, ...] = ()
    text: str = ""
    payouts: tuple[PayoutMatch, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether anything is not explained, be it netted to zero."""
        return bool(self.open_minor or self.waiting)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the pure functions may look up: calendars, rails and bank accounts by name.

    An account that is not in `accounts` is not registered: see `domain.loan.accounts`.
    """

    calendars: Mapping[str, BankingCalendar] = field(default_factory=dict)
    rails: Mapping[str, RailProfile] = field(default_factory=dict)
    limits: Mapping[str, tuple[RetryLimit, ...]] = field(default_factory=dict)
    """Rules of schemes and regulators about presenting again; the strictest of all wins."""
    returns: Mapping[str, CodeTable] = field(default_factory=dict)  # reasons of returns, by rail
    case_policy: CasePolicy = USUAL_POLICY
    accounts: Mapping[str, BankAccount] = field(default_factory=dict)
    channels: Mapping[str, RailProfile] = field(default_factory=dict)
    """Channels of payouts: what each can do and when, by name."""
    remittance: RemittancePolicy = NO_REMITTANCE

    @property
    def payouts(self) -> PayoutRules:
        """What rules about payouts look up."""
        return PayoutRules(self.remittance, self.channels, self.calendars)

    def calendar(self, name: str) -> BankingCalendar:
        """A banking calendar by name."""
        try:
            return self.calendars[name]
        except KeyError:
            raise InvariantBroken(f"no calendar {name!r} in the rule book") from None

    def return_class(
        self, rail: str, code: str, otherwise: OutcomeClass = OutcomeClass.UNKNOWN_CODE
    ) -> OutcomeClass:
        """The class of a return's reason; `otherwise` for a code that the table does not hold."""
        row = self.returns[rail].rows.get(code) if rail in self.returns else None
        return row.outcome_class if row else otherwise

    def rail(self, name: str) -> RailProfile:
        """A rail's capabilities by name."""
        try:
            return self.rails[name]
        except KeyError:
            raise InvariantBroken(f"no rail {name!r} in the rule book") from None
