"""Checks that states move only along the tables."""

from dataclasses import dataclass

from domain.audit.findings import Finding, FindingKind
from domain.debit.attempt import LIVE, MOVES, AttemptState
from domain.loan.aggregate import NoticeState
from domain.loan.lifecycle import TRANSITIONS, Event, State

BOARDED, SENT_AGAIN, REMINDER_QUEUED = "boarded", "sent_again", "reminder_queued"
"""What the journal calls moves that are no events of an installment."""
NOTICE_STATES = frozenset(NoticeState)


@dataclass(frozen=True, slots=True)
class Move:
    """A kind of move that the journal holds: whatever it was that moved so."""

    source: str
    target: str
    event: str
    of_order: bool
    """Whether a debit order moved; otherwise an installment, or a message about it."""


def is_allowed(move: Move) -> bool:
    """Whether the tables hold the move."""
    if move.of_order:
        return _of_order(move)
    if move.target in NOTICE_STATES:
        return move.source in {"", *NOTICE_STATES}
    if move.event == BOARDED:
        return (move.source, move.target) == ("", State.SCHEDULED)
    if move.source not in set(State):
        return False
    if move.event not in set(Event):  # a remark about it, such as a hold, moves nothing
        return move.source == move.target
    return TRANSITIONS.get((State(move.source), Event(move.event))) == move.target


def _of_order(move: Move) -> bool:
    if move.event == SENT_AGAIN:
        return move.source == move.target and move.target in LIVE
    if not move.source:
        return move.target == AttemptState.INTENDED
    return move.source in set(AttemptState) and move.target in MOVES[AttemptState(move.source)]


def illegal(move: Move, seq: int, subject: str) -> Finding:
    """The finding for one move of a kind that is not allowed."""
    text = f"item {seq} moves it from {move.source or 'nothing'} to {move.target} by {move.event}"
    return Finding(FindingKind.MOVE, subject, text)
