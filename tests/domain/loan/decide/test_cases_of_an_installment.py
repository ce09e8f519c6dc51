"""Cases about an installment: they show that a person is waited for, and end by themselves."""

from dataclasses import replace
from datetime import date

import pytest

from domain.calendar import ONE_DAY
from domain.case.case import Resolution
from domain.debit.outcome import Outcome, OutcomeClass
from domain.loan.change import Change
from domain.loan.decide import decide, reread
from domain.loan.lifecycle import State
from domain.loan.view import installment
from domain.statement.statement import LineItem
from tests.support.doors import (
    Cancel,
    RecordDeliveryReport,
    RecordOutcome,
    RecordPayment,
    RetryNow,
    WriteOff,
)
from tests.support.memory import PRODUCT, TESTER
from tests.support.scene import Scene

QUIET = replace(PRODUCT, reminders=replace(PRODUCT.reminders, rules=()))


def kinds(s: Scene) -> tuple[str, ...]:
    return s.books.view().detail.cases


def message_id(s: Scene) -> str:
    return s.books.item().notices[0].message_id


def test_every_open_case_about_an_installment_is_in_its_view() -> None:
    """Whoever searches for installments that wait for a person finds the one with a case."""
    s = Scene.boarded(product=QUIET)
    order = s.present()
    assert (kinds(s), s.books.view().needs_operator) == ((), "")
    s.apply_outcome(order, OutcomeClass.UNKNOWN_CODE, code="ZZ")
    view = s.books.view()
    assert view.detail.cases
    assert view.needs_operator
    about = [case for case in s.books.cases.values() if case.number == 1]
    assert view.detail.cases == tuple(sorted({case.kind for case in about}))


def test_a_refused_mandate_is_a_case_until_the_money_comes_another_way() -> None:
    """The machine may not debit again: a person gets a new mandate, or the payer transfers."""
    s = Scene.boarded(product=QUIET)
    s.apply_outcome(s.present(), OutcomeClass.MANDATE, code="MD01")
    assert s.books.item().state is State.DELINQUENT
    assert "mandate" in kinds(s)
    owed = s.books.item().owed.total
    s.order(RecordPayment, reference="T-1", amount_minor=owed, currency="CNY", value_on=s.today)
    assert s.books.item().state is State.CLEARING
    assert "mandate" not in kinds(s)


def closed_and_returned() -> Scene:
    """An installment whose debit came back after it had closed."""
    s = Scene.boarded(product=QUIET)
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.credit(order, 10100)
    s.until(s.today + 9 * ONE_DAY)
    assert (s.state, kinds(s)) == ("CLOSED", ())
    s.returned(order, 10100)
    return s


def test_a_return_after_the_closing_is_a_case_until_it_closes_again() -> None:
    """The payer was told that all was done: a person sees it, and no debit is held up by it."""
    s = closed_and_returned()
    case = s.books.cases["after_closing/L1/1"]
    assert (case.kind, case.loan_id, case.number) == ("returned_after_closing", "L1", 1)
    assert (s.state, "returned_after_closing" in kinds(s)) == ("RETRYING", True)
    s.return_line(next(iter(s.books.item().attempts)).order_no, 10100)
    again = s.present()
    owed = s.books.item().attempts[-1].amount_minor
    s.apply_outcome(again, minor=owed)
    s.credit(again, owed)
    assert "after_closing/L1/1" in s.books.cases
    s.until(s.today + 9 * ONE_DAY)
    assert s.state == "CLOSED"
    assert s.books.resolved["after_closing/L1/1"].resolution is Resolution.CLEARED
    s.returned(again, owed)
    assert s.books.cases["after_closing/L1/1"].generation == 2


def test_a_return_after_the_closing_is_no_case_any_more_when_it_is_written_off() -> None:
    """Nobody expects the payer to pay it again."""
    s = closed_and_returned()
    s.until(s.today + 2 * ONE_DAY)
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT, code="AC04")
    assert "after_closing/L1/1" in s.books.cases
    s.order(WriteOff, reason="moved abroad")
    assert s.state == "WRITTEN_OFF"
    assert "after_closing/L1/1" not in s.books.cases


def test_a_return_before_the_closing_is_no_such_case() -> None:
    """It is what a debit may do within its return window."""
    s = Scene.boarded(product=QUIET)
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.credit(order, 10100)
    s.returned(order, 10100)
    assert "returned_after_closing" not in kinds(s)


