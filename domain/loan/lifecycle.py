"""The table of moves of an installment. Nothing else assigns a state.

`docs/lifecycle.md` is generated from this table and a test compares the two.
"""

from collections.abc import Mapping
from enum import StrEnum

from domain.kernel.lifecycle import move, table


class State(StrEnum):
    """Where an installment stands."""

    SCHEDULED = "SCHEDULED"
    """Not yet due, or its due date was moved ahead after it had fallen due."""
    DUE = "DUE"
    """Fallen due and owed; no order is out."""
    PRESENTED = "PRESENTED"
    """A debit order is out and a final outcome is expected in its usual time."""
    IN_DOUBT = "IN_DOUBT"
    """The final outcome is overdue. Ends by evidence or by a person, never by elapsed time."""
    RETRYING = "RETRYING"
    """The last attempt failed and the plan allows another."""
    CLEARING = "CLEARING"
    """Nothing is owed; the money is reported and not yet proven at the bank."""
    SETTLED = "SETTLED"
    """Every payment is proven by a named booked line."""
    RELEASED = "RELEASED"
    """Nothing more can be asked of the borrower."""
    CLOSED = "CLOSED"
    """Released, and every payee's share is proven as well."""
    DELINQUENT = "DELINQUENT"
    """The machine may not try again; still owed and collectable."""
    SUBROGATED = "SUBROGATED"
    """A guarantor has paid and is now the one who is owed."""
    WRITTEN_OFF = "WRITTEN_OFF"
    """No longer an asset in the books, still collectable."""
    CANCELLED = "CANCELLED"
    """Never to be collected: replaced by a new schedule or called back."""


class Event(StrEnum):
    """What can happen to an installment, in the past tense."""

    FELL_DUE = "fell_due"
    DEBIT_INTENDED = "debit_intended"
    OUTCOME_OVERDUE = "outcome_overdue"
    ATTEMPT_ENDED_RETRYABLE = "attempt_ended_retryable"
    ATTEMPT_ENDED_FINALLY = "attempt_ended_finally"
    ATTEMPT_WITHDRAWN = "attempt_withdrawn"
    RETRY_WITHDRAWN = "retry_withdrawn"
    ORDER_FOUND = "order_found"
    PAID_IN_FULL = "paid_in_full"
    PAID_IN_PART = "paid_in_part"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    MANDATE_ENDED = "mandate_ended"
    DUE_DATE_CHANGED = "due_date_changed"
    RETRY_ORDERED = "retry_ordered"
    NOT_YET_DUE = "not_yet_due"
    PAYMENTS_SETTLED = "payments_settled"
    RELEASE_PROVEN = "release_proven"
    EVIDENCE_COMPLETE = "evidence_complete"
    MATCH_UNDONE = "match_undone"
    PAYMENT_UNPROVEN = "payment_unproven"
    PAYMENT_REVERSED_RETRYABLE = "payment_reversed_retryable"
    PAYMENT_REVERSED_FINALLY = "payment_reversed_finally"
    PAYMENT_REVERSED = "payment_reversed"
    GUARANTOR_PAID = "guarantor_paid"
    WRITTEN_OFF = "written_off"
    RECOVERED_IN_FULL = "recovered_in_full"
    RECOVERY_REVERSED = "recovery_reversed"
    CANCELLED = "cancelled"
    CLOSED_ELSEWHERE = "closed_elsewhere"


_S, _E = State, Event
_OPEN = (_S.DUE, _S.RETRYING, _S.DELINQUENT)
_PAID = (_S.CLEARING, _S.SETTLED, _S.RELEASED, _S.CLOSED)
_OUT = (_S.PRESENTED, _S.IN_DOUBT)
_OUTSIDE = (_S.WRITTEN_OFF, _S.SUBROGATED)


TRANSITIONS: Mapping[tuple[State, Event], State] = table(
    [
        ((_S.SCHEDULED,), _E.FELL_DUE, _S.DUE),
        ((_S.SCHEDULED, _S.DUE, _S.RETRYING), _E.DEBIT_INTENDED, _S.PRESENTED),
        ((_S.PRESENTED,), _E.OUTCOME_OVERDUE, _S.IN_DOUBT),
        (_OUT, _E.ATTEMPT_ENDED_RETRYABLE, _S.RETRYING),
        (_OUT, _E.ATTEMPT_ENDED_FINALLY, _S.DELINQUENT),
        (_OUT, _E.ATTEMPT_WITHDRAWN, _S.DUE),
        (_OUT, _E.RETRY_WITHDRAWN, _S.RETRYING),
        (_OPEN, _E.ORDER_FOUND, _S.IN_DOUBT),
        ((_S.SCHEDULED, *_OUT, *_OPEN), _E.PAID_IN_FULL, _S.CLEARING),
        ((_S.SCHEDULED, *_OPEN, *_OUTSIDE), _E.PAID_IN_PART, None),
        ((_S.DUE, _S.RETRYING), _E.ATTEMPTS_EXHAUSTED, _S.DELINQUENT),
        ((_S.DUE, _S.RETRYING), _E.MANDATE_ENDED, _S.DELINQUENT),
        (_OPEN, _E.DUE_DATE_CHANGED, _S.SCHEDULED),
        ((_S.SCHEDULED,), _E.DUE_DATE_CHANGED, None),
        (_OPEN, _E.RETRY_ORDERED, _S.DUE),
        (_OPEN, _E.NOT_YET_DUE, _S.SCHEDULED),
        ((_S.CLEARING,), _E.PAYMENTS_SETTLED, _S.SETTLED),
        ((_S.SETTLED,), _E.RELEASE_PROVEN, _S.RELEASED),
        ((_S.RELEASED,), _E.EVIDENCE_COMPLETE, _S.CLOSED),
        ((_S.SETTLED, _S.RELEASED, _S.CLOSED), _E.MATCH_UNDONE, _S.CLEARING),
        ((_S.SETTLED,), _E.PAYMENT_UNPROVEN, _S.CLEARING),
        ((*_PAID, *_OPEN), _E.PAYMENT_REVERSED_RETRYABLE, _S.RETRYING),
        ((*_PAID, *_OPEN), _E.PAYMENT_REVERSED_FINALLY, _S.DELINQUENT),
        ((_S.SCHEDULED, *_OUT, *_OUTSIDE, _S.CANCELLED), _E.PAYMENT_REVERSED, None),
        (_OPEN, _E.GUARANTOR_PAID, _S.SUBROGATED),
        ((_S.DELINQUENT,), _E.WRITTEN_OFF, _S.WRITTEN_OFF),
        (_OUTSIDE, _E.RECOVERED_IN_FULL, _S.CLEARING),
        (_PAID, _E.RECOVERY_REVERSED, _S.WRITTEN_OFF),
        ((_S.SCHEDULED, *_OPEN), _E.CANCELLED, _S.CANCELLED),
        ((_S.SCHEDULED,), _E.CLOSED_ELSEWHERE, _S.CLOSED),
    ]
)
"""Every allowed move; a pair that is not here is refused."""

FINAL = frozenset({State.CLOSED, State.CANCELLED})
"""States in which the driver has nothing left to do; only a returned payment or an undone match
reopens them, under a higher generation."""


def advance(state: State, event: Event) -> State:
    """The state that follows.

    Raises:
        IllegalTransition: the table does not hold the pair.
    """
    return move(TRANSITIONS, state, event)
