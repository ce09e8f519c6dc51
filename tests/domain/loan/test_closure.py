"""Each gate names what lacks and who must supply it; empty means proven."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.lifecycle import CaseState
from domain.debit.outcome import OutcomeClass
from domain.errors import InvariantBroken
from domain.loan import closure
from domain.loan.aggregate import Rulebook
from tests.support.doors import WriteOff
from tests.support.memory import PLAIN
from tests.support.scene import Scene


def lacks(s: Scene) -> set[tuple[str, str]]:
    """Codes and owners of what lacks for the first installment."""
    loan, item = s.books.loans["L1"], s.books.item()
    found = closure.missing(loan, item, s.books.cases, s.books.rules, s.books.at)
    return {(lack.code, lack.who) for lack in found}


def test_what_has_not_fallen_due_cannot_be_released() -> None:
    """Nothing is owed yet, and the window has not begun."""
    assert lacks(Scene.boarded()) == {("not_due", "calendar"), ("return_window", "calendar")}


def test_a_live_order_and_what_is_owed_are_named_with_their_owners() -> None:
    """The rail owes an outcome, the borrower the money, the books the placing of what waits."""
    s = Scene.boarded()
    s.present()
    s.pay(100)
    assert lacks(s) == {
        ("owed", "borrower"),
        ("live_attempt", "rail"),
        ("waiting", "books"),
        ("return_window", "calendar"),
    }


def test_a_portion_lacks_its_line_and_then_the_window() -> None:
    """The bank proves it, the calendar closes it, the funder holds it."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    assert lacks(s) == {
        ("unproven", "bank"),
        ("return_window", "calendar"),
        ("held", "funder-1"),
    }
    s.credit(order, 10100)
    assert lacks(s) == {("return_window", "calendar")}
    s.books.at += timedelta(days=3)
    assert lacks(s) == set()


def test_what_is_written_off_is_not_released() -> None:
    """What is no longer an asset in the books is not paid."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT)
    s.order(WriteOff)
    assert ("owed", "borrower") in lacks(s)


def test_an_open_case_about_the_installment_stands_in_the_way_and_others_do_not() -> None:
    """A complaint about it blocks; a case about another, or that is only information, does not."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.credit(order, 10100)
    s.books.at += timedelta(days=3)
    case = Case("k", CaseKind.COMPLAINT, "wrong", "L1", 1)
    for other in (
        replace(case, number=2),
        replace(case, loan_id="L2"),
        replace(case, state=CaseState.RESOLVED),
        replace(case, kind=CaseKind.NO_REMINDER_DELIVERED),
    ):
        s.books.cases["k"] = other
        assert lacks(s) == set()
    s.books.cases["k"] = case
    assert lacks(s) == {("case", "complaints")}


def test_the_window_counts_banking_days_from_the_newest_portion() -> None:
    """Two banking days after the day on which the money was taken; else from the due date."""
    s = Scene.boarded()
    loan, item = s.books.loans["L1"], s.books.item()
    assert closure.window_ends(loan, item, s.books.rules) == date(2026, 3, 12)
    order = s.present()
    s.until(date(2026, 3, 13))
    s.apply_outcome(order, minor=10100, executed_on=date(2026, 3, 13))
    loan, item = s.books.loans["L1"], s.books.item()
    assert closure.window_ends(loan, item, s.books.rules) == date(2026, 3, 17)


def test_a_surplus_that_never_paid_it_is_no_condition_of_the_installment() -> None:
    """Taken for it, not applied: somebody's case; once returned, both its legs are proven."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B1")
    s.apply_outcome(order, minor=10100, source="webhook", bank_ref="B2")
    loan, item = s.books.loans["L1"], s.books.item()
    assert [r.id for r in closure.portions_on(loan, item)] == [f"R-{order}", f"R-{order}#2"]
    assert [r.id for r in closure.unproven(loan, item)] == [f"R-{order}"]
    s.returned(order, 10100, bank_ref="B2")
    loan, item = s.books.loans["L1"], s.books.item()
    assert len(closure.unproven(loan, item)) == 2


def test_what_the_rule_book_does_not_hold_is_a_fault_of_ours() -> None:
    """A calendar or rail that a product names and nobody loaded; an installment that is not."""
    book = Rulebook({"PLAIN": PLAIN})
    assert book.calendar("PLAIN") is PLAIN
    with pytest.raises(InvariantBroken, match="no calendar"):
        book.calendar("MARS")
    with pytest.raises(InvariantBroken, match="no rail"):
        book.rail("pigeon")
    with pytest.raises(InvariantBroken, match="no installment 9"):
        Scene.boarded().books.loans["L1"].installment(9)


def test_two_live_attempts_are_a_broken_invariant() -> None:
    """Asked for the live one, the aggregate refuses to choose."""
    s = Scene.boarded()
    s.present()
    item = s.books.item()
    twice = replace(item, attempts=item.attempts * 2)
    with pytest.raises(InvariantBroken, match="2 live attempts"):
        _ = twice.live_attempt
