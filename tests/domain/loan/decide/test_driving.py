"""Actions: reminders, intents, leases; what makes one moot, and what limits an amount."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.debit.rail import RailProfile
from domain.kernel.change import Refusal, Superseded
from domain.loan.aggregate import HoldKind, NoticeState
from domain.loan.change import Change, Ordered
from domain.loan.view import ActionKind
from tests.support import invariants
from tests.support.doors import (
    ChangeDate,
    Hold,
    IntendDebit,
    QueueReminder,
    RecordDeliveryReport,
    RecordUnsent,
    RenewSend,
    RetryNow,
    Review,
)
from tests.support.memory import PRODUCT, MemoryBooks, schedule, with_shares
from tests.support.scene import DRIVER, Scene

DUE = date(2026, 3, 10)


def on_rail(**terms: object) -> Scene:
    """A scene whose rail has other capabilities."""
    s = Scene.boarded()
    rail = replace(s.books.rules.rails["simbank"], **terms)  # type: ignore[arg-type]
    assert isinstance(rail, RailProfile)
    s.books.rules = replace(s.books.rules, rails={"simbank": rail})
    return s


def attempt(s: Scene, number: int = 1) -> object:
    """The newest attempt."""
    return s.books.item(number).attempts[-1]


def test_a_reminder_goes_out_once_and_its_next_channel_follows_a_failure() -> None:
    """SMS first; refused, so the mail follows at once; delivered, so no more."""
    s = Scene.boarded()
    s.action()
    sms = s.books.item().notices[0]
    assert (sms.channel, sms.state, sms.amount_minor) == ("sms", NoticeState.QUEUED, 10100)
    assert [m.topic for m in s.books.messages].count("notice") == 1
    s.give(RecordDeliveryReport, message_id=sms.message_id, delivered=False)
    assert s.books.view().next_action.key == "remind/0/1"  # type: ignore[union-attr]
    s.action()
    mail = s.books.item().notices[1]
    s.give(RecordDeliveryReport, message_id=mail.message_id, delivered=True)
    assert s.books.view().next_action.kind is ActionKind.PRESENT  # type: ignore[union-attr]
    before = len(s.books.transitions)
    s.give(RecordDeliveryReport, message_id=sms.message_id, delivered=True)
    s.give(RecordDeliveryReport, message_id=mail.message_id, delivered=False)
    assert s.books.item().notices[1].state is NoticeState.DELIVERED
    assert len(s.books.transitions) == before + 1, "a late delivered replaces a failed"


def test_a_delivery_report_of_a_message_that_nobody_sent_changes_nothing() -> None:
    """Evidence about the unknown is taken and has no effect."""
    s = Scene.boarded()
    change = s.give(RecordDeliveryReport, message_id="N-x", delivered=True)
    assert isinstance(change, Change)
    assert not change.loans
    s.books.loans["L1"] = s.books.loans["L1"]
    s.action()
    stale = s.books._aggregates()
    assert stale.messages


def test_a_moot_action_is_superseded_and_does_not_raise_the_version_twice() -> None:
    """A driver whose action made no progress sees the same version again."""
    s = Scene.boarded()
    values = {"loan_id": "L1", "number": 1, "generation": 1, "seen": 1}
    for kind, action in ((QueueReminder, "remind/9/9"), (IntendDebit, "present/1"), (Review, "x")):
        version = s.books.item().version
        change = s.give(kind, actor=DRIVER, action=action, **values)
        assert isinstance(change, Change)
        assert isinstance(change.answer, Superseded)
        assert s.books.item().version == version
    change = s.give(QueueReminder, action="remind/0/0", actor=DRIVER, **{**values, "generation": 2})
    assert isinstance(change, Change)
    assert isinstance(change.answer, Superseded)


def test_the_intent_fixes_number_merchant_amount_and_lease() -> None:
    """All that a resend or an inquiry needs is written before anything is sent."""
    s = Scene.boarded()
    order_no = s.present()
    made = s.books.item().attempts[0]
    rail = s.books.rules.rails["simbank"]
    assert (made.order_no, made.merchant_id, made.amount_minor) == (order_no, "merchant-1", 10100)
    assert made.send_until == s.books.at + rail.lease
    assert made.state is AttemptState.INTENDED
    assert "no_reminder/L1/1" in s.books.cases, "the reminder's delivery report never came: noticed"
    assert s.books.view().next_action.kind is ActionKind.INQUIRE  # type: ignore[union-attr]


def test_a_cap_limits_the_amount_and_the_rest_is_tried_by_the_plan() -> None:
    """Mandate and rail cap each debit; what is left goes out again, as after short funds."""
    mandate = Mandate("M-L1", "simbank", "merchant-1", "acct-1", date(2026, 1, 1), cap_minor=6000)
    s = Scene.boarded(mandate=mandate)
    first = s.present()
    assert s.books.item().attempts[0].amount_minor == 6000
    s.apply_outcome(first, minor=6000)
    assert s.state == "RETRYING"
    s.apply_outcome(s.present(), minor=4100)
    assert s.state == "CLEARING"
    nothing = replace(mandate, cap_minor=0)
    s = Scene.boarded(mandate=nothing)
    s.action()
    s.give(RecordDeliveryReport, message_id=s.books.item().notices[0].message_id, delivered=True)
    refusal = s.action()
    assert isinstance(refusal, Refusal)
    assert refusal.rule == "debit.nothing_to_take"


def test_a_rail_that_wants_the_same_amount_again_gets_it_or_nothing() -> None:
    """A part was paid meanwhile: the rest needs a new notice, so the machine stops."""
    s = on_rail(same_amount_on_retry=True)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    again = s.present()
    assert s.books.item().attempts[1].amount_minor == 10100
    s.apply_outcome(again, OutcomeClass.NSF)
    s.pay(5000)
    assert isinstance(s.action(), Change)
    assert s.state == "DELINQUENT"


def test_where_a_notice_is_required_no_more_is_taken_than_was_announced() -> None:
    """Penalty that came after the notice is not in the debit: it was not announced."""
    plan = replace(PRODUCT.reminders, require_delivered=True)
    lines = schedule(((200000, 0), (200000, 0)))
    s = Scene.boarded(product=replace(PRODUCT, reminders=plan), lines=lines)
    s.action()
    s.give(RecordDeliveryReport, message_id=s.books.item().notices[0].message_id, delivered=True)
    for _ in range(4):
        s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert s.books.item().charged.penalty > 0
    assert {a.amount_minor for a in s.books.item().attempts} == {200000}


def test_where_a_required_notice_never_arrives_a_person_is_asked() -> None:
    """No debit goes out, and that is visible: nothing stands still in silence."""
    plan = replace(PRODUCT.reminders, require_delivered=True)
    s = Scene.boarded(product=replace(PRODUCT, reminders=plan))
    s.action()
    s.until(date(2026, 3, 9))
    s.action()
    s.until(date(2026, 3, 12))
    assert s.state == "DUE"
    assert s.books.item().needs_operator
    assert "operator/L1/1" in s.books.cases
    assert not s.books.item().attempts


def test_an_ended_mandate_makes_the_installment_delinquent_also_before_its_day() -> None:
    """No order is sent outside the mandate's term; where the rail has a lead it falls due first."""
    mandate = Mandate("M-L1", "simbank", "m", "a", date(2026, 1, 1), ended_on=date(2026, 3, 10))
    for lead in (0, 1):
        s = Scene.boarded(mandate=mandate)
        rail = replace(s.books.rules.rails["simbank"], lead_banking_days=lead)
        s.books.rules = replace(s.books.rules, rails={"simbank": rail})
        for _ in range(6):
            if s.state != "DELINQUENT":
                s.action()
        assert s.state == "DELINQUENT"
        assert not s.books.item().attempts
        assert s.books.item().fell_due


