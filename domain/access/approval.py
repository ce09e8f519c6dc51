"""Orders that wait for a second person: what is approved, by whom, and what voids it.

A request binds two digests: that of the command with who asks, and that of its preview. It is
decided once, used once, and expires. Everything that was checked when it was approved is checked
again when it is carried out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.access.person import Person
from domain.access.rights import Denied, Right, may
from domain.kernel import canonical
from domain.kernel.lifecycle import move, table
from domain.kernel.order import OperatorOrder, is_same_person

HOLDS = timedelta(hours=24)
"""How long a request waits for its second person."""
SECOND_FACTOR_HOLDS = timedelta(minutes=5)
"""How old the second factor of who approves may be."""
WAITING_MOST = 50
"""Most requests of one person that wait at a time."""


class RequestState(StrEnum):
    """Where a request stands."""

    ASKED = "asked"
    """A second person has to decide."""
    APPROVED = "approved"
    """It is being carried out."""
    DONE = "done"
    """The books have carried it out."""
    REFUSED = "refused"
    """A second person refused it."""
    VOID = "void"
    """What was approved is not what would happen, or who approved may no longer do so."""
    EXPIRED = "expired"
    """Nobody decided in time."""


class RequestEvent(StrEnum):
    """What happens to a request, in the past tense."""

    APPROVED = "approved"
    CARRIED_OUT = "carried_out"
    REFUSED = "refused"
    VOIDED = "voided"
    EXPIRED = "expired"


_S, _E = RequestState, RequestEvent
REQUEST_MOVES: Mapping[tuple[RequestState, RequestEvent], RequestState] = table(
    [
        ((_S.ASKED,), _E.APPROVED, _S.APPROVED),
        ((_S.ASKED,), _E.REFUSED, _S.REFUSED),
        ((_S.ASKED,), _E.EXPIRED, _S.EXPIRED),
        ((_S.ASKED, _S.APPROVED), _E.VOIDED, _S.VOID),
        ((_S.APPROVED,), _E.CARRIED_OUT, _S.DONE),
    ]
)
"""The moves of a request. Nothing else assigns a state."""


@dataclass(frozen=True, slots=True)
class Request:
    """An order that waits for a second person.

    Attributes:
        rule: that asked for the second person.
        portfolio: of what the order is about, when it was asked.
        command_digest: of the command with its subject and who asks.
        preview_digest: of what it would change.
        approver: who decided; empty until somebody has.
        why: of a refusal, or of what voided it.
    """

    id: str
    requester: str
    order: OperatorOrder
    rule: str
    portfolio: str
    command_digest: str
    preview_digest: str
    asked_at: datetime
    expires_at: datetime
    state: RequestState = RequestState.ASKED
    approver: str = ""
    decided_at: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """A person that has proven to be present: when its second factor was last given."""

    person: Person
    second_factor_at: datetime


def command_digest(order: OperatorOrder, requester: str) -> str:
    """What an approval binds of a command: kind, content, id, reason, and who asks for it."""
    return canonical.digest((1, requester, order.id, order.reason, order.content()))


def request_of(
    request_id: str,
    order: OperatorOrder,
    requester: str,
    rule: str,
    portfolio: str,
    preview_digest: str,
    at: datetime,
) -> Request:
    """A request as it is asked."""
    return Request(
        request_id,
        requester,
        order,
        rule,
        portfolio,
        command_digest(order, requester),
        preview_digest,
        at,
        at + HOLDS,
    )


def approve(request: Request, by: Presence, preview_seen: str, at: datetime) -> Request | Denied:
    """The request as approved, or why it may not be."""
    if denied := _may_decide(request, by, at):
        return denied
    if preview_seen != request.preview_digest:
        return Denied("approval.preview", "it is not the preview of this request")
    state = move(REQUEST_MOVES, request.state, RequestEvent.APPROVED)
    return replace(request, state=state, approver=by.person.id, decided_at=at)


def refuse(request: Request, by: Presence, why: str, at: datetime) -> Request | Denied:
    """The request as refused, or why it may not be."""
    if denied := _may_decide(request, by, at):
        return denied
    if not why.strip():
        return Denied("approval.reason", "a refusal says why")
    state = move(REQUEST_MOVES, request.state, RequestEvent.REFUSED)
    return replace(request, state=state, approver=by.person.id, decided_at=at, why=why.strip())


def _may_decide(request: Request, by: Presence, at: datetime) -> Denied | None:
    person = by.person
    allowed = may(person, Right.APPROVE, request.portfolio)
    if isinstance(allowed, Denied):
        return allowed
    if is_same_person(person.id, request.requester):
        return Denied("approval.own", "whoever asks for it does not approve it")
    if not timedelta() <= at - by.second_factor_at <= SECOND_FACTOR_HOLDS:
        return Denied("approval.second_factor", "the second factor is older than five minutes")
    if request.state is not RequestState.ASKED:
        return Denied("approval.decided", f"it is {request.state}")
    if at >= request.expires_at:
        return Denied("approval.expired", "nobody decided in time")
    return None


def barred(
    request: Request, requester: Person, approver: Person, portfolio: str, right: Right
) -> Denied | None:
    """Why an approved request may not be carried out; None where it may.

    Args:
        request: as approved.
        requester: as it is now, and likewise `approver`.
        portfolio: of what the order is about, as it is now.
        right: that the requester needs for the order.
    """
    if command_digest(request.order, request.requester) != request.command_digest:
        return Denied("approval.command", "the order is not the one that was approved")
    if portfolio != request.portfolio:
        return Denied("approval.portfolio", "the loan is in another portfolio now")
    for person, needed in ((requester, right), (approver, Right.APPROVE)):
        allowed = may(person, needed, portfolio)
        if isinstance(allowed, Denied):
            return allowed
    if is_same_person(requester.id, approver.id):
        return Denied("approval.own", "whoever asks for it does not approve it")
    return None


def ended(request: Request, event: RequestEvent, at: datetime, why: str = "") -> Request:
    """The request after it was carried out, was voided, or has expired.

    Raises:
        IllegalTransition: it is not in a state in which that may happen.
    """
    state = move(REQUEST_MOVES, request.state, event)
    return replace(request, state=state, decided_at=request.decided_at or at, why=why)


def is_due(request: Request, at: datetime) -> bool:
    """Whether nobody has decided in time."""
    return request.state is RequestState.ASKED and at >= request.expires_at
