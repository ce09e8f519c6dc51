"""A loan that is handed over keeps its holds, bars, plans and names, so that its future is one."""

from dataclasses import replace
from datetime import date
from typing import Any

from domain.calendar import ONE_DAY
from domain.debit.attempt import AttemptState
from domain.debit.mandate import Bar
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change
from domain.loan.handover import handed_over, names_of, orders_with_news
from domain.loan.lifecycle import State
from domain.loan.opening import OpeningAdvance
from domain.payment.payment import Payment
from domain.statement.statement import LineItem
from tests.domain.loan.decide.test_barred_mandates import CALM, clear, mandate, scene
from tests.support import invariants
from tests.support.doors import ChangeDate, Hold, ReplaceMandate, RetryNow, UndoMatch
from tests.support.memory import PRODUCT, TESTER, MemoryBooks
from tests.support.openings import AS_OF, WHOLE, brought, opening, ordered, paid
from tests.support.scene import Scene


def handed(s: Scene, *loans: str) -> Scene:
    """Other books that have taken over some loans, in this order."""
    books = MemoryBooks(at=s.books.at, rules=s.books.rules)
    names = {it.id: names_of(it) for it in s.books.payments.values()}
    for loan in loans or ("L1",):
        command = handed_over(s.books.loans[loan], names, s.today, "us", "handover 1", TESTER)
        assert isinstance(books.apply(command), Change)
    invariants.check(books)
    return Scene(books, count=1000)


def test_a_hold_of_a_closed_installment_stops_debits_when_its_money_goes_back() -> None:
    """Here and there the debt is open again, and nothing is debited."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.order(Hold, what=HoldKind.DEBIT, reason="insolvency")
    s.until(date(2026, 3, 20))
    other = handed(s)
    assert s.state == other.state == State.CLOSED
    for books in (s, other):
        books.returned(order, 10100)
        item = books.books.item()
        assert (item.state, item.hold) == (State.RETRYING, HoldKind.DEBIT)
        assert item.owed == replace(WHOLE, penalty=30)
        assert books.books.view().next_action is None
        invariants.check(books.books)


def test_penalty_of_the_days_before_is_due_on_what_goes_back_and_on_nothing_else() -> None:
    """From the value date of what the former system took; none where the return is undone."""
    taken = ordered(1, state=AttemptState.CONFIRMED, outcome_class=None, code="00")
    money = paid((1, WHOLE), order_no="OLD-1", on=date(2026, 3, 20))
    s = brought(opening(payments=(money, paid((2, WHOLE))), attempts=(taken,)), PRODUCT)
    s.line(LineItem("OLD-1", None, None, -4000, 0, "AM04"), id="X")
    item = s.books.item()
    assert item.charged.penalty == 60  # 30 days of 0.05 %
    assert item.owed.principal == 4000 - item.owed.interest
    s.order(UndoMatch, 1, line="X", reference="R-OLD-1")
    item = s.books.item()
    assert (item.owed.total, item.charged.penalty) == (0, 0)
    invariants.check(s.books)


def test_bars_are_taken_over_in_any_order_of_boarding_and_cleared_ones_stay_cleared() -> None:
    """Also one by an order of a loan that has gone under another mandate since."""
    s = scene(L1=mandate("M-1"), L2=mandate("M-1"))
    order = s.present(1, "L2")
    s.apply_outcome(order, OutcomeClass.ACCOUNT, code="AC04")
    more: dict[str, Any] = {"ref": "M-9", "account_token": "acct-9"}
    more["valid_from"] = date(2026, 1, 1)
    assert isinstance(s.give(ReplaceMandate, mandate="M-1", loan="L2", **more), Change)
    bar = Bar(OutcomeClass.ACCOUNT, "AC04", order)
    for loans in (("L1", "L2"), ("L2", "L1")):
        other = handed(s, *loans)
        assert other.books.mandate_roots["M-1"].terms.bars == (bar,)
        assert other.books.mandate_roots["M-9"].terms.bars == ()
        assert "barred/M-1" in other.books.cases
    assert isinstance(clear(s), Change)
    for loans in (("L1", "L2"), ("L2", "L1")):
        other = handed(s, *loans)
        assert other.books.mandate_roots["M-1"].terms.bars == ()
        other.apply_outcome(order, OutcomeClass.ACCOUNT, code="AC06", source="webhook")
        assert other.books.mandate_roots["M-1"].terms.bars == ()
        other.apply_outcome(order, OutcomeClass.DISPUTE, code="R10", source="webhook")
        assert other.books.mandate_roots["M-1"].terms.bars == (
            Bar(OutcomeClass.DISPUTE, "R10", order),
        )


def test_a_soft_reason_has_nothing_to_clear() -> None:
    """Whatever the statement says of it."""
    soft = ordered(2, is_cleared=True)
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(soft,)), CALM)
    assert s.books.item(2).attempts[0].hard == ()


def test_a_cleared_return_stays_cleared() -> None:
    """Its installment may be debited on an order there as well."""
    s = scene(L1=mandate("M-1"))
    order = s.present()
    s.apply_outcome(order)
    s.returned(order, 10100, OutcomeClass.MANDATE, code="MD01")
    assert isinstance(clear(s), Change)
    other = handed(s)
    assert other.books.loans["L1"].mandate.bars == ()
    assert isinstance(other.order(RetryNow, 1), Change)


def test_a_plan_that_has_ended_is_not_begun_anew() -> None:
    """Of an installment that is to come as well, where the statement says which debits count."""
    once = replace(CALM, retry=replace(CALM.retry, attempts_max=1))
    tried = ordered(3, value_on=AS_OF)
    said = opening(
        payments=(paid((1, WHOLE), (2, WHOLE)),), attempts=(replace(tried, counts=True),)
    )
    s = brought(said, once)
    assert s.books.item(3).state is State.DELINQUENT
    for counts in (None, False):
        s = brought(replace(said, attempts=(replace(tried, counts=counts),)), once)
        assert s.books.item(3).state is State.SCHEDULED
        assert s.present(3)
    twice = replace(CALM, retry=replace(CALM.retry, attempts_max=2))
    assert brought(said, twice).books.item(3).state is State.RETRYING


def test_a_plan_that_was_begun_anew_is_so_there() -> None:
    """Debits before another date was agreed count for the limits of schemes alone."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert isinstance(s.order(ChangeDate, 1, due_on=s.today + 30 * ONE_DAY), Change)
    other = handed(s)
    for books in (s, other):
        item = books.books.item()
        assert (item.retries_reset_at, len(item.attempts)) == (1, 1)


