"""What a debit rail does for us: present, answer inquiries, recall, and report by itself.

A rail decides nothing: it sends what it is given and translates what comes back into our terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol, TypeAlias

from domain.debit.attempt import DebitOrder
from domain.debit.mandate import Mandate
from domain.debit.outcome import Outcome, OutcomeClass
from domain.debit.rail import RailProfile
from domain.errors import AcquitError

CANCELLED_CODE = "CANCELLED"
"""Code of an outcome (class DECLINED) that says: recalled at the rail, no money was taken."""


class RailUnavailable(AcquitError):
    """The rail provably did not take the request: nothing left, or it said that it refused it.

    For calls that change nothing (inquiries, lists) it also covers every missing answer.

    Args:
        why: a short code such as `connect`, `http_429`; never an address or a secret.
        retry_after_s: how long the rail wants to be left alone, in seconds, when it said so.
    """

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"rail unavailable: {why}")
        self.why = why
        self.retry_after_s = retry_after_s


class Forged(AcquitError):
    """A report is not proven to come from the rail, or it is too old: it changes nothing.

    Args:
        why: `no_signature`, `bad_signature`, `stale`, `malformed`.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"report refused: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Recalled:
    """The rail agreed that the order was not executed and never will be."""

    order_no: str
    kind: Literal["recalled"] = "recalled"


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """The rail reports the outcome of an order.

    In every report `event_id` is the rail's own id of the event, and `raw` is the SHA-256 of the
    body as it came (lower-case hex): by both the event is known, however we read it.
    """

    event_id: str
    order_no: str
    outcome: Outcome
    kind: Literal["outcome"] = "outcome"
    raw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ReturnReport:
    """A confirmed debit was taken back. Amounts in minor units; `currency` where the rail says it.

    The books believe no amount of zero or below and no other currency than the order's.
    """

    event_id: str
    order_no: str
    bank_ref: str | None
    amount_minor: int
    fee_minor: int
    reason_outcome_class: OutcomeClass
    reason_code: str
    returned_on: date
    currency: str | None = None
    kind: Literal["return"] = "return"
    raw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a message to a person; `reason` only when it failed.

    `channel` is the channel that the carrier sent it by, where it says so.
    """

    event_id: str
    message_id: str
    delivered: bool
    reason: str | None
    at: datetime
    channel: str = ""
    kind: Literal["delivery_report"] = "delivery_report"
    raw: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class UnparsedEvent:
    """A proven event of a kind that we do not know: it is kept and a person looks at it."""

    event_id: str
    type: str
    kind: Literal["unparsed"] = "unparsed"
    raw: str = field(default="", compare=False)


Report: TypeAlias = OutcomeReport | ReturnReport | DeliveryReport | UnparsedEvent


class Rail(Protocol):
    """One rail product of one provider."""

    @property
    def profile(self) -> RailProfile:
        """What the rail can do and when."""
        ...

    async def present(self, order: DebitOrder) -> Outcome:
        """Send one debit order, once.

        Returns:
            What the rail said; `NO_ANSWER` when the order may have left and no usable answer came
            (read time-out, cut connection, 5xx, an answer that cannot be read).

        Raises:
            RailUnavailable: the order provably never left, or the rail says it was not accepted.
        """
        ...

    async def inquire(self, order_no: str, merchant_id: str) -> Outcome:
        """Ask what became of an order, by the number and merchant of its intent.

        Returns:
            The order's outcome; class NOT_FOUND when the rail does not know the number. An answer
            about another order carries a `flaw`, which makes its status UNKNOWN.

        Raises:
            RailUnavailable: no usable answer came; asking changes nothing, so ask again.
        """
        ...

    async def cancel(self, order_no: str, merchant_id: str) -> Recalled | Outcome:
        """Recall an order that may not be executed yet.

        Returns:
            `Recalled` when the rail agrees; otherwise what it says about the order, and
            `NO_ANSWER` when it said nothing usable: inquire.

        Raises:
            RailUnavailable: the request provably never left, or was not accepted.
        """
        ...

    async def put_mandate(self, mandate: Mandate, currency: str) -> None:
        """Lodge or replace the payer's authority. The same mandate again changes nothing.

        Raises:
            RailUnavailable: no usable answer came; send it again.
            InvalidInput: the rail refuses this mandate.
        """
        ...

    async def end_mandate(self, ref: str) -> None:
        """End an authority; one that is ended or not known to the rail stays so.

        Raises:
            RailUnavailable: no usable answer came; send it again.
        """
        ...

    def reports(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Report, ...]:
        """Prove a webhook and translate it.

        Args:
            headers: names in any case.
            body: the bytes as received; nothing may have touched them.
            now: the instant against which the signature's age is measured, UTC.

        Raises:
            Forged: unsigned, wrongly signed or stale.
        """
        ...
