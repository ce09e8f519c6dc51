"""People state what became of an order that its rail does not know, by evidence and two of them."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.kernel.command import Scope
from domain.loan.boarding import Past
from domain.loan.change import Change
from domain.loan.lifecycle import State
from tests.support import invariants
from tests.support.doors import StateOutcome
from tests.support.memory import TESTER, MemoryBooks, board
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid
from tests.support.scene import Scene


def in_doubt() -> Scene:
    """A loan whose second installment brings an order that nobody knows the outcome of."""
    out = ordered(2, state=AttemptState.UNKNOWN, outcome_class=None, code="")
    books = MemoryBooks(at=APRIL)
    said = opening(payments=(paid((1, WHOLE)),), attempts=(out,))
    assert isinstance(books.apply(replace(board(), opening=said, past=Past.OWED)), Change)
    return Scene(books)


def state(s: Scene, outcome_class: OutcomeClass, **more: Any) -> Change | Refusal:
    """Two people state the outcome of the old order."""
    given = {"order_no": "OLD-1", "proof": "list of old bank", "approver": "ops-8", **more}
    return s.order(StateOutcome, 2, outcome_class=outcome_class, **given)


def test_an_order_that_was_never_executed_lets_the_next_one_go_out() -> None:
    """The rail never ends it; the journal keeps the evidence."""
    s = in_doubt()
    s.apply_outcome("OLD-1", OutcomeClass.NOT_FOUND, source="inquiry")
    assert s.books.item(2).state is State.IN_DOUBT
    assert isinstance(state(s, OutcomeClass.NOT_FOUND), Change)
    assert s.books.item(2).attempts[0].state is AttemptState.NOT_EXECUTED
    said = [it.detail for it in s.books.transitions if it.event == "outcome_stated"]
    assert said == ["NOT_FOUND: list of old bank"]
    assert s.present(2)
    invariants.check(s.books)


@pytest.mark.parametrize("taken_on", [None, date(2026, 4, 9)])
def test_money_that_was_taken_is_booked_and_waits_for_its_line(taken_on: date | None) -> None:
    """Of the day that is stated, else of the day that it was ordered for."""
    s = in_doubt()
    assert isinstance(state(s, OutcomeClass.SUCCESS, amount_minor=10100, taken_on=taken_on), Change)
    assert s.books.item(2).state is State.CLEARING
    portion = s.books.loans["L1"].portions[-1]
    assert portion.value_on == (taken_on or date(2026, 4, 10))
    s.credit("OLD-1", 10100)
    assert s.books.item(2).state is State.CLOSED
    invariants.check(s.books)


def test_a_refusal_is_judged_like_one_of_the_rail() -> None:
    """A lack of funds is tried again, a closed account bars the mandate."""
    s = in_doubt()
    state(s, OutcomeClass.NSF)
    assert s.books.item(2).state is State.RETRYING
    s = in_doubt()
    state(s, OutcomeClass.ACCOUNT)
    assert s.books.item(2).state is State.DELINQUENT
    assert s.books.loans["L1"].mandate.bar is not None
    invariants.check(s.books)


@pytest.mark.parametrize(
    ("outcome_class", "more", "rule"),
    [
        (OutcomeClass.NSF, {"approver": None}, "order.approver"),
        (OutcomeClass.NSF, {"approver": "T1 "}, "order.approver"),
        (OutcomeClass.NSF, {"order_no": "OLD-2"}, "outcome.order"),
        (OutcomeClass.PENDING, {}, "outcome.class"),
        (OutcomeClass.TECH, {}, "outcome.class"),
        (OutcomeClass.NSF, {"amount_minor": 5}, "outcome.amount"),
        (OutcomeClass.SUCCESS, {}, "outcome.amount"),
        (OutcomeClass.SUCCESS, {"amount_minor": 10101}, "outcome.amount"),
        (OutcomeClass.NSF, {"taken_on": date(2026, 4, 9)}, "outcome.taken_on"),
        (
            OutcomeClass.SUCCESS,
            {"amount_minor": 5, "taken_on": date(2026, 4, 21)},
            "outcome.taken_on",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_its_rule(
    outcome_class: OutcomeClass, more: dict[str, Any], rule: str
) -> None:
    """Nothing is booked, and the order stays in doubt."""
    s = in_doubt()
    answer = state(s, outcome_class, **more)
    assert isinstance(answer, Refusal)
    assert answer.rule == rule
    assert s.books.item(2).state is State.IN_DOUBT


def test_an_order_that_is_not_in_doubt_is_left_to_its_rail() -> None:
    """Before its outcome is overdue, and once it has one."""
    s = in_doubt()
    state(s, OutcomeClass.NSF)
    answer = state(s, OutcomeClass.NOT_FOUND)
    assert isinstance(answer, Refusal)
    assert answer.rule == "outcome.doubt"
    order = s.present(2)
    answer = state(s, OutcomeClass.NSF, order_no=order)
    assert isinstance(answer, Refusal)
    assert answer.rule == "outcome.doubt"


def test_news_of_the_rail_that_comes_later_is_weighed_as_ever() -> None:
    """Money that was taken after all is booked, with its case."""
    s = in_doubt()
    state(s, OutcomeClass.NOT_FOUND)
    s.apply_outcome("OLD-1", source="webhook")
    assert "late_success" in {case.kind for case in s.books.cases.values()}
    invariants.check(s.books)


def test_the_order_names_its_loan_and_its_debit_and_may_say_that_nothing_was_taken() -> None:
    """The books lock both; an amount of zero is well formed."""
    order = StateOutcome(
        id="o",
        actor=TESTER,
        reason="x",
        loan_id="L1",
        number=2,
        order_no="OLD-1",
        outcome_class=OutcomeClass.NSF,
        proof="p",
    )
    assert order.scope() == Scope(loans=("L1",), orders=("OLD-1",))
    assert list(order.misshapen()) == []
