"""What comes next for the closure of a loan, and its view."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.calendar import DayWindow, earliest_in_window
from domain.kernel.view import Action, Labels, View
from domain.loanclosure.closure import Leg, LoanClosure
from domain.loanclosure.lifecycle import CLOSURE_FINAL, LEG_OUT, ClosureState, LegState
from domain.loanclosure.rules import ClosingRules, DoneBy, LegKind
from domain.loanclosure.view import ClosureDetail, ClosureView

WAITS = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""Between two questions about one request; the last repeats."""
ASK_AGAIN_AFTER = timedelta(hours=1)
"""Between a rejection whose reason allows another request, and that request."""


class ClosureAction(StrEnum):
    """What the driver of a closure is asked to do; the key of an action names its leg."""

    REQUEST = "REQUEST"
    """Ask a counterparty for a leg, such as a bureau."""
    ASK = "ASK"
    """Ask a counterparty what became of a request; one that never arrived is sent again."""
    END_MANDATE = "END_MANDATE"
    """End the mandate at the rail."""
    ASK_RAIL = "ASK_RAIL"
    """End the mandate at the rail again: the first answer did not come."""
    ISSUE = "ISSUE"
    """Sign the certificate."""
    TELL = "TELL"
    """Have the borrower told."""
    LATE = "LATE"
    """A leg was not done in time: have a person look."""
    SEAL = "SEAL"
    """Have a signed head of the ledger cover the closure."""


_FIRST = {
    DoneBy.CHANNEL: ClosureAction.REQUEST,
    DoneBy.RAIL: ClosureAction.END_MANDATE,
    DoneBy.ISSUER: ClosureAction.ISSUE,
    DoneBy.NOTICE: ClosureAction.TELL,
}
_THEN = {
    DoneBy.CHANNEL: ClosureAction.ASK,
    DoneBy.RAIL: ClosureAction.ASK_RAIL,
    DoneBy.ISSUER: ClosureAction.ISSUE,
}
_AFTER = {LegKind.TELL_BORROWER: LegKind.ISSUE_CERTIFICATE}
"""Legs that wait for another one, whose result they tell."""


@dataclass(frozen=True, slots=True)
class ClosureFacts:
    """What a closure's agenda and view look up of its loan.

    Attributes:
        rules: of its product.
        contact: the hours in which the borrower may be told.
        may_tell: a hold does not forbid it.
        lacks: codes of what the loan itself lacks to be closed.
    """

    tenant: str
    currency: str
    rail: str
    rules: ClosingRules
    contact: DayWindow
    may_tell: bool = True
    lacks: tuple[str, ...] = ()


def leg_of(action: str) -> LegKind:
    """The leg that the key of an action names."""
    return LegKind(action.split("/")[1])


def is_final(closure: LoanClosure) -> bool:
    """Whether nothing is left to do about a closure."""
    return closure.state in CLOSURE_FINAL


def next_action(closure: LoanClosure, facts: ClosureFacts, at: datetime) -> Action | None:
    """The next thing to do about a closure, or None when it only waits for news."""
    if closure.held or is_final(closure):
        return None
    if closure.state is ClosureState.UNSEALED:
        return Action(ClosureAction.SEAL, closure.since, "nothing is missing", "seal")
    actions = (one for leg in closure.legs for one in _of_leg(closure, leg, facts, at))
    return min(actions, key=lambda action: (action.not_before, action.key), default=None)


def _of_leg(closure: LoanClosure, leg: Leg, facts: ClosureFacts, at: datetime) -> Iterator[Action]:
    """What is to be done about one leg."""
    if leg.is_over:
        return
    by = facts.rules.done_by(leg.kind)
    if leg.state is LegState.PENDING and by in _FIRST and not _waits(closure, leg):
        yield from _first(leg, by, facts, at)
    elif leg.state in LEG_OUT and by in _THEN:
        asked = leg.asked_at or leg.since
        instant = asked + WAITS[min(leg.inquiries, len(WAITS) - 1)]
        yield _action(_THEN[by], leg, instant, f"inquiry {leg.inquiries + 1}", leg.inquiries)
    elif leg.state is LegState.REJECTED and by in _FIRST and _may_ask_again(leg, facts):
        yield _action(_FIRST[by], leg, leg.since + ASK_AGAIN_AFTER, f"rejected: {leg.code}")
    due_at = leg.due_at
    if by is DoneBy.NOTICE and leg.state is LegState.PENDING and not facts.may_tell:
        due_at = leg.since + facts.rules.rule(leg.kind).within
    if due_at is not None and leg.state not in {LegState.OVERDUE, LegState.REJECTED}:
        yield _action(ClosureAction.LATE, leg, due_at, "it is not done in time")


def _first(leg: Leg, by: DoneBy, facts: ClosureFacts, at: datetime) -> Iterator[Action]:
    """The request of a leg; the borrower is told in the hours in which that is allowed."""
    if by is not DoneBy.NOTICE:
        yield _action(_FIRST[by], leg, leg.since, "asked for")
    elif facts.may_tell:
        instant = earliest_in_window(leg.since, facts.contact)
        if instant < at:  # missed: still now, but never in the hours of quiet
            now = earliest_in_window(at, facts.contact)
            instant = instant if now == at else now
        yield _action(_FIRST[by], leg, instant, "the borrower is told")


def _waits(closure: LoanClosure, leg: Leg) -> bool:
    """Whether a leg waits for another one."""
    first = _AFTER.get(leg.kind)
    other = closure.leg(first) if first is not None else None
    return other is not None and not other.is_over


def _may_ask_again(leg: Leg, facts: ClosureFacts) -> bool:
    return leg.may_retry and leg.tries < facts.rules.rule(leg.kind).tries


def _action(kind: ClosureAction, leg: Leg, instant: datetime, why: str, more: int = 0) -> Action:
    reason = f"{leg.kind.replace('_', ' ')}: {why}"
    return Action(kind, instant, reason, f"{kind.lower()}/{leg.kind}/{leg.tries}/{more}")


def view_of(closure: LoanClosure, facts: ClosureFacts, at: datetime) -> ClosureView:
    """The view of a closure at an instant."""
    rejected = {leg.kind.value: leg.code for leg in closure.legs if leg.state is LegState.REJECTED}
    certificate = closure.certificate
    legs = tuple(leg.kind.value for leg in closure.undone)
    lacks = facts.lacks if closure.state is ClosureState.RUNNING else ()
    return View(
        tenant=facts.tenant,
        subject=closure.subject,
        generation=closure.generation,
        version=closure.version,
        state=closure.state.value,
        labels=Labels(
            loan_id=closure.loan_id,
            due_on=closure.value_on,
            currency=facts.currency,
            rail=facts.rail,
            code=next(iter(rejected.values()), ""),
        ),
        detail=ClosureDetail(
            value_on=closure.value_on,
            legs={leg.kind.value: leg.state.value for leg in closure.legs},
            rejected=rejected,
            certificate=certificate.code if certificate is not None else "",
            sealed_by=closure.sealed_by,
            is_held=bool(closure.held),
            revoked=closure.revoked,
        ),
        is_final=is_final(closure),
        next_action=next_action(closure, facts, at),
        missing=(*legs, *lacks),
        needs_operator=closure.needs_operator,
        as_of=at,
    )
