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
from tests.support.doors import StateOutcome, UndoMatch
from tests.support.memory import TESTER, MemoryBooks, board
from tests.support.openings import APRIL, AS_OF, WHOLE, opening, ordered, paid
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


def wrongly_stated(minor: int = 10100) -> Scene:
    """Two people say that the old order took money; nobody else says so."""
    s = in_doubt()
    assert isinstance(state(s, OutcomeClass.SUCCESS, amount_minor=minor), Change)
    return s


@pytest.mark.parametrize(
    ("outcome_class", "ended", "left"),
    [
        (OutcomeClass.NSF, AttemptState.DECLINED, State.RETRYING),
        (OutcomeClass.ACCOUNT, AttemptState.DECLINED, State.DELINQUENT),
        (OutcomeClass.NOT_FOUND, AttemptState.NOT_EXECUTED, State.RETRYING),
    ],
)
def test_a_success_that_people_stated_wrongly_is_reversed_by_two_people(
    outcome_class: OutcomeClass, ended: AttemptState, left: State
) -> None:
    """What it paid is owed again, the case ends, and the journal keeps both statements."""
    s = wrongly_stated()
    before = s.balances
    s.apply_outcome("OLD-1", OutcomeClass.NSF, code="51", source="webhook")
    assert "contradiction/OLD-1" in s.books.cases
    refused = state(s, outcome_class, approver=None)
    assert isinstance(refused, Refusal)
    assert refused.rule == "order.approver"
    assert s.balances == before
    since = s.mark
    assert isinstance(state(s, outcome_class, proof="list 8"), Change)
    item = s.books.item(2)
    assert (item.state, item.attempts[0].state) == (left, ended)
    assert item.owed.total >= 10100
    assert next(event for event, _ in s.posted(since)) == "outcome_corrected"
    assert "clearing/simbank" not in s.balances
    assert "contradiction/OLD-1" not in s.books.cases
    said = [it.detail for it in s.books.transitions if it.event == "outcome_stated"]
    assert said == ["SUCCESS: list of old bank", f"{outcome_class}: list 8"]
    invariants.check(s.books)


def test_people_may_correct_the_amount_that_they_stated() -> None:
    """The order is confirmed once more, for less."""
    s = wrongly_stated()
    assert isinstance(state(s, OutcomeClass.SUCCESS, amount_minor=4000), Change)
    item, portion = s.books.item(2), s.books.loans["L1"].portions[-1]
    assert (item.attempts[0].confirmed_minor, portion.amount_minor) == (4000, 4000)
    assert item.owed.total >= 6100
    assert len(s.books.payments) == 2
    s.credit("OLD-1", 4000)
    assert portion.id in {it.id for it in s.books.loans["L1"].portions if it.is_proven}
    invariants.check(s.books)


@pytest.mark.parametrize("news", ["report", "line", "return"])
def test_money_that_comes_after_a_correction_is_booked_all_the_same(news: str) -> None:
    """Reported, shown by a line or taken back: it is of the same payment, with a case."""
    s = wrongly_stated()
    state(s, OutcomeClass.NSF)
    match news:
        case "report":
            s.apply_outcome("OLD-1", source="webhook", bank_ref="A")
        case "line":
            s.credit("OLD-1", 10100)
        case _:
            s.returned("OLD-1", 10100)
    portion = s.books.loans["L1"].portions[-1]
    assert (portion.amount_minor, len(s.books.payments)) == (10100, 2)
    assert portion.returned_minor == (10100 if news == "return" else 0)
    assert "late_success" in {case.kind for case in s.books.cases.values()}
    assert (s.books.item(2).owed.total > 0) is (news == "return")
    invariants.check(s.books)


def test_an_order_that_was_corrected_is_in_doubt_again_where_its_rail_holds_it() -> None:
    """Nothing is debited beside it."""
    s = wrongly_stated()
    state(s, OutcomeClass.NOT_FOUND)
    s.apply_outcome("OLD-1", OutcomeClass.PENDING, source="webhook")
    assert s.books.item(2).state is State.IN_DOUBT
    s.apply_outcome("OLD-1", source="webhook")
    assert s.books.item(2).state is State.CLEARING
    assert len(s.books.payments) == 2
    invariants.check(s.books)


def test_an_answer_that_is_not_believed_is_a_case_after_a_correction() -> None:
    """It claims money of which nothing is on the books."""
    s = wrongly_stated()
    state(s, OutcomeClass.NSF)
    s.apply_outcome("OLD-1", minor=-5, source="webhook")
    assert "unbelieved/OLD-1" in s.books.cases


def test_what_others_say_as_well_is_not_corrected_by_people() -> None:
    """The rail has confirmed it, a line proves it, money of it went back, or came twice."""
    s = wrongly_stated()
    s.apply_outcome("OLD-1", source="webhook", code="00")
    assert refused_by(s) == "outcome.doubt"
    s = wrongly_stated()
    s.credit("OLD-1", 4000)
    assert refused_by(s) == "outcome.proven"
    s = wrongly_stated()
    s.returned("OLD-1", 4000)
    assert refused_by(s) == "outcome.doubt"
    s = wrongly_stated()
    s.credit("OLD-1", 10100)
    line = next(iter(s.books.lines))
    s.order(UndoMatch, 2, line=line, reference="R-OLD-1")
    assert isinstance(state(s, OutcomeClass.NSF), Change)
    s = in_doubt()
    state(s, OutcomeClass.NSF)
    assert refused_by(s) == "outcome.doubt"


def refused_by(s: Scene, outcome_class: OutcomeClass = OutcomeClass.NSF, **more: Any) -> str:
    """The rule by which a correction is refused."""
    answer = state(s, outcome_class, **more)
    assert isinstance(answer, Refusal), answer
    return answer.rule


def test_a_statement_is_corrected_beside_an_order_that_went_out_after_it() -> None:
    """Nothing of the later one changes; only that money was taken cannot be said again."""
    s = wrongly_stated(4000)
    later = s.present(2)
    assert refused_by(s, OutcomeClass.SUCCESS, amount_minor=3000) == "outcome.later"
    assert isinstance(state(s, OutcomeClass.ACCOUNT), Change)
    item = s.books.item(2)
    assert item.state is State.PRESENTED
    assert item.attempts[0].state is AttemptState.DECLINED
    assert s.books.loans["L1"].mandate.bar is not None
    s.apply_outcome(later)
    assert s.books.item(2).owed.total >= 4000
    invariants.check(s.books)
    s = wrongly_stated(4000)
    s.present(2)
    assert isinstance(state(s, OutcomeClass.NOT_FOUND), Change)
    assert s.books.item(2).attempts[0].state is AttemptState.NOT_EXECUTED


def test_a_statement_that_was_handed_over_stands() -> None:
    """The evidence of the opening stands for its line."""
    taken = ordered(2, state=AttemptState.CONFIRMED, outcome_class=None, code="STATED")
    money = paid((2, WHOLE), order_no="OLD-1", on=AS_OF)
    said = opening(payments=(paid((1, WHOLE)), money), attempts=(taken,))
    books = MemoryBooks(at=APRIL)
    assert isinstance(books.apply(replace(board(), opening=said)), Change)
    assert refused_by(Scene(books)) == "outcome.doubt"
