"""The table of moves of a case. Nothing else assigns a state."""

from collections.abc import Mapping
from enum import StrEnum

from domain.kernel.lifecycle import move, table


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "OPEN"
    """In the queue of its owner; nobody has taken it."""
    ASSIGNED = "ASSIGNED"
    """One person works on it."""
    WAITING = "WAITING"
    """Put aside until a day: somebody else has to do something first."""
    RESOLVED = "RESOLVED"
    """Ended, by a person or by the evidence that it waited for. It may be opened again."""


class CaseEvent(StrEnum):
    """What can happen to a case, in the past tense."""

    OPENED = "case_opened"
    AMENDED = "case_amended"
    SUGGESTED = "case_suggested"
    ITEM_ADDED = "case_item_added"
    ITEM_CLEARED = "case_item_cleared"
    ASSIGNED = "case_assigned"
    NOTED = "case_noted"
    WAIT_ORDERED = "case_wait_ordered"
    WAIT_ENDED = "case_wait_ended"
    WAIT_ENDED_ASSIGNED = "case_wait_ended_assigned"
    REMINDED = "case_reminded"
    ESCALATED = "case_escalated"
    TRANSFERRED = "case_transferred"
    RESOLVED = "case_resolved"
    REOPENED = "case_reopened"


_S, _E = CaseState, CaseEvent
_LIVE = (_S.OPEN, _S.ASSIGNED, _S.WAITING)


CASE_MOVES: Mapping[tuple[CaseState, CaseEvent], CaseState] = table(
    [
        (_LIVE, _E.ASSIGNED, _S.ASSIGNED),
        (_LIVE, _E.WAIT_ORDERED, _S.WAITING),
        ((_S.WAITING,), _E.WAIT_ENDED, _S.OPEN),
        ((_S.WAITING,), _E.WAIT_ENDED_ASSIGNED, _S.ASSIGNED),
        (_LIVE, _E.RESOLVED, _S.RESOLVED),
        ((_S.RESOLVED,), _E.REOPENED, _S.OPEN),
        (_LIVE, _E.AMENDED, None),
        (_LIVE, _E.SUGGESTED, None),
        (_LIVE, _E.ITEM_ADDED, None),
        ((*_LIVE, _S.RESOLVED), _E.ITEM_CLEARED, None),
        ((*_LIVE, _S.RESOLVED), _E.NOTED, None),
        ((_S.OPEN, _S.ASSIGNED), _E.REMINDED, None),
        ((_S.OPEN, _S.ASSIGNED), _E.ESCALATED, None),
        ((_S.ASSIGNED,), _E.TRANSFERRED, _S.OPEN),
        ((_S.OPEN, _S.WAITING), _E.TRANSFERRED, None),
    ]
)
"""Every allowed move; a pair that is not here is refused."""

CASE_FINAL = frozenset({CaseState.RESOLVED})


def advance(state: CaseState, event: CaseEvent) -> CaseState:
    """The state that follows.

    Raises:
        IllegalTransition: the table does not hold the pair.
    """
    return move(CASE_MOVES, state, event)
