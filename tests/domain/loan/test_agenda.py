"""What comes next, when and why: reminders, presentments, retries, days of the sweep."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from domain.debit.codes import RetryLimit
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.debit.plan import NoRetry, RetryAt
from domain.loan import agenda
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change
from domain.loan.lifecycle import State
from domain.loan.product import ReminderRule
from domain.loan.retrying import ends_on, not_debitable, retry_decision
from domain.loan.view import ActionKind
from tests.support.doors import (
    ChangeDate,
    Hold,
    IntendDebit,
    QueueReminder,
    RecordDeliveryReport,
    Unhold,
)
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import DRIVER, Scene

RULES = PRODUCT.reminders


def reminders(*rules: ReminderRule) -> object:
    """The test product with other reminders."""
    return replace(PRODUCT, reminders=replace(RULES, rules=rules))


def action(s: Scene, number: int = 1) -> tuple[str, datetime] | None:
    """Key and instant of the next action."""
    found = s.books.view(number).next_action
    return (found.key, found.not_before) if found else None


def at(s: Scene, day: int, hour: int, minute: int = 0) -> None:
    """Stand at an hour of Shanghai in March."""
    local = datetime(2026, 3, day, hour, minute, tzinfo=UTC)
    s.books.at = local - timedelta(hours=8)


def test_a_reminder_is_planned_by_days_before_and_local_time() -> None:
    """Three days before the tenth at ten in Shanghai."""
    s = Scene.boarded()
    assert action(s) == ("remind/0/0", datetime(2026, 3, 7, 2, tzinfo=UTC))


def test_a_reminder_outside_the_allowed_hours_moves_into_them() -> None:
    """Planned for 23:00: sent at eight the next morning."""
    s = Scene.boarded(product=reminders(ReminderRule(3, time(23), ("sms",))))
    assert action(s) == ("remind/0/0", datetime(2026, 3, 8, 0, tzinfo=UTC))


def test_a_missed_reminder_waits_out_the_quiet_hours_and_is_dropped_after_a_day() -> None:
    """Planned at 20:30, the worker is back at 23:00: eight in the morning, never at night."""
    s = Scene.boarded(product=reminders(ReminderRule(3, time(20, 30), ("sms",))))
    at(s, 7, 20, 45)
    assert action(s) == ("remind/0/0", datetime(2026, 3, 7, 12, 30, tzinfo=UTC))
    at(s, 7, 23)
    assert action(s) == ("remind/0/0", datetime(2026, 3, 8, 0, tzinfo=UTC))
    at(s, 9, 23)
    assert s.books.view().next_action.kind is ActionKind.PRESENT  # type: ignore[union-attr]


def test_no_delivery_report_in_time_brings_the_next_channel_and_then_none() -> None:
    """SMS unanswered: mail; mail unanswered: the debit."""
    s = Scene.boarded()
    s.action()
    assert s.books.view().next_action.kind is ActionKind.PRESENT  # type: ignore[union-attr]
    s.books.at += timedelta(hours=20)
    assert action(s)[0] == "remind/0/1"  # type: ignore[index]
    s.give(
        QueueReminder,
        actor=DRIVER,
        loan_id="L1",
        number=1,
        action="remind/0/1",
        generation=1,
        seen=1,
    )
    assert len(s.books.item().notices) == 1, "six in the morning is too early"
    s.action()
    assert [notice.channel for notice in s.books.item().notices] == ["sms", "email"]
    s.books.at += timedelta(hours=20)
    assert s.books.view().next_action.kind is ActionKind.PRESENT  # type: ignore[union-attr]


def test_a_moved_due_date_is_notified_anew() -> None:
    """What was announced no longer holds: every rule begins again for the new date."""
    s = Scene.boarded()
    s.action()
    (notice,) = s.books.item().notices
    s.give(RecordDeliveryReport, message_id=notice.message_id, delivered=True)
    assert agenda.was_reminded(s.books.item())
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    assert not agenda.was_reminded(s.books.item())
    assert action(s) == ("remind/0/0/20260320", datetime(2026, 3, 17, 2, tzinfo=UTC))
    s.order(ChangeDate, due_on=date(2026, 3, 10))
    assert agenda.was_reminded(s.books.item()), "that date had been announced"
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    s.action()
    again = s.books.item().notices[-1]
    assert (again.due_on, again.step) == (date(2026, 3, 20), 0)
    assert again.message_id == f"{notice.message_id}-20260320"


@pytest.mark.parametrize("what", sorted(HoldKind))
def test_why_a_borrower_may_not_be_reminded_has_a_name(what: HoldKind) -> None:
    """Held, ordered already, or paid ahead; a hold of debits alone bars no reminder."""
    s = Scene.boarded()
    assert agenda.reminder_bar(s.books.loans["L1"], s.books.item()) == ""
    s.order(Hold, what=what)
    said = agenda.reminder_bar(s.books.loans["L1"], s.books.item())
    assert said == ("" if what is HoldKind.DEBIT else f"on hold ({what})")
    s.order(Unhold)
    s.pay(10100)
    assert agenda.reminder_bar(s.books.loans["L1"], s.books.item()) == "paid ahead"
    s.present(2)
    item = s.books.item(2)
    barred = agenda.reminder_bar(s.books.loans["L1"], item)
    assert barred == "it is PRESENTED, and 1 orders went out"


def test_the_first_debit_goes_out_on_the_due_day_and_after_its_slot_at_once() -> None:
    """09:30 on the day; later in the rail's hours now; at night when it opens."""
    quiet = reminders()
    s = Scene.boarded(product=quiet)
    assert action(s) == ("present/1", datetime(2026, 3, 10, 1, 30, tzinfo=UTC))
    at(s, 10, 20, 30)
    assert action(s) == ("present/1", datetime(2026, 3, 10, 23, tzinfo=UTC))
    at(s, 12, 11)
    assert action(s) == ("present/1", s.books.at)


