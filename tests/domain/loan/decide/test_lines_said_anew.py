"""A bank says a booked line anew in other figures: the case is about whom the line is about."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.loan.change import Aggregates, Change
from domain.loan.decide import decide
from domain.statement.statement import LineItem, StatementLine
from tests.support import invariants
from tests.support.doors import BookLine, MatchLine, UndoMatch
from tests.support.memory import PRODUCT, TESTER, board, schedule
from tests.support.scene import Scene

LINES = schedule(((10100, 0), (10100, 0)))
PLAIN = replace(PRODUCT, penalty=None)
ANEW = "line_contradiction"


def scene(*more: str) -> Scene:
    """Loans of two installments of 101.00: L1, and others by name."""
    s = Scene.boarded(lines=LINES, product=PLAIN)
    for loan in more:
        s.books.apply(board(loan, lines=LINES, product=PLAIN))
    return s


def paid(s: Scene, loan: str = "L1") -> LineItem:
    """A debit that was confirmed; the item of the bank's line about it."""
    order = s.present(loan=loan)
    s.apply_outcome(order)
    return LineItem(order, None, None, 10100)


def about(s: Scene) -> set[tuple[str | None, int | None]]:
    """The loans and installments that open cases of this kind name."""
    return {(c.loan_id, c.number) for c in s.books.cases.values() if c.kind == ANEW}


def test_a_settled_installment_is_not_released_while_its_line_is_said_anew() -> None:
    """101.00 booked, then 91.00 under the same line: neither gate opens, however long it takes."""
    s = scene()
    item = paid(s)
    s.line(item, id="A/1")
    s.line(replace(item, amount_minor=9100), id="A/1")
    assert about(s) == {("L1", 1)}
    s.until(LINES[0].due_on + timedelta(days=20))
    assert s.state == "SETTLED"
    assert s.books.view().needs_operator


def test_a_person_who_matches_the_line_anew_ends_the_case() -> None:
    """Undone and matched again by a person: that is the answer, and both gates open."""
    s = scene()
    item = paid(s)
    s.line(item, id="A/1")
    s.line(replace(item, amount_minor=9100), id="A/1")
    named: dict[str, Any] = {"line": "A/1", "reference": item.end_to_end_id}
    assert isinstance(s.order(UndoMatch, **named), Change)
    assert about(s) == {("L1", 1)}
    assert isinstance(s.order(MatchLine, amount_minor=10100, **named), Change)
    assert about(s) == set()
    s.until(LINES[0].due_on + timedelta(days=20))
    assert s.state == "CLOSED"
    invariants.check(s.books)


def test_a_line_of_several_loans_is_a_case_of_each_until_a_person_has_matched_each() -> None:
    """Two debits in one line: both loans are named, and each ends by its own order."""
    s = scene("L2")
    items = [paid(s), paid(s, "L2")]
    s.line(*items, id="A/1")
    s.line(*items, id="A/1", minor=20000)
    assert about(s) == {(None, None), ("L1", 1), ("L2", 1)}
    for loan, item in zip(("L1", "L2"), items, strict=True):
        named: dict[str, Any] = {"line": "A/1", "reference": item.end_to_end_id, "loan": loan}
        assert isinstance(s.order(UndoMatch, **named), Change)
        assert isinstance(s.order(MatchLine, amount_minor=10100, **named), Change)
        assert (loan, 1) not in about(s)
    assert about(s) == set()


def test_a_line_that_waits_or_names_another_loan_is_about_these_as_well() -> None:
    """What it waits for, and what it names now: no debit of either leaves before it is answered."""
    s = scene("L2")
    s.until(LINES[0].due_on - timedelta(days=1))
    order = s.present()
    s.apply_outcome(order)
    s.line(LineItem(order, None, None, 10100), id="A/1", minor=5000)
    other = s.present(loan="L2")
    s.line(LineItem(other, None, None, 6000), id="A/1")
    assert about(s) == {(None, None), ("L1", 1), ("L2", 1)}


def test_no_debit_leaves_while_a_line_of_the_installment_is_said_anew() -> None:
    """The rest of a part payment is not debited: the bank may hold the whole."""
    s = scene()
    s.until(LINES[0].due_on)
    s.pay(4000, ref="T-1")
    s.line(LineItem("T-1", None, None, 4000), id="A/1")
    s.line(LineItem("T-1", None, None, 10100), id="A/1")
    waits = s.books.view().next_action
    assert waits is not None
    assert waits.reason == "waits for the end of case line_contradiction/A/1"


@pytest.mark.parametrize("ref", ["X-1", None])
def test_a_line_that_names_nobody_is_a_case_of_nobody(ref: str | None) -> None:
    """A stranger's money, said anew: seen, and in nobody's way."""
    s = scene()
    s.line(LineItem(ref, None, None, 700), id="A/1")
    s.line(LineItem(ref, None, None, 800), id="A/1")
    assert about(s) == {(None, None)}


def test_a_loan_that_is_not_at_hand_is_named_as_a_whole() -> None:
    """Said anew without the references that led to it: what the line proved still names it."""
    s = scene()
    s.line(paid(s), id="A/1")
    known = s.books.lines["A/1"]
    anew = StatementLine("A/1", known.account, known.booked_on, known.booked_on, 9100, "CNY", None)
    command = BookLine(id="anew", actor=TESTER, statement_id="S-2", line=anew)
    change = decide(Aggregates(s.books.at, s.books.rules, lines={"A/1": known}), command)
    assert isinstance(change, Change)
    assert [(case.loan_id, case.number) for case in change.cases.values()] == [("L1", None)]


def test_one_bank_reference_for_two_bookings_is_a_case_and_books_nothing_twice() -> None:
    """The same figures name another order only: neither passed over nor booked, both stopped."""
    s = scene("L2")
    first, second = paid(s), paid(s, "L2")
    s.line(first, id="A/1")
    before = dict(s.books.balances())
    s.line(second, id="A/1")
    assert dict(s.books.balances()) == before
    assert about(s) >= {("L1", 1), ("L2", 1)}


def test_the_same_booking_with_more_or_fewer_references_is_no_case() -> None:
    """Another file leaves references out, or gives one more: one of them in common is enough."""
    s = scene()
    item = paid(s)
    s.line(item, id="A/1")
    s.line(replace(item, end_to_end_id=None), id="A/1")
    s.line(replace(item, tx_id="T1", other_refs=(("customer", "C1"),)), id="A/1")
    assert about(s) == set()