def test_an_ended_mandate_is_a_case_until_somebody_acts() -> None:
    """A mandate that does not cover the debit any more opens a case, and a new try closes it."""
    s = Scene.boarded(product=QUIET)
    loan = s.books.loans["L1"]
    ended = replace(loan.mandate, valid_to=date(2026, 3, 9))
    s.books.loans["L1"] = replace(loan, mandate=ended)
    s.action()
    assert s.books.item().state is State.DELINQUENT
    assert kinds(s) == ("mandate",)
    s.books.loans["L1"] = replace(s.books.loans["L1"], mandate=loan.mandate)
    assert isinstance(s.order(RetryNow), Change)
    assert kinds(s) == ()


def test_other_refusals_open_no_case_about_the_mandate() -> None:
    """Too little money is no fault of the mandate."""
    s = Scene.boarded(product=QUIET)
    s.apply_outcome(s.present(), OutcomeClass.DISPUTE)
    assert "mandate" not in kinds(s)


def test_a_reminder_that_arrives_late_ends_its_case() -> None:
    """The debit went out without a reminder known to have arrived; then its report comes."""
    s = Scene.boarded()
    s.present()
    assert kinds(s) == ("no_reminder_delivered",)
    s.give(RecordDeliveryReport, message_id=message_id(s), delivered=False)
    assert kinds(s) == ("no_reminder_delivered",)
    s.give(RecordDeliveryReport, message_id=message_id(s), delivered=True)
    assert kinds(s) == ()


def test_a_cancelled_installment_needs_no_reminder() -> None:
    """Its case ends with it."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert kinds(s) == ("no_reminder_delivered",)
    assert isinstance(s.order(Cancel), Change)
    assert kinds(s) == ()


@pytest.mark.parametrize(("channel", "taken"), [("sms", True), ("", True), ("email", False)])
def test_a_report_about_a_message_of_another_channel_changes_nothing(
    channel: str, taken: bool
) -> None:
    """A carrier knows nothing of what another one sent: a case instead of a delivered reminder."""
    s = Scene.boarded()
    s.action()
    s.give(RecordDeliveryReport, message_id=message_id(s), delivered=True, channel=channel)
    assert (s.books.item().notices[0].state == "delivered") is taken
    assert ("report_of_another_channel" in kinds(s)) is not taken


def test_another_reading_of_a_report_is_applied_and_seen_by_a_person() -> None:
    """The news counts, and a case about the installment names the report."""
    s = Scene.boarded(product=QUIET)
    order_no = s.present()
    known = replace(s.books._aggregates(), known_as="report/simbank/wh_1")
    said = RecordOutcome(
        id="report/simbank/wh_1~0",
        actor=TESTER,
        rail="simbank",
        order_no=order_no,
        outcome=Outcome(OutcomeClass.NSF, "64"),
        source="webhook",
    )
    change = decide(known, said)
    assert isinstance(change, Change)
    [case] = [case for case in change.cases.values() if case.kind == "read_differently"]
    assert (case.loan_id, case.number) == ("L1", 1)
    assert "report/simbank/wh_1" in case.text
    assert change.loans["L1"].installment(1).state is State.RETRYING


@pytest.mark.parametrize("about", [("L1", 1), None])
def test_another_reading_of_a_known_fact_changes_nothing_but_a_case(
    about: tuple[str, int] | None,
) -> None:
    """What a report says is booked already: only the difference is shown."""
    s = Scene.boarded(product=QUIET)
    before = s.books.loans["L1"]
    known = replace(s.books._aggregates(), known_as="report/simbank/wh_2")
    change = reread(known, installment(*about) if about else None)
    assert [case.kind for case in change.cases.values()] == ["read_differently"]
    [case] = change.cases.values()
    assert (case.loan_id, case.number) == (about or (None, None))
    assert change.entries == ()
    assert [move.event for move in change.transitions] == ["case_opened"]
    assert [loan.portions for loan in change.loans.values()] in ([], [before.portions])


def test_a_line_in_other_figures_keeps_open_what_it_proves() -> None:
    """The bank says 51.00 now of the line of 101.00 that has paid an installment."""
    s = Scene.boarded(product=QUIET)
    order = s.present()
    s.apply_outcome(order, bank_ref="B-1")
    for minor in (10100, 5100):
        s.line(LineItem(order, None, "B-1", minor), id="line-1")
    s.until(date(2026, 3, 30))
    assert (s.state, kinds(s)) == ("SETTLED", ("line_contradiction",))


def test_a_waiting_line_in_other_figures_names_no_installment() -> None:
    """Nothing is proven by it, so nobody's gates are kept shut."""
    s = Scene.boarded(product=QUIET)
    for minor in (700, 900):
        s.line(LineItem(None, None, None, minor), id="line-1")
    found = [case for case in s.books.cases.values() if case.kind == "line_contradiction"]
    assert [(case.loan_id, case.number) for case in found] == [(None, None)]
