"""The table of cases is total, and it alone decides what an open case keeps shut."""

from dataclasses import replace

import pytest

from domain.case.case import Case
from domain.case.kinds import CASE_RULES, Blocks, CaseKind
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Done
from domain.loan import closure
from domain.loan.decide.closing import close_out
from domain.loan.decide.work import Work
from tests.support.scene import Scene

NOBODY = {kind for kind, rule in CASE_RULES.items() if rule.blocks in {Blocks.LOAN, Blocks.NOTHING}}


def paid() -> Scene:
    """The first of three installments, confirmed and proven; its return window is still open."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.credit(order, 10100)
    return s


def lacks(s: Scene) -> set[tuple[str, str]]:
    """Gates that a case keeps shut, and who owns it."""
    loan, item = s.books.loans["L1"], s.books.item()
    found = closure.missing(loan, item, s.books.cases, s.books.rules, s.books.at)
    return {(lack.gate.value, lack.who) for lack in found if lack.code == "case"}


def test_every_kind_has_exactly_one_row_with_an_owner() -> None:
    """A kind without a row could not be opened; a row without a kind would be dead."""
    assert set(CASE_RULES) == set(CaseKind)
    assert all(rule.owner for rule in CASE_RULES.values())


@pytest.mark.parametrize("kind", sorted(CaseKind))
@pytest.mark.parametrize("number", [1, None])
def test_a_case_blocks_what_its_row_says(kind: CaseKind, number: int | None) -> None:
    """About the installment or its whole loan: release and closing, closing, or neither."""
    s = paid()
    s.books.cases["k"] = Case("k", kind, "a case", "L1", number)
    owner = CASE_RULES[kind].owner
    expected = {
        Blocks.BOTH: {("release", owner)},
        Blocks.CLOSING: {("close", owner)},
        Blocks.LOAN: set(),
        Blocks.NOTHING: set(),
    }
    assert lacks(s) == expected[CASE_RULES[kind].blocks]


@pytest.mark.parametrize("kind", sorted(set(CaseKind) - NOBODY))
def test_nothing_closes_over_an_open_case_that_blocks_closing(kind: CaseKind) -> None:
    """The window passes and the installment waits; the case ends and it closes at once."""
    s = paid()
    case = Case("k", kind, "a case", "L1", 1)
    s.books.cases["k"] = case
    s.until(s.books.item().due_on.replace(day=20))
    assert s.state == ("SETTLED" if CASE_RULES[kind].blocks_release else "RELEASED")
    work = Work(s.books._aggregates(), close_out=close_out)
    work.close_case("k")
    change = work.finish(Done())
    assert change.loans["L1"].installment(1).state.value == "CLOSED"
    assert [(c.state, c.key) for c in change.cases.values()] == [("RESOLVED", "k")]


def test_a_case_of_a_loan_concerns_the_installments_whose_gates_it_shuts() -> None:
    """Of three the first fell due; a case of another loan, or one that blocks none, is not."""
    s = paid()
    case = Case("k", CaseKind.COMPLAINT, "a case", "L1")
    for one, touched in (
        (case, (1,)),
        (replace(case, number=3), (3,)),
        (replace(case, loan_id="L9", number=1), ()),
        (replace(case, loan_id=None), ()),
        (replace(case, kind=CaseKind.SURPLUS), ()),
    ):
        work = Work(s.books._aggregates(), close_out=close_out)
        work.open_case(one)
        assert work.touched("L1") == touched


def test_an_order_that_took_more_than_it_asked_for_stays_open_until_somebody_looks() -> None:
    """Paid and proven: the case keeps it from being released, however much time passes."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10200)
    s.credit(order, 10200)
    s.until(s.books.item().due_on.replace(day=28))
    assert s.state == "SETTLED"
    assert lacks(s) == {("release", "operations")}


def test_a_contradiction_ends_with_the_line_that_proves_the_money() -> None:
    """Confirmed, then said to have failed: released only when the bank's line has decided."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.apply_outcome(order, OutcomeClass.NSF, source="webhook")
    s.until(s.books.item().due_on.replace(day=28))
    assert (s.state, lacks(s)) == ("CLEARING", {("release", "operations")})
    s.credit(order, 10100)
    assert s.state == "CLOSED"
