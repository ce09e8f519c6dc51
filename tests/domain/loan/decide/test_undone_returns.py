"""A line taken for a payment's return by mistake: undone, the payment never went back."""

from dataclasses import replace

from domain.debit.outcome import OutcomeClass
from domain.loan.change import Change
from tests.support import invariants
from tests.support.doors import UndoMatch
from tests.support.memory import PRODUCT, board
from tests.support.scene import Scene

CALM = replace(PRODUCT, penalty=None)


def paid() -> tuple[Scene, str]:
    """A loan whose first installment of 101.00 was debited and proven; with the order's number."""
    s = Scene()
    s.books.apply(board(product=CALM))
    order = s.present()
    s.apply_outcome(order, minor=10100, bank_ref="B-1")
    s.credit(order, 10100, tx="B-1")
    return s, order


def undo(s: Scene, reference: str) -> None:
    """A person says that the newest line is not about this payment."""
    line = next(reversed(s.books.lines))
    assert isinstance(s.order(UndoMatch, line=line, reference=reference), Change)
    invariants.check(s.books)


def test_a_return_that_only_the_undone_line_reported_never_happened() -> None:
    """What was taken for a return pays again, the order is confirmed, and nothing is debited."""
    s, order = paid()
    before = s.balances
    s.return_line(None, 10100)
    assert s.state == "RETRYING"
    undo(s, order)
    waits = {next(name for name in s.balances if name.startswith("suspense/line/")): 10100}
    cash = {name: minor for name, minor in before.items() if name.startswith("bank/")}
    assert s.balances == {name: m for name, m in before.items() if name not in cash} | waits
    assert (s.state, s.books.view().next_action) == ("SETTLED", None)
    assert s.books.item().attempts[0].state.value == "CONFIRMED"


def test_a_return_that_the_rail_has_reported_stays() -> None:
    """The undone line was not its proof: it is returned and its line is still to come."""
    s, order = paid()
    s.returned(order, 10100, bank_ref="B-1")
    s.return_line(order, 10100, tx="B-1")
    undo(s, order)
    assert (s.state, s.books.item().owed.total) == ("RETRYING", 10100)
    assert s.portion(f"R-{order}").returned_minor == 10100


def test_what_other_lines_prove_of_a_return_stays() -> None:
    """Two lines took back a part each; one of them was about another payment."""
    s, order = paid()
    s.return_line(order, 4000)
    s.return_line(order, 6100)
    undo(s, order)
    assert s.books.item().owed.total == 4000
    assert s.books.item().attempts[0].state.value == "RETURNED"


def test_a_transfer_that_did_not_come_back_pays_again() -> None:
    """Payments besides debits are taken back and given again by the same lines."""
    s = Scene.boarded(product=CALM)
    s.until(s.books.item().due_on)
    s.pay(10100, ref="T-1")
    s.credit("T-1", 10100)
    s.return_line("T-1", 10100)
    assert s.state == "DUE"
    undo(s, "T-1")
    assert (s.state, s.books.item().owed.total) == ("SETTLED", 0)


def test_a_late_success_that_did_not_come_back_stays_a_late_success() -> None:
    """The order was declined first, and so it stays; its money is here again."""
    s = Scene.boarded(product=CALM)
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF, code="51")
    s.credit(order, 10100)
    s.return_line(order, 10100)
    undo(s, order)
    assert s.books.item().owed.total == 0
    assert s.books.item().attempts[0].state.value == "DECLINED"


def test_an_order_that_only_the_undone_return_reported_is_in_question() -> None:
    """Nobody knows whether it was executed: it stays as it is, and no other order leaves."""
    s = Scene.boarded(product=CALM)
    order = s.present()
    s.return_line(order, 10100)
    undo(s, order)
    assert s.portion(f"R-{order}").returned_minor == 10100
    assert f"contradiction/{order}" in s.books.cases
    action = s.books.view().next_action
    assert action is not None
    assert "contradiction" in action.reason