def test_money_paid_ahead_is_drawn_before_a_debit_goes_out_early() -> None:
    """The rail wants the order a day ahead: only what is not paid ahead is ordered."""
    s = on_rail(lead_banking_days=1)
    s.apply_outcome(s.present(1), minor=10100)
    s.pay(4000, number=2)
    s.present(2)
    made = s.books.item(2).attempts[0]
    assert made.amount_minor == 6100
    assert made.value_on == s.books.item(2).due_on
    assert "advance/L1" not in s.balances
    invariants.check(s.books)


def test_money_that_covers_everything_makes_the_action_moot() -> None:
    """What was paid ahead covers the next one: no action, and its day clears it."""
    s = Scene.boarded()
    s.apply_outcome(s.present(1), minor=10100)
    s.until(date(2026, 4, 9))
    action = s.books.view(2).next_action
    s.pay(10100, number=2)
    assert action is not None
    assert s.books.view(2).next_action is None
    s.until(date(2026, 4, 10))
    assert s.books.item(2).state.value == "CLEARING"


def test_an_intent_with_an_advance_that_covers_only_now_sends_nothing() -> None:
    """Two to come: the money pays the earlier one at its intent, in full, so no order leaves."""
    s = Scene.boarded()
    s.until(date(2026, 3, 9))
    s.pay(10100, number=2)
    assert s.books.view(1).next_action is None
    loan = s.books.loans["L1"]
    # A view from before the payment: the driver asks all the same.
    change = s.give(
        IntendDebit, actor=DRIVER, loan_id="L1", number=1, action="present/1", generation=1, seen=1
    )
    assert isinstance(change, Change)
    assert isinstance(change.answer, Superseded)
    assert loan.installment(1).attempts == ()


