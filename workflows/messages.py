"""The messages to and from the driver of an installment: plain data, checked for shape only.

Signals and the Update carry a request; the same request may come by the API or the console, and
becomes the same command of the books.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from types import MappingProxyType
from typing import Any, Literal, get_args, get_type_hints

from domain.kernel.command import Actor
from domain.loan.aggregate import HoldKind
from domain.loan.commands import Order
from domain.loan.lifecycle import State
from domain.loan.view import InstallmentView
from domain.pricing.amounts import Component
from domain.text import is_plain

_ID_MOST = 120
_KIND_MOST = 40
_REASON_MOST = 1000
AMOUNT_MOST = 10**15
"""Largest amount in a message, in minor units. The books decide what is plausible for a loan."""
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)
OURS = frozenset({"driver", "rail", "system", "workflow"})
"""Kinds of actors that only our own programs use; a message from outside may not name one."""

MESSAGE = "message"
"""The door of signals and Updates, as it stands in the ids of commands."""
DRIVER = "driver"
"""The door of what a driver orders by itself."""
CLI = "cli"
"""The door of the command line."""


@dataclass(frozen=True, slots=True)
class InstallmentOrder:
    """Drive an installment through one generation; `view` is what the books held at the start.

    The rest is what an earlier run of the same driver hands on: `run` goes on counting,
    `pending` are orders that the books could not take yet, `lost` says why an order was lost
    without a person knowing of it yet.
    """

    tenant: str
    loan_id: str
    number: int
    generation: int
    view: InstallmentView
    run: int = 0
    pending: "tuple[PendingOrder, ...]" = ()
    lost: str = ""

    @classmethod
    def of(cls, view: InstallmentView) -> "InstallmentOrder":
        """The order to drive what `view` shows."""
        return cls(view.tenant, view.loan_id, view.number, view.generation, view)


@dataclass(frozen=True, slots=True)
class Closure:
    """How a driver ended: final for its generation, or reopened under a higher one."""

    loan_id: str
    number: int
    generation: int
    state: State
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Base of everything asked of an installment: who asks, why, and who approved."""

    id: str
    actor: Actor
    reason: str
    approver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest(Request):
    """Stop new debits, contact, or both."""

    kind: Literal["hold"] = "hold"
    what: HoldKind = HoldKind.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class UnholdRequest(Request):
    """End a hold."""

    kind: Literal["unhold"] = "unhold"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNowRequest(Request):
    """Present again at the next slot that the rail allows."""

    kind: Literal["retry_now"] = "retry_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPaymentRequest(Request):
    """Money came another way; a statement line will prove it. Amount in minor units."""

    kind: Literal["record_payment"] = "record_payment"
    reference: str
    amount_minor: int
    currency: str
    value_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDateRequest(Request):
    """Move the due date."""

    kind: Literal["change_date"] = "change_date"
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiveRequest(Request):
    """Forgive part of one component. Amount in minor units."""

    kind: Literal["waive"] = "waive"
    component: Component
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRequest(Request):
    """Charge a fee or a cost besides the schedule, once. Amount in minor units."""

    kind: Literal["charge"] = "charge"
    component: Component
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest(Request):
    """Cancel the installment: it is never to be collected."""

    kind: Literal["cancel"] = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffRequest(Request):
    """Write off what is owed; it stays collectable."""

    kind: Literal["write_off"] = "write_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchLineRequest(Request):
    """Match a waiting bank line with a payment or its return; an unknown reference makes a payment.

    Minor units; `fee_minor` is what the bank kept of it inside the line.
    """

    kind: Literal["match_line"] = "match_line"
    line: str
    reference: str
    amount_minor: int
    fee_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoMatchRequest(Request):
    """Undo a match: the bank line does not prove this payment."""

    kind: Literal["undo_match"] = "undo_match"
    line: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawPaymentRequest(Request):
    """Take back a recorded payment that no bank line proves."""

    kind: Literal["withdraw_payment"] = "withdraw_payment"
    reference: str


