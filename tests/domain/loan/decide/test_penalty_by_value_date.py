"""Penalty follows value dates: charged by the day, never for days that others cost."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from domain.debit.outcome import OutcomeClass
from domain.loan.accrual import excused_days, penalty_due
from domain.loan.change import Change
from domain.pricing.amounts import Amounts, Component
from domain.pricing.penalty import PenaltyRule
from tests.support import invariants
from tests.support.doors import ChangeDate, RollDay, Waive
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import Scene

DUE = date(2026, 3, 10)
LINES = schedule(((200000, 0), (200000, 0)))
RULE = PenaltyRule(Decimal(18), 360, on_interest=False, grace_days=3)
# 2000.00 at 18 percent over 360 days: 1.00 a day, from the fourth day after the due date.
PRODUCT_18 = replace(PRODUCT, penalty=RULE)


def overdue() -> Scene:
    """An installment of 2000.00 whose first debit failed for want of funds, driver standing by."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT)
    return s


def penalty(s: Scene) -> int:
    """Penalty owed now."""
    return s.books.item().owed.penalty


def day(days: int) -> date:
    """So many days after the due date."""
    return DUE + timedelta(days=days)


def test_no_penalty_accrues_in_grace_and_then_one_day_at_a_time() -> None:
    """Grace days bear nothing, also later; each day after them bears its own."""
    s = overdue()
    s.until(day(4))
    assert penalty(s) == 0
    s.until(day(5))
    assert penalty(s) == 100
    s.until(day(10))
    assert penalty(s) == 600
    assert s.posted()[-1] == ("penalty_accrued", {"owed/1/penalty": 100, "claim/funder-1": -100})
    invariants.check(s.books)


def test_days_rolled_out_of_order_or_before_their_time_change_nothing() -> None:
    """An old day again takes nothing back; a day that has not begun charges nothing."""
    s = overdue()
    s.until(day(10))
    before = s.mark
    for other in (day(6), day(10), day(40)):
        assert isinstance(s.give(RollDay, loan_id="L1", day=other), Change)
    assert s.posted(before) == []
    assert s.books.loans["L1"].rolled_through == day(10)


def test_a_transfer_with_an_earlier_value_date_takes_the_penalty_of_later_days_back() -> None:
    """Paid in full on day 6, reported on day 10: three days bear penalty, the others go back."""
    s = overdue()
    s.until(day(10))
    before = s.mark
    s.pay(200300, value_on=day(6))
    assert s.posted(before)[1] == (
        "penalty_reversed",
        {"owed/1/penalty": -300, "claim/funder-1": 300},
    )
    assert s.state == "CLEARING"
    assert s.books.item().charged.penalty == 300
    assert not s.books.cases.keys() & {"surplus/T3"}
    invariants.check(s.books)


def test_a_part_paid_earlier_lowers_the_penalty_of_the_days_after_it() -> None:
    """1000.00 on day 6: the penalty until then is paid first, the rest bears on 1003.00 less."""
    s = overdue()
    s.until(day(10))
    s.pay(100300, value_on=day(6))
    item = s.books.item()
    assert item.owed.principal == 100000
    # Days 7 to 9 at 0.50 a day: 1.50, on top of the 3.00 that were paid.
    assert item.charged.penalty == 450
    assert item.owed.penalty == 150
    invariants.check(s.books)


def test_penalty_that_was_paid_and_never_due_is_unapplied_and_pays_principal() -> None:
    """A second transfer proves an earlier day: the first one's penalty is freed for principal."""
    s = overdue()
    s.until(day(10))
    first = s.pay(1000, value_on=day(9))
    assert s.portion(first).allocations[0].component is Component.PENALTY
    before = s.mark
    s.pay(200000, value_on=DUE)
    events = [event for event, _ in s.posted(before)]
    assert "unapplied" in events
    item = s.books.item()
    assert item.charged.penalty == 0
    assert item.owed.total == 0
    assert sum(r.waiting_minor + r.advance_minor for r in s.books.loans["L1"].portions) == 1000
    invariants.check(s.books)