def test_an_order_that_never_left_is_sent_again_under_the_same_number() -> None:
    """One number, one amount, a new lease; a report about an earlier send is no news of a later."""
    s = Scene.boarded()
    order = s.present()
    first = s.books.item().attempts[0]
    s.give(RecordUnsent, order_no=order, sends=1)
    assert s.books.item().attempts[0].never_left
    assert s.books.view().next_action.kind is ActionKind.PRESENT  # type: ignore[union-attr]
    change = s.action()
    assert isinstance(change, Change)
    assert isinstance(change.answer, Ordered)
    assert change.answer.order.order_no == order
    again = s.books.item().attempts[0]
    assert (again.sends, again.amount_minor, again.value_on) == (2, 10100, first.value_on)
    assert again.send_until > first.send_until
    s.give(RecordUnsent, order_no=order, sends=1)
    assert not s.books.item().attempts[0].never_left
    assert len(s.books.item().attempts) == 1


def test_an_order_that_can_never_be_sent_becomes_a_persons_task() -> None:
    """After as many tries as the rail's inquiries before an operator."""
    s = on_rail(inquiries_before_operator=2)
    order = s.present()
    s.give(RecordUnsent, order_no=order, sends=1)
    assert not s.books.item().needs_operator
    s.action()
    s.give(RecordUnsent, order_no=order, sends=2)
    assert s.books.item().needs_operator
    s.apply_outcome(order, minor=10100, source="webhook")
    assert not s.books.item().needs_operator
    assert "operator/L1/1" not in s.books.cases


def test_a_held_order_that_never_left_is_not_sent_but_asked_about() -> None:
    """A hold stops new debits; asking the rail ends the attempt by evidence."""
    s = Scene.boarded()
    order = s.present()
    s.give(RecordUnsent, order_no=order, sends=1)
    s.order(Hold, what=HoldKind.DEBIT)
    assert s.books.view().next_action.kind is ActionKind.INQUIRE  # type: ignore[union-attr]
    s.books.at += timedelta(hours=2)
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
    assert s.state == "RETRYING"
    assert s.books.view().next_action is None


def test_a_lease_is_renewed_only_when_it_is_over_and_the_rail_is_idempotent() -> None:
    """Nobody sends beside another sender, nor twice to a rail that may execute twice."""
    s = Scene.boarded()
    order = s.present()
    refusal = s.order(RenewSend, order_no=order)
    assert isinstance(refusal, Refusal)
    assert refusal.rule == "debit.lease"
    s.books.at += timedelta(minutes=5)
    change = s.order(RenewSend, order_no=order)
    assert isinstance(change, Change)
    assert isinstance(change.answer, Ordered)
    assert s.books.item().attempts[0].sends == 2
    rail = replace(s.books.rules.rails["simbank"], idempotent=False)
    s.books.rules = replace(s.books.rules, rails={"simbank": rail})
    s.books.at += timedelta(minutes=5)
    refusal = s.order(RenewSend, order_no=order)
    assert isinstance(refusal, Refusal)
    assert refusal.rule == "debit.not_idempotent"
    refusal = s.order(RenewSend, order_no="another")
    assert isinstance(refusal, Refusal)
    assert refusal.rule == "debit.unknown_order"
    s.apply_outcome(order, minor=10100)
    change = s.order(RenewSend, order_no=order)
    assert isinstance(change, Change)
    assert isinstance(change.answer, Superseded)