def test_while_the_final_outcome_is_missing_the_rail_is_asked_at_growing_intervals() -> None:
    """Accepted: after the rail's usual time. Unknown: soon, and then less often."""
    s = Scene.boarded(product=reminders())
    order = s.present()
    rail = s.books.rules.rails["simbank"]
    s.apply_outcome(order, OutcomeClass.PENDING)
    assert action(s)[1] == s.books.at + rail.expected_by  # type: ignore[index]
    waits = []
    for _ in range(8):
        s.apply_outcome(order, OutcomeClass.TECH, source="inquiry")
        waits.append(action(s)[1] - s.books.at)  # type: ignore[index]
        s.books.at = action(s)[1]  # type: ignore[index]
    assert waits == [*rail.inquiry[1:], *[rail.inquiry[-1]] * 3]


def test_a_state_without_its_attempt_asks_nothing() -> None:
    """The books would not say so; the agenda does not fall over it."""
    s = Scene.boarded()
    item = replace(s.books.item(), state=State.PRESENTED)
    assert agenda.next_action(s.books.loans["L1"], item, s.books.rules, s.books.at) is None


def test_states_that_only_wait_have_no_action() -> None:
    """Delinquent, settled, closed: nothing is asked of the driver."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.settle()
    assert (s.state, action(s)) == ("SETTLED", None)


def test_a_retry_whose_last_day_has_passed_has_no_action_and_ends_in_delinquency() -> None:
    """Held for two months: after letting go nothing is presented past the plan's last day."""
    s = Scene.boarded(product=reminders())
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert isinstance(s.order(Hold), Change)
    s.books.at += timedelta(days=60)
    item, loan = s.books.item(), s.books.loans["L1"]
    free = replace(item, hold=None)
    assert agenda.next_action(loan, free, s.books.rules, s.books.at) is None
    decision = retry_decision(loan, item, s.books.rules, s.books.at)
    assert isinstance(decision, NoRetry)
    assert decision.rule == "product.stop_after_days"
    assert ends_on(loan, item, s.books.rules, s.books.at) == s.today
    s.until(s.today + timedelta(days=1))
    assert s.state == "DELINQUENT"


