"""Every pair of state and event is in the table or refused, and the page shows the table."""

import runpy
from pathlib import Path

import pytest

from domain.errors import IllegalTransition
from domain.kernel.lifecycle_doc import meanings
from domain.loan.lifecycle import FINAL, TRANSITIONS, Event, State, advance
from domain.loan.lifecycle_doc import page

PAIRS = [(state, event) for state in State for event in Event]
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=lambda value: value.value)
def test_every_pair_moves_by_the_table_or_is_refused(state: State, event: Event) -> None:
    """A function: one target for a pair of the table, and a named refusal for every other."""
    if (state, event) in TRANSITIONS:
        assert advance(state, event) is TRANSITIONS[(state, event)]
        return
    with pytest.raises(IllegalTransition) as refusal:
        advance(state, event)
    assert (refusal.value.state, refusal.value.event) == (state, event)


def test_the_table_cannot_be_written_to() -> None:
    """Nobody adds a move at run time."""
    with pytest.raises(TypeError):
        TRANSITIONS[(State.CLOSED, Event.FELL_DUE)] = State.DUE  # type: ignore[index]


def test_final_states_are_left_only_by_a_reversed_payment_or_an_undone_match() -> None:
    """What was complete when closed stays closed, whatever else happens."""
    leaving = {
        (source, event)
        for (source, event), target in TRANSITIONS.items()
        if source in FINAL and target is not source
    }
    assert leaving == {
        (State.CLOSED, Event.MATCH_UNDONE),
        (State.CLOSED, Event.PAYMENT_REVERSED_RETRYABLE),
        (State.CLOSED, Event.PAYMENT_REVERSED_FINALLY),
        (State.CLOSED, Event.RECOVERY_REVERSED),
    }


def test_a_reversed_payment_has_a_place_in_every_state() -> None:
    """Evidence is never refused: one of the three events of a reversal is in the table."""
    reversals = [event for event in Event if event.name.startswith("PAYMENT_REVERSED")]
    for state in State:
        assert any((state, event) in TRANSITIONS for event in reversals), state


def test_money_has_a_place_wherever_something_can_be_owed() -> None:
    """Being paid in full is a move in every state in which an installment can owe."""
    owing = [
        State.SCHEDULED,
        State.DUE,
        State.PRESENTED,
        State.IN_DOUBT,
        State.RETRYING,
        State.DELINQUENT,
    ]
    assert all(advance(state, Event.PAID_IN_FULL) is State.CLEARING for state in owing)
    for state in (State.WRITTEN_OFF, State.SUBROGATED):
        assert advance(state, Event.RECOVERED_IN_FULL) is State.CLEARING


def test_every_state_can_reach_an_end() -> None:
    """From any state some moves lead to a final one."""
    for state in State:
        seen, todo = {state}, [state]
        while todo:
            here = todo.pop()
            onward = {target for (source, _), target in TRANSITIONS.items() if source is here}
            todo += onward - seen
            seen |= onward
        assert seen & FINAL, state


def test_every_state_says_what_it_means() -> None:
    """The text under each member is the page's meaning of the state."""
    assert set(meanings(State)) == {state.name for state in State}


def test_the_page_is_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/lifecycle.md is what the generator writes now."""
    with pytest.warns(RuntimeWarning, match="lifecycle_doc"):
        runpy.run_module("domain.loan.lifecycle_doc", run_name="__main__")
    assert capsys.readouterr().out == page()
    kept = (ROOT / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    assert kept == page(), "run: python -m domain.loan.lifecycle_doc > docs/lifecycle.md"
