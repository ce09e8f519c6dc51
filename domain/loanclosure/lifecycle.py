"""The tables of moves of a loan's closure and of each of its legs. Nothing else assigns a state."""

from collections.abc import Mapping
from enum import StrEnum

from domain.kernel.lifecycle import move, table


class ClosureState(StrEnum):
    """Where the closure of a loan stands."""

    RUNNING = "RUNNING"
    """The borrower owes nothing; legs run, or payees or balances of the loan are waited for."""
    UNSEALED = "UNSEALED"
    """Nothing is missing; a signed head of the ledger that covers it is awaited."""
    CLOSED = "CLOSED"
    """Nothing is missing, and it is sealed where its product asks for that."""
    REVOKING = "REVOKING"
    """Money went back: who was told that the loan is settled learns that it is not."""
    REVOKED = "REVOKED"
    """Everybody has learnt it; once nothing is owed again, the closure begins anew."""


class ClosureEvent(StrEnum):
    """What can happen to the closure of a loan, in the past tense."""

    STARTED = "closure_started"
    LEG_MOVED = "closure_leg_moved"
    """One of its legs came into another state, as the detail says."""
    COMPLETED = "closure_completed"
    """Nothing is missing, and its product asks for a seal."""
    COMPLETED_UNSEALED = "closure_completed_unsealed"
    """Nothing is missing, and its product asks for no seal."""
    SEALED = "closure_sealed"
    REVOKED = "closure_revoked"
    CONSEQUENCES_DONE = "closure_consequences_done"
    RESTARTED = "closure_restarted"
    HELD = "closure_held"
    RESUMED = "closure_resumed"


_S, _E = ClosureState, ClosureEvent
_FORWARD = (_S.RUNNING, _S.UNSEALED, _S.CLOSED)
_WORKING = (_S.RUNNING, _S.UNSEALED, _S.REVOKING)

CLOSURE_MOVES: Mapping[tuple[ClosureState, ClosureEvent], ClosureState] = table(
    [
        ((_S.RUNNING, _S.REVOKING), _E.LEG_MOVED, None),
        ((_S.RUNNING,), _E.COMPLETED, _S.UNSEALED),
        ((_S.RUNNING,), _E.COMPLETED_UNSEALED, _S.CLOSED),
        ((_S.UNSEALED,), _E.SEALED, _S.CLOSED),
        (_FORWARD, _E.REVOKED, _S.REVOKING),
        ((_S.REVOKING,), _E.CONSEQUENCES_DONE, _S.REVOKED),
        ((_S.REVOKED,), _E.RESTARTED, _S.RUNNING),
        (_WORKING, _E.HELD, None),
        (_WORKING, _E.RESUMED, None),
    ]
)
"""Every allowed move; a pair that is not here is refused."""
CLOSURE_FINAL = frozenset({_S.CLOSED, _S.REVOKED})
"""States in which its driver has nothing left to do."""


class LegState(StrEnum):
    """Where one leg of a closure stands."""

    NOT_NEEDED = "NOT_NEEDED"
    """The product asks for no such leg, or it proved to have no object."""
    PENDING = "PENDING"
    """It is still to be asked for, or done."""
    REQUESTED = "REQUESTED"
    """It was asked for; nobody has said yet that the request is there."""
    ACKNOWLEDGED = "ACKNOWLEDGED"
    """Whoever does it has the request."""
    REJECTED = "REJECTED"
    """Whoever does it refuses the request, for a reason that its code says."""
    OVERDUE = "OVERDUE"
    """It was not done in time; it is asked about still."""
    DONE = "DONE"
    """It is done, and something proves that."""
    WAIVED = "WAIVED"
    """Two people have decided that it is not to be done."""


class LegEvent(StrEnum):
    """What can happen to a leg, in the past tense."""

    REQUESTED = "requested"
    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    DEADLINE_PASSED = "deadline_passed"
    PROVEN = "proven"
    FOUND_UNNEEDED = "found_unneeded"
    WAIVED = "waived"
    RETRIED = "retried"


_L, _V = LegState, LegEvent
_OUT = (_L.REQUESTED, _L.ACKNOWLEDGED, _L.OVERDUE)
_UNDONE = (_L.PENDING, *_OUT, _L.REJECTED)
LEG_MOVES: Mapping[tuple[LegState, LegEvent], LegState] = table(
    [
        ((_L.PENDING,), _V.REQUESTED, _L.REQUESTED),
        ((_L.REQUESTED, _L.ACKNOWLEDGED), _V.ACKNOWLEDGED, _L.ACKNOWLEDGED),
        ((_L.OVERDUE,), _V.ACKNOWLEDGED, None),
        (_OUT, _V.REJECTED, _L.REJECTED),
        ((_L.PENDING, _L.REQUESTED, _L.ACKNOWLEDGED), _V.DEADLINE_PASSED, _L.OVERDUE),
        (_UNDONE, _V.PROVEN, _L.DONE),
        (_UNDONE, _V.FOUND_UNNEEDED, _L.NOT_NEEDED),
        (_UNDONE, _V.WAIVED, _L.WAIVED),
        ((*_OUT, _L.REJECTED), _V.RETRIED, _L.PENDING),
    ]
)
"""Every allowed move of a leg; a pair that is not here is refused."""
LEG_OVER = frozenset({_L.NOT_NEEDED, _L.DONE, _L.WAIVED})
"""States in which nothing of a leg is missing."""
LEG_OUT = frozenset(_OUT)
"""States in which its request is with whoever does it."""


def advance(state: ClosureState, event: ClosureEvent) -> ClosureState:
    """The state that follows.

    Raises:
        IllegalTransition: the table does not hold the pair.
    """
    return move(CLOSURE_MOVES, state, event)
