"""The state machine of a debit attempt, separate from that of its installment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from domain.debit.outcome import OutcomeClass


class AttemptState(StrEnum):
    """Where an attempt stands; INTENDED is written before the first byte leaves."""

    INTENDED = "INTENDED"
    """Order number, merchant and amount are fixed; the order may or may not have left."""
    ACCEPTED = "ACCEPTED"
    """The rail has the order and no final outcome yet."""
    UNKNOWN = "UNKNOWN"
    """What became of the order is not known: the rail is asked, and elapsed time never ends it."""
    CONFIRMED = "CONFIRMED"
    """The rail took money."""
    DECLINED = "DECLINED"
    """The rail refused."""
    NOT_EXECUTED = "NOT_EXECUTED"
    """The rail proved, after its query window, that it never had the order."""
    RECALLED = "RECALLED"
    """We recalled it and the rail agreed that it was not executed."""
    RETURNED = "RETURNED"
    """A confirmed debit was taken back."""


LIVE = frozenset({AttemptState.INTENDED, AttemptState.ACCEPTED, AttemptState.UNKNOWN})
"""States without a final outcome: no other attempt may start beside them."""

_S = AttemptState
MOVES: Mapping[AttemptState, frozenset[AttemptState]] = MappingProxyType(
    {
        _S.INTENDED: frozenset(set(_S) - {_S.INTENDED, _S.RETURNED}),
        _S.ACCEPTED: frozenset({_S.UNKNOWN, _S.CONFIRMED, _S.DECLINED, _S.RECALLED}),
        _S.UNKNOWN: frozenset(
            {_S.ACCEPTED, _S.CONFIRMED, _S.DECLINED, _S.NOT_EXECUTED, _S.RECALLED}
        ),
        # Two people who stated that it took money may say that this was wrong.
        _S.CONFIRMED: frozenset({_S.RETURNED, _S.UNKNOWN}),
        _S.DECLINED: frozenset(),
        # The rail has the order after all: it holds it, or it has refused it.
        _S.NOT_EXECUTED: frozenset({_S.UNKNOWN, _S.DECLINED}),
        _S.RECALLED: frozenset({_S.UNKNOWN, _S.DECLINED}),
        # The line that reported the return was about another payment.
        _S.RETURNED: frozenset({_S.CONFIRMED}),
    }
)
"""Which state may follow which; everything else leaves the attempt as it is."""


@dataclass(frozen=True, slots=True)
class HardReason:
    """A reason that was reported of an order, after which nobody may debit under its mandate.

    `payment` is the payment of the order that went back for it; empty where the order was refused.
    `is_cleared`: two people have cleared the mandate since.
    """

    outcome_class: OutcomeClass
    code: str
    payment: str = ""
    is_cleared: bool = False


STATED = "STATED"
"""Code of an outcome that two people have stated, as long as no rail has said the same."""
WITHDRAWN = "WITHDRAWN"
"""Code of an attempt that a person took out of its file before the cut."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One presentment of one installment.

    `number` counts from 1 within the installment; amounts are minor units.
    `order_no` and `merchant_id` are fixed with the intent and used for every send and inquiry.
    `send_until` is the sender's lease: until it has passed nobody else may send this order.
    `sends` counts the sends; a negative count says that the last of them provably never left. The
    count never falls, so a late report about an earlier send is not taken for one about a later.
    `acknowledged`: the rail has said that it holds the order, so *not found* proves nothing of it.
    `inquiries` counts the inquiries, `asked_at` is when the last one left.
    `ended_at` is when the final outcome came, `returned_at` when more became known: a confirmed
    debit was taken back, or an order thought never to have arrived was refused.
    `other_returned_for`: class and code of the strictest reason for which money of the order went
    back, where its outcome does not say so: money of another execution than the one that stands,
    or of an order that was said to have failed. `refused_for`: those of the strictest refusal that
    was reported after the final outcome. `hard` are all reasons that forbid any debit under the
    mandate, each once for a refusal and once for each payment that went back.
    An order of a rail that takes files waits in the file `batch_ref` until `cut_at` and leaves with
    it: its `sends` is zero, and its sender's lease ends at the cut. Where `was_retrying`, its
    installment was to be tried again, and is so again when the order is taken out of the file.
    One that `is_brought_over` was ordered by a former system.
    """

    number: int
    order_no: str
    merchant_id: str
    mandate_ref: str
    rail: str
    amount_minor: int
    value_on: date
    intended_at: datetime
    send_until: datetime
    state: AttemptState = AttemptState.INTENDED
    sends: int = 1
    outcome_class: OutcomeClass | None = None
    code: str = ""
    bank_ref: str | None = None
    batch_ref: str | None = None
    confirmed_minor: int = 0
    acknowledged: bool = False
    inquiries: int = 0
    asked_at: datetime | None = None
    ended_at: datetime | None = None
    returned_at: datetime | None = None
    cut_at: datetime | None = None
    was_retrying: bool = False
    is_brought_over: bool = False
    other_returned_for: tuple[OutcomeClass, str] | None = None
    refused_for: tuple[OutcomeClass, str] | None = None
    hard: tuple[HardReason, ...] = ()

    @property
    def leaves_at(self) -> datetime:
        """When it leaves at the earliest: with its intent, or at the cut of its file."""
        return self.cut_at or self.intended_at

    def waits_in_file(self, at: datetime) -> bool:
        """Whether it has not left yet and can still be taken out of its file."""
        return self.state is AttemptState.INTENDED and self.cut_at is not None and at < self.cut_at

    @property
    def last_news_at(self) -> datetime | None:
        """When the last final news of it came: its return, else its final outcome."""
        return self.returned_at or self.ended_at

    @property
    def is_live(self) -> bool:
        """Whether it has no final outcome yet."""
        return self.state in LIVE

    @property
    def never_left(self) -> bool:
        """Whether the order is known not to have reached the rail."""
        return self.state is AttemptState.INTENDED and self.sends < 0


@dataclass(frozen=True, slots=True)
class DebitOrder:
    """What is sent to a rail. Amounts in minor units; identical on every send of one order."""

    order_no: str
    merchant_id: str
    mandate_ref: str
    rail: str
    amount_minor: int
    currency: str
    value_on: date
    loan_id: str
    number: int
    send_until: datetime