Override = (
    HoldRequest
    | UnholdRequest
    | RetryNowRequest
    | RecordPaymentRequest
    | ChangeDateRequest
    | WaiveRequest
    | CancelRequest
    | WriteOffRequest
    | MatchLineRequest
    | UndoMatchRequest
    | WithdrawPaymentRequest
    | ChargeRequest
)


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """An order on its way to the books: the door that it came through, and tries that failed.

    `lost` is empty while the order is tried; then it says why it was given up, and a person is to
    be asked.
    """

    request: Override
    door: str
    tries: int = 0
    lost: str = ""


def _by_kind(union: Any) -> Mapping[str, Any]:  # noqa: ANN401  (a union has no type of its own)
    members = get_args(union)
    return MappingProxyType({get_args(get_type_hints(m)["kind"])[0]: m for m in members})


REQUESTS: Mapping[str, type[Override]] = _by_kind(Override)
"""Every request by its kind."""
COMMANDS: Mapping[str, type[Order]] = _by_kind(Order)
"""The command that each request becomes."""


def misshapen(request: Override) -> Iterator[tuple[str, str]]:
    """Yield (field, rule) for what is wrong in shape. Whether it is allowed, the books decide."""
    if not _is_text(request.id, _ID_MOST):
        yield "id", _text_rule(_ID_MOST)
    if not (_is_text(request.actor.kind, _KIND_MOST) and _is_text(request.actor.id, _ID_MOST)):
        yield "actor", f"kind ({_KIND_MOST}) and id ({_ID_MOST}) are given, no control characters"
    elif request.actor.kind in OURS:
        yield "actor", f"a kind of your own, none of {', '.join(sorted(OURS))}"
    if not request.reason.strip() or not _is_text(request.reason, _REASON_MOST):
        yield "reason", f"{_text_rule(_REASON_MOST)}, in words"
    if request.approver is not None and not _is_text(request.approver, _ID_MOST):
        yield "approver", _text_rule(_ID_MOST)
    fee = getattr(request, "fee_minor", 0)
    if not 0 <= fee <= AMOUNT_MOST:
        yield "fee_minor", f"from 0 to {AMOUNT_MOST} minor units"
    amount = getattr(request, "amount_minor", 1)
    if amount < (0 if fee > 0 else 1):  # a rest of a line may be nothing but a fee
        yield "amount_minor", "more than zero"
    elif amount > AMOUNT_MOST:
        yield "amount_minor", f"at most {AMOUNT_MOST} minor units"
    for name in ("value_on", "due_on"):
        if not FIRST_DAY <= getattr(request, name, FIRST_DAY) <= LAST_DAY:
            yield name, f"a day from {FIRST_DAY} to {LAST_DAY}"
    for name in ("reference", "line"):
        if not _is_text(getattr(request, name, "-"), _ID_MOST):
            yield name, _text_rule(_ID_MOST)


def _trimmed(request: Override) -> Override:
    """The request without white space around its texts, such as the CR of a pasted list."""
    held = {item.name: getattr(request, item.name) for item in fields(request)}
    texts: dict[str, Any] = {name: text for name, text in held.items() if type(text) is str}
    cut = {name: text.strip() for name, text in texts.items() if text != text.strip()}
    return replace(request, **cut) if cut else request


def _is_text(value: str, most: int) -> bool:
    """Whether a text, without the white space around it, is plain and of a length."""
    return 0 < len(value.strip()) <= most and is_plain(value.strip())


def _text_rule(most: int) -> str:
    return f"1 to {most} characters, none of them a control character"


def command_of(request: Override, loan_id: str, number: int, door: str) -> Order:
    """The command of the books that a request stands for.

    Its id is made of the door, the installment and the request's own id: the same request through
    the same door is the same command, and no sender can use up the id of another one. A request
    has the fields of its command except `loan_id` and `number`, which the driver knows.
    """
    request = _trimmed(request)
    content: dict[str, Any] = {item.name: getattr(request, item.name) for item in fields(request)}
    content["id"] = f"{door}/{loan_id}/{number}/{request.id}"
    return COMMANDS[request.kind](loan_id=loan_id, number=number, **content)