def test_settlement_that_does_not_come_in_time_is_a_case_and_ends_by_its_line() -> None:
    """Reported and not proven past the deadline: a person's task, closed by the bank's line."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    assert s.books.view().next_action.kind is ActionKind.REVIEW  # type: ignore[union-attr]
    s.action()
    assert s.books.cases["unsettled/L1/1"].amount_minor == 10100
    assert s.books.item().needs_operator
    assert s.books.view().next_action is None
    s.credit(order, 10100)
    assert s.books.item().needs_operator == ""
    assert not {"unsettled/L1/1", "operator/L1/1"} & s.books.cases.keys()
    assert s.state in {"SETTLED", "CLOSED"}


def test_late_settlement_of_a_returned_debit_ends_with_its_last_line() -> None:
    """The money went back before its lines came: with both of them nobody has to look any more."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.action()
    assert "unsettled/L1/1" in s.books.cases
    s.returned(order, 10100, OutcomeClass.LATE_RETURN, code="MD06")
    assert s.state == "DELINQUENT"
    s.credit(order, 10100)
    assert "unsettled/L1/1" in s.books.cases, "the line of the return is still to come"
    s.return_line(order, 10100, code="MD06")
    assert not {"unsettled/L1/1", "operator/L1/1"} & s.books.cases.keys()


def test_never_more_than_the_rails_attempts_a_day_also_when_ordered() -> None:
    """An ordered retry waits for the next day once the day is used up."""
    s = on_rail(attempts_per_day=1)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert isinstance(s.order(RetryNow), Change)
    assert s.books.view().next_action.not_before.date() == date(2026, 3, 10)  # type: ignore[union-attr]
    slot = s.books.view().next_action.not_before + timedelta(hours=8)  # type: ignore[union-attr]
    assert slot.date() == date(2026, 3, 11), "07:00 in Shanghai, the next morning"
    s.present()
    invariants.check(s.books)


def test_a_slot_that_was_missed_never_opens_in_the_rails_night() -> None:
    """The worker was down: the retry goes out when the rail opens next, not at once."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.books.at = s.books.view().next_action.not_before + timedelta(hours=14)  # type: ignore[union-attr]
    action = s.books.view().next_action
    assert action is not None
    assert action.not_before > s.books.at
    assert (action.not_before + timedelta(hours=8)).hour == 7


@pytest.mark.parametrize("shares", [1, 3])
def test_books_of_one_or_several_payees_take_the_same_commands(shares: int) -> None:
    """The split never changes what the borrower owes."""
    product = PRODUCT
    if shares == 3:
        product = with_shares(
            PRODUCT,
            ("funder-1", Fraction(90, 100)),
            ("platform", Fraction(8, 100)),
            ("insurer", Fraction(2, 100)),
            remainder="funder-1",
        )
    s = Scene.boarded(product=product)
    assert isinstance(s.books, MemoryBooks)
    s.apply_outcome(s.present(), minor=10100)
    assert s.books.item().owed.total == 0


def test_money_ahead_pays_the_one_that_falls_due_first() -> None:
    """The first was moved behind the second: the second's intent draws what was paid ahead."""
    s = Scene.boarded()
    s.order(ChangeDate, due_on=date(2026, 4, 20))
    s.pay(10100, number=1)
    assert s.balances["advance/L1"] == -10100
    assert s.books.view(2).next_action is not None
    s.books.at = datetime(2026, 4, 10, 1, 30, tzinfo=UTC)
    change = s.action(2)
    assert isinstance(change, Change)
    assert isinstance(change.answer, Superseded)
    assert s.books.item(2).state.value == "CLEARING"
    assert s.books.item(2).attempts == ()
