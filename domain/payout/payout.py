"""A payout: one transfer to one payee, from one account, with the items that it pays."""

import base64
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.errors import InvariantBroken
from domain.kernel import canonical
from domain.kernel.canonical import bounded
from domain.kernel.change import Answer
from domain.kernel.driver import DriverRecord
from domain.kernel.subject import Subject
from domain.ledger import accounts
from domain.payout.items import ItemSum
from domain.payout.lifecycle import PayoutState

PAYOUT = "payout"
"""The kind of subject."""
ORDER_NO_LETTERS = 24
"""Letters and digits of an order number; every channel keeps as many."""


def payout_key(payee: str, currency: str, account: str, cut_off_on: date, number: int) -> str:
    """The key of a payout; `number` counts what is requested anew for one cut-off, from 1."""
    return bounded(f"{payee}/{currency}/{account}/{cut_off_on:%Y%m%d}/{number}")


REFUND = "refund:"
"""Begins the keys of refunds; no party's name has this sign."""


def refund_key(payment: str, number: int) -> str:
    """The key of a refund of a payment; `number` counts its requests, from 1."""
    return bounded(f"{REFUND}{payment}/{number}")


def refunded_payment(key: str) -> str:
    """The payment that a payout refunds, by its key; empty where it is no refund."""
    return key.removeprefix(REFUND).rpartition("/")[0] if key.startswith(REFUND) else ""


def order_number(key: str) -> str:
    """The order number of a payout: letters and digits, by its key alone."""
    digest = bytes.fromhex(canonical.digest((PAYOUT, key)))
    return "PO" + base64.b32encode(digest).decode()[: ORDER_NO_LETTERS - 2]


@dataclass(frozen=True, slots=True)
class Sending:
    """How far the order of a payout has come at its channel.

    The fields mean what those of `domain.debit.attempt.Attempt` mean: `send_until` is the sender's
    lease, a negative `sends` says that the last send provably never left, `acknowledged` that the
    channel has said that it holds the order.
    """

    sent_at: datetime
    send_until: datetime
    state: AttemptState = AttemptState.INTENDED
    sends: int = 1
    outcome_class: OutcomeClass | None = None
    code: str = ""
    bank_ref: str | None = None
    acknowledged: bool = False
    inquiries: int = 0
    asked_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def never_left(self) -> bool:
        """Whether the order is known not to have reached the channel."""
        return self.state is AttemptState.INTENDED and self.sends < 0


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """What is sent to a channel; identical on every send of one order. Amount in minor units."""

    payout: str
    order_no: str
    channel: str
    account: str
    beneficiary: str
    amount_minor: int
    currency: str
    send_until: datetime


@dataclass(frozen=True, slots=True)
class PayoutOrdered(Answer):
    """A payout was instructed, or its lease renewed: send exactly this, until `send_until`."""

    order: PayoutOrder
    kind: Literal["payout_ordered"] = "payout_ordered"


@dataclass(frozen=True, slots=True)
class Refund:
    """What a payout refunds, and until when.

    Attributes:
        payment: the payment of which money goes back.
        parts: minor units of its portion in each loan.
        number: the installment of the first of them that it was taken for.
        twins: payments that paid what it was for: it is a duplicate of them.
        due_on: the day by which a line should show that it has left.
        is_overdue: that day has passed, and a case says so.
    """

    payment: str
    parts: tuple[tuple[str, int], ...]
    due_on: date
    number: int | None = None
    twins: tuple[str, ...] = ()
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class Payout:
    """One payout. Amounts in minor units.

    Attributes:
        account: the registered bank account that it leaves from.
        cut_off_on, number: for which banking day, and which request for it.
        policy: the version of the policy of payees by which it was requested.
        items: what its items come to; the items themselves are rows of their own.
        requested_by, approved_by: who; kinds and ids of actors, never names.
        line, return_line: the bank lines that prove that it left, and that it came back.
        fee_minor: what the bank kept of it and of its return.
        learnt: every loan knows that it is proven.
        looks: how often it was looked at for want of money on its account.
        since: when it came into its state.
        needs_operator: why a person is asked; empty when nobody is.
        refund: what it refunds; None where it is a remittance. Its payee is the payer then, its
            items are the portions of the payment, and `cut_off_on` is the day of the request.
    """

    key: str
    payee: str
    currency: str
    account: str
    cut_off_on: date
    number: int
    order_no: str
    channel: str
    beneficiary: str
    fees_borne_by: str
    policy: str
    items: ItemSum
    requested_by: str
    since: datetime
    tenant: str
    state: PayoutState = PayoutState.REQUESTED
    generation: int = 1
    version: int = 0
    approved_by: tuple[str, ...] = ()
    sending: Sending | None = None
    line: str = ""
    return_line: str = ""
    fee_minor: int = 0
    learnt: bool = False
    looks: int = 0
    looked_at: datetime | None = None
    is_late: bool = False
    needs_operator: str = ""
    driver: DriverRecord = DriverRecord()
    refund: Refund | None = None

    @property
    def subject(self) -> Subject:
        """The subject that it is."""
        return Subject(PAYOUT, self.key)

    @property
    def minor(self) -> int:
        """Its amount."""
        return self.items.minor

    @property
    def refunded(self) -> Refund:
        """What it refunds.

        Raises:
            InvariantBroken: it is a remittance.
        """
        if self.refund is None:
            raise InvariantBroken(f"payout {self.key} refunds nothing")
        return self.refund

    @property
    def place(self) -> str:
        """Where its money lies before it leaves."""
        return accounts.bank(self.account)
