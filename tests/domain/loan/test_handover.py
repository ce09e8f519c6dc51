"""A loan is stated so that another system takes it as it stands."""

from dataclasses import replace
from datetime import date

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.accrual import owed_on
from domain.loan.aggregate import HoldKind
from domain.loan.boarding import BoardLoan, Past
from domain.loan.change import Change
from domain.loan.handover import handed_over, names_of
from domain.loan.lifecycle import State
from domain.loan.opening import OpeningHold, OpeningItem
from domain.pricing.amounts import Amounts, Component
from tests.support import invariants
from tests.support.doors import Cancel, Hold, RetryNow, Unhold, Waive, WriteOff
from tests.support.memory import TESTER, MemoryBooks, board, schedule
from tests.support.openings import APRIL, WHOLE, opening, ordered, paid
from tests.support.scene import Scene

MARCH_10 = date(2026, 3, 10)


def stated(s: Scene) -> BoardLoan:
    """The loan as it stands today; it is taken on empty books, where all must be at rest."""
    loan = s.books.loans["L1"]
    names = {it.id: names_of(it) for it in s.books.payments.values()}
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
    """A sum without dates stays one, and all that one order took is one payment that names it."""
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
    (debit,) = again.payments[1:]
    assert (debit.order_no, debit.placed_minor, debit.unplaced_minor) == ("OLD-1", 10100, 10100)
    assert again.advance_minor == 0


def test_a_debit_that_paid_nothing_in_the_end_is_stated_as_not_placed() -> None:
    """A transfer of an earlier day took its place; its money is a surplus there as well."""
    s = Scene.boarded()
    first = s.present()
    s.apply_outcome(first, OutcomeClass.NSF)
    second = s.present()
    s.apply_outcome(second)
    s.pay(10100, value_on=date(2026, 3, 1))
    assert s.books.item(1).attempts[1].state is AttemptState.CONFIRMED
    said = stated(s).opening
    assert said is not None
    assert [attempt.order_no for attempt in said.attempts] == [first, second]
    assert said.advance_minor == 0
    assert [it.unplaced_minor for it in said.payments if it.order_no == second] == [10100]


def taken_over(s: Scene) -> Scene:
    """The other system's books with the loan of a scene as it was handed over."""
    books = MemoryBooks(at=s.books.at, rules=s.books.rules)
    assert isinstance(books.apply(stated(s)), Change)
    return Scene(books)


def test_a_surplus_of_a_debit_is_a_surplus_there_with_its_case() -> None:
    """It pays no other installment, and goes back first when the rail takes it back."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, bank_ref="A")
    s.apply_outcome(order, bank_ref="B", source="webhook")
    other = taken_over(s)
    assert "advance/L1" not in other.books.balances()
    (key,) = other.books.cases
    assert (key, other.books.cases[key].amount_minor) == (f"surplus/R-{order}/L1", 10100)
    assert other.books.balances()[f"suspense/R-{order}"] == -10100
    other.until(date(2026, 4, 12))
    assert other.books.item(2).owed == WHOLE
    other.returned(order, 10100)
    assert (other.books.item(1).owed, other.books.cases) == (Amounts(), {})
    invariants.check(other.books)


def test_a_debit_that_came_back_in_part_can_come_back_whole_there() -> None:
    """It keeps its order number, what of it came back, and why."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order)
    s.returned(order, 4000)
    owed = s.books.item(1).owed
    said = stated(s).opening
    assert said is not None
    (back,) = said.payments
    assert (back.order_no, back.placed_minor, back.returned_minor) == (order, 6100, 4000)
    assert [(it.state, it.code) for it in said.attempts] == [(AttemptState.RETURNED, "AM04")]
    other = taken_over(s)
    assert other.books.item(1).owed == owed
    other.returned(order, 6100)
    assert other.books.item(1).owed == WHOLE
    assert "unknown_order" not in {case.kind for case in other.books.cases.values()}
    invariants.check(other.books)


def test_a_recovered_write_off_keeps_its_mark() -> None:
    """What comes back of the money that recovered it is written off there as it is here."""
    s = Scene.boarded()
    s.until(date(2026, 3, 25))
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT)
    s.order(WriteOff)
    lost_on = s.today
    owed = s.books.item(1).written_off
    s.pay(owed.total, ref="T-9")
    s.credit("T-9", owed.total)
    assert s.books.item(1).written_off == Amounts()
    said = stated(s).opening
    assert said is not None
    assert said.items[0].written_off_on == lost_on
    other = taken_over(s)
    item = other.books.item(1)
    assert (item.is_written_off, item.written_off_on) == (True, lost_on)


def test_a_debit_that_recovered_a_write_off_is_written_off_again_when_it_comes_back() -> None:
    """The loss comes back as a loss, and is not owed as if nobody had given it up."""
    said = opening(
        payments=(paid((1, WHOLE), order_no="OLD-1", on=date(2026, 4, 17)), paid((2, WHOLE))),
        attempts=(ordered(state=AttemptState.CONFIRMED, outcome_class=None, code="00"),),
        items=(OpeningItem(number=1, written_off_on=date(2026, 4, 1)),),
    )
    s = Scene(MemoryBooks(at=APRIL))
    assert isinstance(s.books.apply(replace(board(), opening=said)), Change)
    assert s.books.item(1).state is State.SETTLED
    s.returned("OLD-1", 10100)
    item = s.books.item(1)
    assert (item.state, item.written_off, item.owed) == (State.WRITTEN_OFF, WHOLE, Amounts())
    invariants.check(s.books)


def test_an_order_that_was_refused_and_then_took_money_keeps_both() -> None:
    """Its money can come back by its number, and the refusal still counts for every limit."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, OutcomeClass.ACCOUNT, code="AC04")
    s.apply_outcome(order, source="webhook")
    said = stated(s).opening
    assert said is not None
    assert [(it.state, it.code) for it in said.attempts] == [(AttemptState.CONFIRMED, "AC04")]
    other = taken_over(s)
    (attempt,) = other.books.item(1).attempts
    assert attempt.refused_for == (OutcomeClass.ACCOUNT, "AC04")
    assert attempt.outcome_class is None
    other.returned(order, 10100)
    assert other.books.item(1).owed.principal == WHOLE.principal
    assert isinstance(other.order(RetryNow), Refusal)


def test_a_hold_is_handed_over_with_its_reason_and_its_day() -> None:
    """Nothing that is held here is debited there; a closed installment has no hold to hand over."""
    s = Scene.boarded()
    s.order(Hold, 2, what=HoldKind.DEBIT, reason="bankruptcy")
    s.order(Cancel, 3)
    said = stated(s).opening
    assert said is not None
    assert said.holds == (
        OpeningHold(number=2, kind=HoldKind.DEBIT, reason="bankruptcy", since=s.today),
    )
    other = taken_over(s)
    item = other.books.item(2)
    assert (item.hold, item.hold_reason, item.hold_since) == (
        HoldKind.DEBIT,
        "bankruptcy",
        s.today,
    )
    assert other.books.view(2).next_action == s.books.view(2).next_action
    assert isinstance(other.order(Unhold, 2), Change)
    assert other.books.item(2).hold_since is None


def test_money_that_pays_nothing_yet_is_paid_ahead_alone() -> None:
    """A transfer before anything fell due is no payment of an installment."""
    s = Scene.boarded()
    s.pay(5000, ref="T-7")
    said = stated(s).opening
    assert said is not None
    assert (said.payments, said.advance_minor, said.advance_ref) == ((), 5000, "T-7")