def test_a_missed_slot_moves_on_with_its_value_day() -> None:
    """Down for three days: the next slot, valued on its own day."""
    s = Scene.boarded(product=reminders())
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    loan, item = s.books.loans["L1"], s.books.item()
    planned = retry_decision(loan, item, s.books.rules)
    assert isinstance(planned, RetryAt)
    late = planned.not_before + timedelta(days=3, hours=14)
    moved = retry_decision(loan, item, s.books.rules, late)
    assert isinstance(moved, RetryAt)
    assert moved.not_before > late
    assert moved.value_on > planned.value_on
    in_hours = retry_decision(loan, item, s.books.rules, planned.not_before + timedelta(hours=1))
    assert isinstance(in_hours, RetryAt)
    assert in_hours.not_before == planned.not_before
    assert ends_on(loan, item, s.books.rules, s.books.at) == date(2026, 4, 25)


def test_a_confirmed_attempt_that_did_not_suffice_counts_as_short_funds() -> None:
    """Partial success: the plan goes on with the rest."""
    s = Scene.boarded(product=reminders())
    s.apply_outcome(s.present(), OutcomeClass.PARTIAL, 100)
    decision = retry_decision(s.books.loans["L1"], s.books.item(), s.books.rules)
    assert isinstance(decision, RetryAt)
    assert "NSF" in decision.reason


def test_nothing_is_barred_before_the_first_attempt_unless_no_attempt_is_allowed() -> None:
    """The rail's and the mandate's counts are the strictest of both."""
    s = Scene.boarded()
    loan, item = s.books.loans["L1"], s.books.item()
    assert not_debitable(loan, item, s.books.rules) is None
    mandate = replace(loan.mandate, attempts_max=0)
    no = not_debitable(replace(loan, mandate=mandate), item, s.books.rules)
    assert no is not None
    assert no.rule == "mandate.attempts_max"


def test_an_installment_that_may_never_be_presented_is_delinquent_on_its_day() -> None:
    """No attempt is allowed under the mandate: visible at once, not silently due for ever."""
    mandate = Mandate("M-L1", "simbank", "m", "a", date(2026, 1, 1), attempts_max=0)
    s = Scene.boarded(mandate=mandate, product=reminders())
    assert action(s) is None
    s.until(date(2026, 3, 10))
    assert s.state == "DELINQUENT"


def test_after_a_reset_earlier_attempts_count_only_for_rail_and_mandate() -> None:
    """A moved date begins the product's plan anew."""
    product = replace(reminders(), retry=replace(PRODUCT.retry, attempts_max=1))  # type: ignore[type-var]
    s = Scene.boarded(product=product)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert s.state == "DELINQUENT"
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    order = s.present()
    assert s.today == date(2026, 3, 20)
    s.apply_outcome(order, OutcomeClass.NSF)
    assert s.state == "DELINQUENT"
    assert len(s.books.item().attempts) == 2


def test_an_installment_reopened_before_its_moved_date_is_tried_on_that_date() -> None:
    """A debit before the moved date comes back later: no money brings the attempt forward.

    It would be so as well had the debit come back before the rest was paid.
    """
    s = Scene.boarded(product=reminders())
    first = s.present()
    s.apply_outcome(first, OutcomeClass.PARTIAL, 4000)
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    s.pay(6100)
    assert s.state == "CLEARING"
    s.returned(first, 4000)
    assert s.state == "SCHEDULED"
    s.present()
    assert s.today == date(2026, 3, 20)


@pytest.mark.parametrize(("code", "state"), [("AM04", "DUE"), ("MD06", "DELINQUENT")])
def test_an_installment_reopened_after_its_moved_date_is_due_unless_a_debit_is_forbidden(
    code: str, state: str
) -> None:
    """What came before the moved date is no failure since it, but a hard reason forbids all."""
    s = Scene.boarded(product=reminders())
    first = s.present()
    s.apply_outcome(first, OutcomeClass.PARTIAL, 4000)
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    s.pay(6100)
    s.until(date(2026, 3, 21))
    s.returned(first, 4000, code=code)
    assert s.state == state


