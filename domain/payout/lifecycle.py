"""The table of moves of a payout. Nothing else assigns a state."""

from collections.abc import Mapping
from enum import StrEnum

from domain.kernel.lifecycle import move, table


class PayoutState(StrEnum):
    """Where a payout stands."""

    REQUESTED = "REQUESTED"
    """A cut-off or a person asked for it; its amount and items are fixed. Somebody approves it."""
    APPROVED = "APPROVED"
    """It may be sent as soon as its channel takes orders and its account holds enough."""
    INSTRUCTED = "INSTRUCTED"
    """Its order number is fixed and the order is out, or is about to leave."""
    IN_DOUBT = "IN_DOUBT"
    """Nobody knows whether it was executed: the channel is asked, and it is never sent again."""
    PAID = "PAID"
    """The channel says that it was executed; a booked line is still to come."""
    PROVEN = "PROVEN"
    """A booked bank line that names its order shows that it left; its loans learn of it."""
    CLOSED = "CLOSED"
    """Every loan that has an item in it knows that it is proven."""
    RETURNED = "RETURNED"
    """A booked bank line shows that it came back; its loans learn of it."""
    REVERSED = "REVERSED"
    """Every loan knows that it came back; its items are open for a new payout."""
    FAILED = "FAILED"
    """It was declined or provably not executed; its items are open for a new payout."""
    REFUSED = "REFUSED"
    """A person did not approve it; its items are open for a new payout."""
    CANCELLED = "CANCELLED"
    """A person took it back before it left; its items are open for a new payout."""


class PayoutEvent(StrEnum):
    """What can happen to a payout, in the past tense."""

    REQUESTED = "payout_requested"
    APPROVED = "payout_approved"
    REFUSED = "payout_refused"
    CANCELLED = "payout_cancelled"
    SHORT = "payout_short"
    """Its account holds less than it and the other items there come to."""
    INSTRUCTED = "payout_instructed"
    SENT_AGAIN = "payout_sent_again"
    """The order provably never left, and is sent under a new lease."""
    ACCEPTED = "payout_accepted"
    UNKNOWN = "payout_unknown"
    EXECUTED = "payout_executed"
    CONTRADICTED = "payout_contradicted"
    """The channel takes back that it was executed."""
    FAILED = "payout_failed"
    LATE = "payout_late"
    """No line has come in time that shows it."""
    OVERDUE = "payout_overdue"
    """A refund has not left by the day on which it was to be with its payer's bank."""
    PROVEN = "payout_proven"
    LEARNT = "payout_learnt"
    RETURNED = "payout_returned"
    RETURN_LEARNT = "payout_return_learnt"


_S, _E = PayoutState, PayoutEvent
OUT = frozenset({_S.INSTRUCTED, _S.IN_DOUBT})
"""States in which the order has no final outcome."""
WAITING = frozenset({_S.REQUESTED, _S.APPROVED})
"""States in which it was not instructed yet: its money is still payable."""
LIVE = frozenset({*WAITING, *OUT, _S.PAID})
"""States in which it holds its items and no line has proven it."""
GONE = frozenset({_S.PROVEN, _S.CLOSED})
"""States in which its money is proven to have reached its payee's bank."""
_OUT = (_S.INSTRUCTED, _S.IN_DOUBT)

PAYOUT_MOVES: Mapping[tuple[PayoutState, PayoutEvent], PayoutState] = table(
    [
        ((_S.REQUESTED,), _E.APPROVED, _S.APPROVED),
        ((_S.REQUESTED,), _E.REFUSED, _S.REFUSED),
        ((_S.REQUESTED, _S.APPROVED), _E.CANCELLED, _S.CANCELLED),
        ((_S.APPROVED,), _E.SHORT, None),
        ((_S.APPROVED,), _E.INSTRUCTED, _S.INSTRUCTED),
        ((_S.INSTRUCTED,), _E.SENT_AGAIN, None),
        (_OUT, _E.ACCEPTED, _S.INSTRUCTED),
        (_OUT, _E.UNKNOWN, _S.IN_DOUBT),
        (_OUT, _E.EXECUTED, _S.PAID),
        (_OUT, _E.FAILED, _S.FAILED),
        ((_S.PAID,), _E.CONTRADICTED, _S.IN_DOUBT),
        ((_S.PAID,), _E.LATE, None),
        ((_S.REQUESTED, _S.APPROVED, *_OUT, _S.PAID), _E.OVERDUE, None),
        ((*_OUT, _S.PAID), _E.PROVEN, _S.PROVEN),
        ((_S.PROVEN,), _E.LEARNT, _S.CLOSED),
        ((_S.RETURNED,), _E.LEARNT, None),
        ((_S.PROVEN, _S.CLOSED), _E.RETURNED, _S.RETURNED),
        ((_S.RETURNED,), _E.RETURN_LEARNT, _S.REVERSED),
    ]
)
"""Every allowed move; a pair that is not here is refused."""

PAYOUT_FINAL = frozenset({_S.CLOSED, _S.REVERSED, _S.FAILED, _S.REFUSED, _S.CANCELLED})


def advance(state: PayoutState, event: PayoutEvent) -> PayoutState:
    """The state that follows.

    Raises:
        IllegalTransition: the table does not hold the pair.
    """
    return move(PAYOUT_MOVES, state, event)
