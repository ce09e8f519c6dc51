"""The attempt's own machine: live, ended, returned; and the taxonomy that moves it."""

import pytest

from domain.debit.attempt import LIVE, MOVES, AttemptState
from domain.debit.history import NEVER_PRESENTED
from domain.debit.outcome import (
    EXCUSING,
    NO_ANSWER,
    Outcome,
    OutcomeClass,
    OutcomeStatus,
    status_of,
)
from tests.support.scene import Scene

ENDED = set(AttemptState) - LIVE


@pytest.mark.parametrize("state", list(AttemptState))
def test_every_state_has_its_row_and_no_state_follows_itself(state: AttemptState) -> None:
    """Only a confirmed order can be returned, and only one thought never to have arrived goes on.

    A success that people alone had stated may be in doubt again. A return that a line reported by
    mistake is undone: the order stands confirmed again.

    An order that the rail has acknowledged can no longer be proven never to have arrived.
    """
    following = MOVES[state]
    assert state not in following
    if state in ENDED:
        taken = {AttemptState.RETURNED, AttemptState.UNKNOWN}
        returned = taken if state is AttemptState.CONFIRMED else set()
        revived = (
            {AttemptState.UNKNOWN, AttemptState.DECLINED} if state in NEVER_PRESENTED else set()
        )
        undone = {AttemptState.CONFIRMED} if state is AttemptState.RETURNED else set()
        assert following == returned | revived | undone
    else:
        assert following >= {AttemptState.CONFIRMED, AttemptState.DECLINED, AttemptState.RECALLED}
        never_arrived = AttemptState.NOT_EXECUTED in following
        assert never_arrived is (state is not AttemptState.ACCEPTED)
        assert AttemptState.RETURNED not in following


def test_an_attempt_is_live_until_its_final_outcome_and_may_be_known_not_to_have_left() -> None:
    """Intended, accepted and unknown have no final outcome yet."""
    s = Scene.boarded()
    order = s.present()
    attempt = s.books.item().attempts[0]
    assert attempt.is_live
    assert not attempt.never_left
    s.apply_outcome(order, OutcomeClass.NSF)
    assert not s.books.item().attempts[0].is_live


@pytest.mark.parametrize("outcome_class", list(OutcomeClass))
def test_every_class_has_one_final_outcome_and_only_explicit_ones_end_an_attempt(
    outcome_class: OutcomeClass,
) -> None:
    """Unknown is not declined: trouble, duplicates and unmapped codes are asked again."""
    status = status_of(outcome_class)
    assert Outcome(outcome_class, "x").status is status
    asked = {OutcomeClass.TECH, OutcomeClass.DUPLICATE, OutcomeClass.UNKNOWN_CODE}
    taken = {OutcomeClass.SUCCESS, OutcomeClass.SUCCESS_DEFECTIVE, OutcomeClass.PARTIAL}
    assert (status is OutcomeStatus.UNKNOWN) == (outcome_class in asked)
    assert (status is OutcomeStatus.CONFIRMED) == (outcome_class in taken)
    assert not EXCUSING & taken


def test_no_answer_is_unknown() -> None:
    """The request may have left and nothing came back."""
    assert NO_ANSWER.status is OutcomeStatus.UNKNOWN
