"""The driver is notified when its next action comes earlier, at the end, and when it reopens."""

from dataclasses import replace
from datetime import date, timedelta

from domain.debit.outcome import OutcomeClass
from domain.kernel.driver import DriverRecord
from domain.kernel.message import Message
from domain.kernel.view import View
from domain.loan.aggregate import HoldKind
from domain.loan.view import InstallmentView
from tests.support.doors import ChangeDate, Hold, IntendDebit, RetryNow, Unhold
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import DRIVER, Scene

QUIET = replace(PRODUCT, reminders=replace(PRODUCT.reminders, rules=()))


def said(s: Scene, since: int) -> list[str]:
    """Topics of messages to drivers from one on."""
    return [m.topic for m in s.books.messages[since:] if m.topic in {"open", "wake"}]


def body(message: Message) -> InstallmentView:
    """The view that a message carries."""
    view = message.payload.view
    assert isinstance(view, View)
    return view


def test_only_near_installments_are_opened_when_a_loan_is_boarded() -> None:
    """The first reminder is five days away: opened; the others wait for the day's sweep."""
    s = Scene.boarded()
    assert [(m.topic, m.stream) for m in s.books.messages] == [("open", "installment/t1/L1/1")]
    assert body(s.books.messages[0]).next_action is not None
    s.until(date(2026, 4, 1))
    assert [m.stream for m in s.books.messages if m.topic == "open"] == [
        "installment/t1/L1/1",
        "installment/t1/L1/2",
    ]


def test_what_the_driver_did_itself_is_not_signalled_to_it() -> None:
    """Actions and answers of the driver come back as the answer's view."""
    s = Scene.boarded(product=QUIET)
    since = len(s.books.messages)
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    s.apply_outcome(s.present(), minor=10100)
    assert said(s, since) == []


def test_news_that_asks_nothing_of_the_driver_does_not_wake_it() -> None:
    """Success by webhook moves its next action to the settlement deadline: it sleeps on."""
    s = Scene.boarded(product=QUIET)
    order = s.present()
    since = len(s.books.messages)
    s.apply_outcome(order, minor=10100, source="webhook")
    s.credit(order, 10100)
    assert said(s, since) == []


def test_news_that_brings_the_next_action_forward_wakes_the_driver() -> None:
    """A return while the driver waits for a deadline days away: a retry comes earlier."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    since = len(s.books.messages)
    s.returned(order, 10100)
    assert said(s, since) == ["wake"]
    reported = body(s.books.messages[-1])
    assert reported.next_action == s.books.view().next_action
    s.order(RetryNow)
    assert said(s, since) == ["wake", "wake"]


def test_a_hold_lets_the_driver_sleep_and_its_end_wakes_it() -> None:
    """While held there is no action; for a driver never notified any action is earlier."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    since = len(s.books.messages)
    s.order(Hold, what=HoldKind.DEBIT)
    assert said(s, since) == []
    s.order(Unhold)
    assert said(s, since) == ["wake"], "it may have learnt of the hold by its own look"
    s.order(Hold)
    s.books.at += timedelta(days=2)
    s.give(
        IntendDebit, actor=DRIVER, loan_id="L1", number=1, action="present/2", generation=1, seen=1
    )
    assert s.books.item().driver.until is None
    s.order(Unhold)
    assert said(s, since) == ["wake", "wake"]


def test_an_action_that_moved_away_and_comes_half_way_back_wakes_the_driver() -> None:
    """A driver that looked in between waits for the far instant, and the books do not know it."""
    s = Scene.boarded(product=QUIET)
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    looked = s.books.view().next_action
    since = len(s.books.messages)
    s.order(ChangeDate, due_on=date(2026, 3, 15))
    nearer = s.books.view().next_action
    assert looked is not None
    assert nearer is not None
    assert nearer.not_before < looked.not_before
    assert said(s, since) == ["wake"]


def test_the_end_is_reported_once() -> None:
    """Closed by the sweep: the driver ends; later days say nothing more."""
    s = Scene.boarded(product=replace(PRODUCT, penalty=None), lines=schedule(((10000, 0),)))
    order = s.present()
    s.apply_outcome(order, minor=10000)
    s.credit(order, 10000)
    since = len(s.books.messages)
    s.until(s.today + timedelta(days=10))
    assert said(s, since) == ["wake"]
    assert body(s.books.messages[-1]).is_final


def test_reopening_starts_a_new_driver_under_a_higher_generation() -> None:
    """Also where none had ever been started."""
    s = Scene.boarded(lines=schedule(((10000, 0),)))
    order = s.present()
    s.apply_outcome(order, minor=10000)
    s.credit(order, 10000)
    s.until(s.today + timedelta(days=10))
    assert s.state == "CLOSED"
    item = replace(s.books.item(), driver=DriverRecord())
    s.books.loans["L1"] = replace(s.books.loans["L1"], installments=(item,))
    since = len(s.books.messages)
    s.returned(order, 10000)
    assert said(s, since) == ["open"]
    assert body(s.books.messages[-1]).generation == 2
    assert s.books.item().driver.opened


def test_the_later_of_two_views_wins_whatever_their_order() -> None:
    """Folding is commutative: generation first, then version."""
    s = Scene.boarded()
    old = s.books.view()
    s.present()
    new = s.books.view()
    assert old.newer(new) is new
    assert new.newer(old) is new
    again = replace(old, generation=2)
    assert new.newer(again) is again
    assert new.newer(replace(new)) is new, "the same news is no news"


def test_a_case_that_opens_or_closes_by_itself_wakes_the_driver_once() -> None:
    """Searches show whether a person is waited for: the debit without a reminder, then paid."""
    s = Scene.boarded()
    order = s.present()
    assert s.books.view().detail.cases == ("no_reminder_delivered",)
    assert s.books.view().needs_operator == "no_reminder_delivered"
    since = len(s.books.messages)
    s.apply_outcome(order, OutcomeClass.PENDING, source="webhook")
    assert said(s, since) == []
    s.apply_outcome(order, minor=10100, source="webhook")
    assert said(s, since) == ["wake"]
    assert body(s.books.messages[-1]).needs_operator == ""
    assert s.books.view().detail.cases == ()