def test_each_transfer_that_is_paid_ahead_keeps_its_reference() -> None:
    """The line of each proves its own money, whichever comes first."""
    s = Scene.boarded()
    s.pay(3000, ref="T-1")
    s.pay(2000, ref="T-2")
    other = handed(s)
    said = handed_over(s.books.loans["L1"], {}, s.today, "us", "h", TESTER).opening
    assert said is not None
    assert [(it.number, it.minor) for it in said.advances] == [(1, 2000)]
    other.credit("T-2", 2000)
    other.credit("T-1", 3000)
    assert other.balances == {"advance/L1": -5000, "bank/ACCT-FUNDER-1-CNY": 5000}
    assert other.books.cases == {}
    assert said.advances == (
        OpeningAdvance(number=1, minor=2000, reference=s.books.loans["L1"].portions[1].id),
    )


def test_a_return_that_was_stated_and_is_reported_again_is_taken_back_once() -> None:
    """A case waits for a line, unless one has come; what goes beyond it is news."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, bank_ref="A")
    s.credit(order, 10100, tx="A")
    s.returned(order, 4000, bank_ref="A")
    there = handed(s)
    there.returned(order, 4000, bank_ref="A")
    assert there.books.item().owed.total == 4000
    assert f"returned_twice/{order}" in there.books.cases
    there.return_line(order, 1000)
    assert f"returned_twice/{order}" in there.books.cases
    there.return_line(order, 3000)
    assert there.books.item().owed.total == 4000
    assert f"returned_twice/{order}" not in there.books.cases
    there.returned(order, 3000, bank_ref="A")
    assert there.books.item().owed.total == 7000
    there = handed(s)
    there.return_line(order, 4000)
    there.returned(order, 4000, bank_ref="A")
    assert there.books.item().owed.total == 4000
    assert there.books.cases == {}
    there = handed(s)
    there.returned(order, 10100, bank_ref="A")
    assert there.books.item().owed.total == 10100
    invariants.check(there.books)


def test_a_second_execution_is_told_from_the_first_by_the_names_of_their_bookings() -> None:
    """The same report again is known; another booking is money that nobody expected."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, bank_ref="A")
    there = handed(s)
    there.apply_outcome(order, bank_ref="A", source="webhook")
    assert len(there.books.payments) == 1
    there.apply_outcome(order, bank_ref="B", source="webhook")
    assert f"double_execution/R-{order}#2" in there.books.cases
    s.apply_outcome(order, bank_ref="B", source="webhook")
    there = handed(s)
    for ref in "ABA":
        there.apply_outcome(order, minor=10100, bank_ref=ref, source="webhook")
    assert len(there.books.payments) == 1
    assert not any(key.startswith(("amount", "double")) for key in there.books.cases)
    there.returned(order, 10100, bank_ref="B")
    assert (there.books.item().owed.total, list(there.books.cases)) == (0, [])
    there.apply_outcome(order, minor=10100, bank_ref="C", source="webhook")
    assert f"double_execution/R-{order}#2" in there.books.cases
    invariants.check(there.books)


def test_names_that_no_file_can_hold_are_not_stated() -> None:
    """Part of the names would make the others look like further executions."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, bank_ref="A B")
    payment = s.payment(f"R-{order}")
    assert names_of(payment).bookings == ()
    assert names_of(replace(payment, bank_ref="A-1")).bookings == ("A-1",)
    assert isinstance(payment, Payment)
    assert names_of(replace(payment, bank_ref=None)).bookings == ()


def test_orders_of_earlier_days_with_later_news_are_named() -> None:
    """One that came back, one that ended later; not one of which nothing more became known."""
    s = Scene.boarded()
    first = s.present()
    s.apply_outcome(first)
    s.credit(first, 10100)
    s.until(date(2026, 4, 10))
    second = s.present(2)
    day = s.today
    loan = s.books.loans["L1"]
    assert orders_with_news(loan, day) == frozenset()
    s.until(date(2026, 4, 12))
    s.apply_outcome(second, OutcomeClass.NSF)
    assert orders_with_news(s.books.loans["L1"], day) == {second}
    s.returned(first, 4000)
    assert orders_with_news(s.books.loans["L1"], s.today) == {first}
