"""Two returns of one order in the same words: lines distinguish them, reports do not.

Each debit of 101.00 is confirmed and booked; 30.00 go back twice, or once and reported twice.
"""

from dataclasses import replace

import pytest

from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Done
from domain.loan.change import Change
from domain.loan.decide import reported_again
from domain.loan.view import installment
from tests.support import invariants
from tests.support.doors import RecordDeliveryReport, RecordReturn
from tests.support.memory import PRODUCT, TESTER, MemoryBooks, schedule
from tests.support.scene import Scene

PLAIN = replace(PRODUCT, penalty=None)
LINES = schedule(((10100, 0), (10100, 0)))
REPORT, LINE = "report", "line"


def debited() -> tuple[Scene, str]:
    """A debit that is confirmed and proven."""
    s = Scene.boarded(lines=LINES, product=PLAIN)
    order = s.present()
    s.apply_outcome(order, bank_ref="B1")
    s.credit(order, 10100, tx="B1")
    return s, order


def tell(s: Scene, order: str, *ways: str) -> None:
    """30.00 went back, reported in these ways, each time in the same words."""
    for way in ways:
        if way == REPORT:
            s.returned(order, 3000, bank_ref="B1")
        else:
            s.return_line(order, 3000, tx="B1")


@pytest.mark.parametrize(
    "ways",
    [
        (LINE, LINE, REPORT, REPORT),
        (LINE, REPORT, LINE, REPORT),
        (LINE, REPORT, REPORT, LINE),
        (REPORT, LINE, LINE, REPORT),
        (REPORT, LINE, REPORT, LINE),
        (REPORT, REPORT, LINE, LINE),
        (LINE, LINE),
        (LINE, LINE, REPORT),
    ],
)
def test_two_lines_are_two_returns_in_whatever_order_they_are_reported(
    ways: tuple[str, ...],
) -> None:
    """60.00 are owed again and proven, and nothing is in doubt any more."""
    s, order = debited()
    tell(s, order, *ways)
    assert s.books.item().owed.total == 6000
    assert s.portion(f"R-{order}").is_proven
    assert f"returned_twice/{order}" not in s.books.cases
    invariants.check(s.books)


def test_a_third_part_is_not_taken_for_a_line_that_was_reported_already() -> None:
    """Two lines and their two equal reports; then 30.00 more, for another reason, by report."""
    s, order = debited()
    tell(s, order, LINE, LINE, REPORT, REPORT)
    s.returned(order, 3000, bank_ref="B1", code="MD06")
    assert s.books.item().owed.total == 9000


def test_two_equal_reports_without_a_line_take_back_one_and_wait_for_the_bank() -> None:
    """Nobody knows whether 30.00 or 60.00 went back: a case, no debit, and the line decides."""
    s, order = debited()
    before = s.mark
    tell(s, order, REPORT, REPORT, REPORT)
    assert [event for event, _ in s.posted(before)].count("returned") == 1
    case = s.books.cases[f"returned_twice/{order}"]
    assert (case.kind, case.loan_id, case.number) == ("contradiction", "L1", 1)
    waits = s.books.view().next_action
    assert waits is not None
    assert waits.reason == f"waits for the end of case returned_twice/{order}"
    tell(s, order, LINE)
    assert f"returned_twice/{order}" not in s.books.cases
    assert s.books.item().owed.total == 3000


def test_a_return_of_the_whole_reported_twice_is_one() -> None:
    """Nothing is left that could have gone back once more."""
    s, order = debited()
    for _ in range(2):
        s.returned(order, 10100, bank_ref="B1")
    assert f"returned_twice/{order}" not in s.books.cases
    assert s.books.item().owed.total == 10100


def test_the_same_report_delivered_again_is_one() -> None:
    """The same event under its own id says nothing new."""
    s, order = debited()
    report = returned(order, s, "e-1")
    for _ in range(2):
        s.books.apply(report)
    assert f"returned_twice/{order}" not in s.books.cases
    assert s.books.item().owed.total == 3000


def test_what_is_reported_again_of_an_order_that_nobody_sent_is_no_money() -> None:
    """A stranger's order stays a case of its own."""
    books = MemoryBooks()
    s = Scene(books)
    for event in ("e-1", "e-2"):
        books.apply(returned("X-1", s, event))
    assert [case.kind for case in books.cases.values()] == ["unknown_order"]


def test_other_evidence_that_is_reported_again_changes_nothing() -> None:
    """One message has one fate, one line one booking: whatever id they come under."""
    s, _ = debited()
    portion = RecordDeliveryReport(id="n-2", actor=TESTER, message_id="N-1", delivered=True)
    change = reported_again(s.books._aggregates(), portion, installment("L1", 1))
    assert change == Change(Done(note="already known"), subject=installment("L1", 1))


def returned(order: str, s: Scene, event: str) -> RecordReturn:
    """A report of 30.00 under an event id."""
    return RecordReturn(
        id=event,
        actor=TESTER,
        reason="a test",
        rail="simbank",
        order_no=order,
        bank_ref="B1",
        amount_minor=3000,
        outcome_class=OutcomeClass.NSF,
        code="AM04",
        returned_on=s.today,
    )