def test_while_a_debit_is_live_no_penalty_moves_and_the_confirmed_day_decides() -> None:
    """Days in doubt cost the borrower nothing, however long the doubt lasts."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    order = s.present()
    s.apply_outcome(order, OutcomeClass.TECH)
    s.until(day(20))
    s.pay(500)
    assert s.books.item().charged.penalty == 0
    s.apply_outcome(order, source="inquiry", minor=200000, executed_on=day(19))
    assert s.books.item().charged.penalty == 0
    assert s.state == "CLEARING"
    invariants.check(s.books)


def test_a_retry_takes_the_penalty_of_its_own_day_and_leaves_no_crumb() -> None:
    """The amount includes the day of the debit: a confirmed retry pays everything."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    order = s.present()
    attempt = s.books.item().attempts[-1]
    late = (attempt.value_on - DUE).days
    assert attempt.amount_minor == 200000 + (late - 3) * 100
    s.apply_outcome(order, minor=attempt.amount_minor)
    assert s.state == "CLEARING"
    assert s.books.item().owed.total == 0
    invariants.check(s.books)


def test_a_refused_retry_gives_the_penalty_of_its_own_day_back_until_that_day_is_over() -> None:
    """What was charged ahead for the amount of the debit is charged again by the day's end."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    for _ in range(3):
        s.apply_outcome(s.present(), OutcomeClass.NSF)
    order = s.present()
    on = s.books.item().attempts[-1].value_on
    s.apply_outcome(order, OutcomeClass.NSF)
    assert s.books.item().charged.penalty == ((on - DUE).days - 1 - 3) * 100
    s.until(on + timedelta(days=1))
    assert s.books.item().charged.penalty == ((on - DUE).days - 3) * 100


def test_days_lost_to_the_rail_are_excused_for_ever() -> None:
    """An attempt that the rail never executed costs no penalty until the next one."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    order = s.present()
    s.until(day(8))
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
    assert s.books.item().charged.penalty == 0
    item, loan = s.books.item(), s.books.loans["L1"]
    assert excused_days(loan, item, day(8)) == {day(n) for n in range(9)}
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    on = s.books.item().attempts[-1].value_on
    s.until(on + timedelta(days=3))
    assert s.books.item().charged.penalty == 300


