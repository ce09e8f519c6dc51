"""Checks that states move only along the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.audit.findings import Finding, FindingKind
from domain.case.case import CASE
from domain.case.lifecycle import CaseEvent, CaseState
from domain.debit.attempt import LIVE, MOVES, AttemptState
from domain.debit.mandate import MANDATE, MANDATE_MOVES, MandateEvent, MandateState
from domain.loan.aggregate import NoticeState
from domain.loan.decide.filing import PUT_IN_FILE
from domain.loan.decide.stating import OUTCOME_STATED
from domain.loan.lifecycle import State
from domain.loan.view import INSTALLMENT
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.lifecycle import ClosureEvent, ClosureState
from domain.payout.lifecycle import PayoutEvent, PayoutState
from domain.payout.payout import PAYOUT
from domain.registry import KINDS

SENT_AGAIN, REMINDER_QUEUED = "sent_again", "reminder_queued"
"""What the journal calls moves that are no events of a subject."""
NOTICE_STATES = frozenset(NoticeState)
BORN: Mapping[str, frozenset[tuple[str, str]]] = MappingProxyType(
    {
        INSTALLMENT: frozenset({("boarded", State.SCHEDULED)}),
        CASE: frozenset({(CaseEvent.OPENED, CaseState.OPEN)}),
        PAYOUT: frozenset({(PayoutEvent.REQUESTED, PayoutState.REQUESTED)}),
        LOAN_CLOSURE: frozenset({(ClosureEvent.STARTED, ClosureState.RUNNING)}),
    }
)
"""By kind of subject, the event by which one begins, and the state in which it does."""


@dataclass(frozen=True, slots=True)
class Move:
    """A kind of move that the journal holds: whatever it was that moved so."""

    kind: str
    """Of the subject that it is about."""
    source: str
    target: str
    event: str
    of_order: bool
    """Whether a debit order moved; otherwise the subject, or a message about it."""


def is_allowed(move: Move) -> bool:
    """Whether the tables hold the move."""
    if move.kind == MANDATE:
        return _of_mandate(move)
    kind = KINDS.get(move.kind)
    if kind is None:
        return False
    if move.of_order:
        return move.kind == INSTALLMENT and _of_order(move)
    if move.kind == INSTALLMENT and move.target in NOTICE_STATES:
        return move.source in {"", *NOTICE_STATES}
    if not move.source:
        return (move.event, move.target) in BORN[move.kind]
    if move.event not in {event for _, event in kind.moves}:  # a remark about it moves nothing
        return move.source in set(kind.states) and move.source == move.target
    return kind.moves.get((move.source, move.event)) == move.target


def _of_mandate(move: Move) -> bool:
    if not move.source:
        return (move.event, move.target) == (MandateEvent.REGISTERED, MandateState.ACTIVE)
    if move.event != MandateEvent.ENDED:  # a remark about it moves nothing
        return move.source in set(MandateState) and move.source == move.target
    known = {(source.value, event.value): to for (source, event), to in MANDATE_MOVES.items()}
    return known.get((move.source, move.event)) == move.target


def _of_order(move: Move) -> bool:
    if move.event in {SENT_AGAIN, PUT_IN_FILE, OUTCOME_STATED}:
        return move.source == move.target and move.target in LIVE
    if not move.source:
        return move.target == AttemptState.INTENDED
    return move.source in set(AttemptState) and move.target in MOVES[AttemptState(move.source)]


def illegal(move: Move, seq: int, subject: str) -> Finding:
    """The finding for one move of a kind that is not allowed."""
    text = f"item {seq} moves it from {move.source or 'nothing'} to {move.target} by {move.event}"
    return Finding(FindingKind.MOVE, subject, text)