def test_a_date_moved_to_a_day_that_is_rolled_already_has_come() -> None:
    """Nothing waits for the next day's roll."""
    s = Scene.boarded(product=reminders())
    s.until(date(2026, 3, 9))
    assert s.state == "SCHEDULED"
    s.order(ChangeDate, due_on=date(2026, 3, 9))
    assert s.state == "DUE"
    assert s.books.item().owed.total == 10100


def test_the_sweep_knows_its_next_day_for_every_kind_of_work() -> None:
    """Opening, falling due, unanswered notices, windows, penalty, the end of retries."""
    s = Scene.boarded()
    loan = s.books.loans["L1"]

    def next_roll() -> date | None:
        return agenda.next_roll_on(s.books.loans["L1"], s.books.rules, s.books.at)

    assert agenda.opens_on(loan, loan.installment(2), s.books.rules, s.books.at) == date(
        2026, 3, 28
    )
    assert agenda.opens_on(loan, loan.installment(1), s.books.rules, s.books.at) is None
    assert next_roll() == date(2026, 3, 10)
    s.action()
    assert next_roll() == date(2026, 3, 9), "the day after the SMS should have been answered"
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    assert next_roll() == date(2026, 3, 15), "the first day of penalty is over"
    s.apply_outcome(s.present(), minor=10100)
    s.settle()
    assert next_roll() == date(2026, 3, 13), "the return window ends"
    s.until(date(2026, 3, 13))
    assert s.state == "CLOSED"
    assert next_roll() == date(2026, 3, 28)


def test_a_loan_with_nothing_to_come_is_not_rolled() -> None:
    """All closed: no day of the sweep."""
    s = Scene.boarded(lines=schedule(((10000, 0),)))
    s.apply_outcome(s.present(), minor=10000)
    s.settle()
    s.until(s.today + timedelta(days=5))
    assert agenda.next_roll_on(s.books.loans["L1"], s.books.rules, s.books.at) is None


def test_a_window_that_ended_without_progress_is_not_looked_at_every_day() -> None:
    """Held past its return window: letting go looks at the gates, not the sweep."""
    s = Scene.boarded(lines=schedule(((10000, 0),)))
    s.apply_outcome(s.present(), minor=10000)
    s.settle()
    s.order(Hold)
    s.until(s.today + timedelta(days=5))
    assert s.state == "SETTLED"
    assert agenda.next_roll_on(s.books.loans["L1"], s.books.rules, s.books.at) is None


def test_a_moved_date_is_rolled_on_its_new_day() -> None:
    """What had fallen due falls due again on the day that was agreed."""
    product = replace(reminders(), penalty=None)  # type: ignore[type-var]
    s = Scene.boarded(product=product, lines=schedule(((10000, 0),)))
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    s.order(Hold)
    roll = agenda.next_roll_on(s.books.loans["L1"], s.books.rules, s.books.at)
    assert roll == date(2026, 3, 20)
    s.until(date(2026, 3, 20))
    assert s.state == "DUE"


@pytest.mark.parametrize("key", ["present/2", "present/x"])
def test_only_the_action_that_comes_next_is_performed(key: str) -> None:
    """Another key is moot, whatever its kind."""
    s = Scene.boarded(product=reminders())
    at(s, 10, 9, 30)
    s.give(IntendDebit, actor=DRIVER, loan_id="L1", number=1, action=key, generation=1, seen=1)
    assert s.books.item().attempts == ()


def test_the_limit_of_a_scheme_is_in_force_and_named() -> None:
    """One presentment in all by a scheme's rule: the first failure is the last, and says why."""
    s = Scene.boarded()
    limit = RetryLimit("scheme.once", "a rule book", applies_to=("64",), presentations_max=1)
    s.books.rules = replace(s.books.rules, limits={"simbank": (limit,)})

    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF, code="64")

    assert s.books.item().state is State.DELINQUENT
    assert "scheme.once" in s.books.transitions[-1].detail