def test_a_rail_that_executes_late_is_excused_for_its_own_days() -> None:
    """Ordered for day 0, executed on day 6: the borrower owes no penalty for the rail's days."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    order = s.present()
    s.until(day(6))
    s.apply_outcome(order, minor=200000, source="webhook", executed_on=day(6))
    assert s.state == "CLEARING"
    assert s.books.item().charged.penalty == 0


def test_a_waiver_stays_as_given_when_a_late_value_date_takes_the_penalty_away() -> None:
    """Six days waived, then paid as of day 6: nothing is reversed twice."""
    s = overdue()
    s.until(day(10))
    s.order(Waive, component=Component.PENALTY, amount_minor=600)
    assert s.books.item().forgiven == Amounts(penalty=600)
    s.pay(200000, value_on=day(6))
    item = s.books.item()
    assert item.owed.total == 0
    assert (item.charged.penalty, item.forgiven.penalty) == (600, 600)
    assert s.state == "CLEARING"
    invariants.check(s.books)


def test_a_waiver_after_a_late_value_date_forgives_only_what_is_left() -> None:
    """The late value date came first: 3.00 are left and can be waived, not more."""
    s = overdue()
    s.until(day(10))
    s.pay(200000, value_on=day(6))
    item = s.books.item()
    assert item.owed == Amounts(principal=300)  # the penalty of three days was paid first
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=300)
    assert s.state == "CLEARING"
    assert s.books.item().forgiven == Amounts(principal=300)
    invariants.check(s.books)


def test_a_moved_due_date_keeps_what_had_accrued_and_counts_anew() -> None:
    """Approved deferral: no day of it bears penalty, and grace begins again at the new date."""
    s = overdue()
    s.until(day(10))
    s.order(ChangeDate, due_on=day(20))
    assert s.state == "SCHEDULED"
    assert penalty(s) == 600
    s.until(day(20))
    assert s.state == "DELINQUENT", "the closed account is not debited again under one mandate"
    assert penalty(s) == 600
    s.until(day(26))
    assert penalty(s) == 800
    invariants.check(s.books)


def test_without_a_rule_there_is_no_penalty() -> None:
    """A product without penalty charges none."""
    s = Scene.boarded(product=replace(PRODUCT, penalty=None), lines=LINES)
    s.apply_outcome(s.present(), OutcomeClass.ACCOUNT)
    s.until(day(20))
    assert penalty_due(s.books.loans["L1"], s.books.item(), day(20)) == Fraction(0)
    assert s.books.item().charged.penalty == 0


def test_a_debt_of_many_years_does_not_stop_the_day() -> None:
    """Beyond ten years nothing more accrues; the roll goes on."""
    s = overdue()
    s.books.at += timedelta(days=365 * 3)
    loan, item = s.books.loans["L1"], s.books.item()
    assert penalty_due(loan, item, DUE + timedelta(days=5000)) == penalty_due(
        loan, item, DUE + timedelta(days=3660)
    )


@pytest.mark.parametrize("days_later", [0, 1])
def test_an_attempt_after_a_lost_one_asks_for_all_that_its_success_will_owe(
    days_later: int,
) -> None:
    """Days lost to the rail end with the next attempt: what it leaves is nothing, not a cent."""
    s = Scene.boarded(product=PRODUCT_18, lines=LINES)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.until(day(9))
    lost = s.present()
    s.books.at += timedelta(hours=2 + 24 * days_later)
    s.apply_outcome(lost, OutcomeClass.NOT_FOUND, source="inquiry", asked_at=s.books.at)
    assert s.state == "RETRYING"
    again = s.present()
    asked = s.books.item().attempts[-1].amount_minor
    s.apply_outcome(again, minor=asked)
    assert (s.state, s.books.item().owed.total) == ("CLEARING", 0)
    invariants.check(s.books)


def test_penalty_paid_by_two_transfers_comes_back_to_both_when_it_was_never_due() -> None:
    """Paid 2.50 and 5.50; then the principal comes, valued on the due date: 8.00 are free."""
    s = overdue()
    s.until(day(10))
    first = s.pay(250)
    s.until(day(11))
    second = s.pay(550)
    assert (penalty(s), s.books.item().owed.principal) == (0, 200_000)
    s.pay(200_000, value_on=DUE)
    assert s.books.item().charged.penalty == 0
    assert s.books.item().owed == Amounts()
    freed = {ref: s.portion(ref) for ref in (first, second)}
    assert [r.advance_minor + r.waiting_minor for r in freed.values()] == [250, 550]
    assert not any(r.allocations for r in freed.values())
    invariants.check(s.books)


def test_penalty_paid_by_two_transfers_follows_money_of_an_earlier_day() -> None:
    """The third is valued first: it pays six days, and the others what is left for their days."""
    s = overdue()
    s.until(day(10))
    first = s.pay(250)
    s.until(day(12))
    second = s.pay(550)
    s.pay(200_000, value_on=day(9))
    # 6.00 of principal are left on the sixth day: two days of it are a cent.
    assert s.books.item().charged.penalty == 601
    assert [s.portion(ref).advance_minor for ref in (first, second)] == [0, 199]
    paid = [{p.component: p.minor for p in s.portion(r).allocations} for r in (first, second)]
    assert paid == [
        {Component.PRINCIPAL: 250},
        {Component.PENALTY: 1, Component.PRINCIPAL: 350},
    ]
    invariants.check(s.books)
