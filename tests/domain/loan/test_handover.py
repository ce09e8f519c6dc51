"""A loan is stated so that another system takes it as it stands."""

from dataclasses import replace
from datetime import date

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.accrual import owed_on
from domain.loan.boarding import BoardLoan, Past
from domain.loan.change import Change
from domain.loan.handover import handed_over
from domain.loan.lifecycle import State
from domain.loan.opening import OpeningItem
from domain.pricing.amounts import Amounts, Component
from tests.support import invariants
from tests.support.doors import Cancel, Waive, WriteOff
from tests.support.memory import TESTER, MemoryBooks, board, schedule
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid
from tests.support.scene import Scene

MARCH_10 = date(2026, 3, 10)


def stated(s: Scene) -> BoardLoan:
    """The loan as it stands today; it is taken on empty books, where all must be at rest."""
    loan = s.books.loans["L1"]
    names = {it.id: it.reference for it in s.books.payments.values()}
    command = handed_over(loan, names, s.today, "us", "handover 1", TESTER)
    books = MemoryBooks(at=s.books.at, rules=s.books.rules)
    answer = books.apply(command)
    assert isinstance(answer, Change), answer
    invariants.check(books)
    for item, other in zip(loan.installments, books.loans["L1"].installments, strict=True):
        owed = owed_on(loan, item, s.today) if item.owed.total else item.owed
        assert (other.owed, other.written_off) == (owed, item.written_off)
    return command


def test_a_debit_is_stated_with_its_order_so_that_it_can_come_back() -> None:
    """Its payment names it; what is to come stays to come."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order)
    command = stated(s)
    assert command.past is Past.REFUSE
    said = command.opening
    assert said is not None
    assert [it.state for it in said.attempts] == [AttemptState.CONFIRMED]
    assert said.payments == (paid((1, WHOLE), on=MARCH_10, order_no=order),)
    assert said.items == ()
    assert command.identity() == replace(board(), past=Past.REFUSE, opening=said).identity()


def test_an_order_without_an_outcome_is_stated_as_unknown() -> None:
    """Whether it left or not, the other system inquires before it orders anything."""
    s = Scene.boarded()
    order = s.present()
    said = stated(s).opening
    assert said is not None
    assert [(it.order_no, it.state) for it in said.attempts] == [(order, AttemptState.UNKNOWN)]


def test_what_failed_goes_on_and_what_is_unplaced_is_an_advance() -> None:
    """Nothing is debited at once over there; money that nothing owed can take is named."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.pay(15000, ref="T-1")
    said = stated(s).opening
    assert said is not None
    assert said.advance_minor == 15000 - sum(
        part.amounts.total for it in said.payments for part in it.parts
    )
    assert said.advance_ref == "T-1"
    assert [it.reference for it in said.payments] == ["T-1"]


def test_waivers_write_offs_and_cancellations_are_stated() -> None:
    """Each with its installment, and the penalty that was charged by then."""
    s = Scene.boarded(lines=schedule(((10000, 100),) * 4))
    s.until(date(2026, 3, 20))
    s.order(Waive, component=Component.INTEREST, amount_minor=100)
    s.order(Cancel, 2)
    owed = owed_on(s.books.loans["L1"], s.books.item(1), s.today)
    said = stated(s).opening
    assert said is not None
    assert said.items == (
        OpeningItem(number=1, charged=Amounts(penalty=owed.penalty), waived=Amounts(0, 100)),
        OpeningItem(number=2, is_cancelled=True),
    )
    s.until(date(2026, 3, 25))
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT)
    assert s.books.item(1).state is State.DELINQUENT
    s.order(WriteOff)
    said = stated(s).opening
    assert said is not None
    assert said.items[0].written_off_on == s.today


def test_what_was_brought_over_is_stated_again() -> None:
    """A sum without dates stays one, and an order that brought two payments names one."""
    tries = (ordered(2, "OLD-1", state=AttemptState.UNKNOWN, outcome_class=None, code=""),)
    said = opening(payments=(paid((1, WHOLE)),), attempts=tries)
    books = MemoryBooks(at=APRIL)
    assert isinstance(books.apply(replace(board(), opening=said)), Change)
    s = Scene(books)
    s.apply_outcome("OLD-1", bank_ref="A")
    s.credit("OLD-1", 10100, tx="A")
    s.apply_outcome("OLD-1", bank_ref="B", source="webhook")
    s.credit("OLD-1", 10100, tx="B")
    again = stated(s).opening
    assert again is not None
    assert again.payments[0] == paid((1, WHOLE))
    assert [it.order_no for it in again.payments[1:]].count("OLD-1") == 1
    assert again.advance_minor > 0


def test_a_debit_that_paid_nothing_in_the_end_is_stated_as_money_alone() -> None:
    """A transfer of an earlier day took its place; no attempt is stated without its payment."""
    s = Scene.boarded()
    first = s.present()
    s.apply_outcome(first, OutcomeClass.NSF)
    s.apply_outcome(s.present())
    s.pay(10100, value_on=date(2026, 3, 1))
    assert s.books.item(1).attempts[1].state is AttemptState.CONFIRMED
    said = stated(s).opening
    assert said is not None
    assert [attempt.order_no for attempt in said.attempts] == [first]
    assert said.advance_minor == 10100
