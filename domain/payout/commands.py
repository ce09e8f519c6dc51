"""What drivers, channels, people and the sweep of cut-offs say about payouts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from domain.debit.outcome import Outcome
from domain.kernel.command import Command, Scope
from domain.kernel.order import OperatorOrder
from domain.kernel.subject import Subject
from domain.payout import casekeys
from domain.payout.payout import PAYOUT, order_number, payout_key, refund_key, refunded_payment

_PARTS = 5
"""Parts of a payout's key at least: payee, currency, account, day, number."""


def scope_of(key: str) -> Scope:
    """A payout with the cases about it."""
    if payment := refunded_payment(key):
        return _scope_of_refund(key, payment)
    parts = key.split("/")
    if len(parts) < _PARTS:
        return Scope(payouts=(key,))
    whose = (parts[0], parts[1], "/".join(parts[2:-2]))
    cases = (
        casekeys.in_doubt(order_number(key)),
        casekeys.failed(*whose),
        casekeys.returned(*whose),
        casekeys.shortage(*whose[1:]),
    )
    return Scope(payouts=(key,), cases=cases)


def _scope_of_refund(key: str, payment: str) -> Scope:
    """A refund with its payment, which brings its loans, and the cases about it."""
    order_no = order_number(key)
    cases = (
        casekeys.in_doubt(order_no),
        casekeys.refund_shortage(order_no),
        casekeys.overdue(order_no),
        casekeys.unreachable(order_no),
    )
    return Scope(payouts=(key,), payments=(payment,), cases=cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefund(Command):
    """Request the refund of what of a payment nothing owed can take.

    `number` counts the requests for one payment, from 1. `amount_minor`: not all of it, but so
    much. `advance`: what was paid ahead goes back as well. `beneficiary` stands for another account
    than the one that the money came from; then two people approve it, whatever the amount.
    """

    kind: Literal["request_refund"] = "request_refund"
    payment: str
    number: int = 1
    amount_minor: int | None = None
    advance: bool = False
    beneficiary: str = ""

    @property
    def payout(self) -> str:
        """The key of the payout that it asks for."""
        return refund_key(self.payment, self.number)

    def scope(self) -> Scope:
        """The payment with its loans, and the payout that there may be."""
        return scope_of(self.payout)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPayout(Command):
    """Request the remittance of all that is open for a payee, currency and account.

    `number` counts the requests for one cut-off, from 1.
    """

    kind: Literal["request_payout"] = "request_payout"
    payee: str
    currency: str
    account: str
    cut_off_on: date
    number: int = 1

    @property
    def payout(self) -> str:
        """The key of the payout that it asks for."""
        return payout_key(self.payee, self.currency, self.account, self.cut_off_on, self.number)

    def scope(self) -> Scope:
        """The payout that there may be already, and the cases that keep a new one back."""
        return scope_of(self.payout)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordShortfall(Command):
    """What of a party's proven shares no payout has taken after its cut-off: minor units, or 0.

    Expected at a cut-off is what was collected and proven, less what was remitted, held, set off.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["record_shortfall"] = "record_shortfall"
    party: str
    currency: str
    account: str
    cut_off_on: date
    minor: int

    def scope(self) -> Scope:
        """The case about it."""
        return Scope(cases=(casekeys.shortfall(self.party, self.currency, self.account),))


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutCommand(Command):
    """A command on one payout, by its key."""

    payout: str

    def scope(self) -> Scope:
        """The payout with its cases."""
        return scope_of(self.payout)

    def about(self) -> Subject:
        """The payout."""
        return Subject(PAYOUT, self.payout)


# --- the driver's actions ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutActionCommand(PayoutCommand):
    """An action being performed. `action` is its key; one that has changed is answered Superseded.

    `seen` is the view version that the driver saw (not part of the identity).
    """

    action: str
    generation: int = 1
    seen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructPayout(PayoutActionCommand):
    """Book the payout as ordered before its first byte leaves, or take the sender's lease again."""

    kind: Literal["instruct_payout"] = "instruct_payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPayout(PayoutActionCommand):
    """Open a case for a payout that no line shows in time."""

    kind: Literal["review_payout"] = "review_payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateRefund(PayoutActionCommand):
    """Open a case for a refund that has not left by its deadline."""

    kind: Literal["escalate_refund"] = "escalate_refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLearnt(PayoutActionCommand):
    """Every loan has learnt what became of the payout: the action of its key is done."""

    kind: Literal["record_learnt"] = "record_learnt"


# --- evidence ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayoutOutcome(PayoutCommand):
    """What a channel said about the order of a payout: answer or inquiry (`source`).

    `asked_at`: when the inquiry left, by which *not found* is judged; no part of the identity.
    """

    evidence: ClassVar[bool] = True

    kind: Literal["record_payout_outcome"] = "record_payout_outcome"
    outcome: Outcome
    source: str
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayoutUnsent(PayoutCommand):
    """The order provably never left: the same number may be sent again later."""

    evidence: ClassVar[bool] = True

    kind: Literal["record_payout_unsent"] = "record_payout_unsent"
    sends: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisePayout(PayoutCommand):
    """Ask for a person: the driver of a payout cannot go on by itself."""

    evidence: ClassVar[bool] = True

    kind: Literal["raise_payout"] = "raise_payout"


class Became(StrEnum):
    """What a person may say became of a payout in doubt."""

    EXECUTED = "executed"
    """It waits for its bank line."""
    NOT_EXECUTED = "not_executed"
    """Its items are open again."""


# --- orders --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOrderOnPayout(OperatorOrder, PayoutCommand):
    """An operator's order on a payout."""

    subject: ClassVar[tuple[str, ...]] = ("payout",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovePayout(AnyOrderOnPayout):
    """Approve the payout: it is sent. Actor and approver are two people, neither the requester."""

    story: ClassVar[str] = "payout approved"

    kind: Literal["approve_payout"] = "approve_payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusePayout(AnyOrderOnPayout):
    """Refuse the payout: its items are open again."""

    story: ClassVar[str] = "payout refused"

    kind: Literal["refuse_payout"] = "refuse_payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayout(AnyOrderOnPayout):
    """Cancel the payout before it leaves: its items are open again."""

    story: ClassVar[str] = "payout cancelled"

    kind: Literal["cancel_payout"] = "cancel_payout"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlePayout(AnyOrderOnPayout):
    """Say what became of a payout in doubt, as the channel says in writing; two people do."""

    story: ClassVar[str] = "payout in doubt settled"

    kind: Literal["settle_payout"] = "settle_payout"
    became: Became


AnyPayoutOrder = ApprovePayout | RefusePayout | CancelPayout | SettlePayout
PAYOUT_ORDERS: Mapping[str, type[AnyPayoutOrder]] = MappingProxyType(
    {item.pinned(): item for item in get_args(AnyPayoutOrder)}
)
"""Every order on a payout by its kind."""
