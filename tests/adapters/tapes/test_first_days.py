"""What boarding brings in its first days, forecast by the rules of the books."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from adapters.tapes.report.firstdays import FirstDay, first_days
from domain.calendar import DayWindow
from domain.debit.mandate import Mandate
from domain.loan.product import ReminderPlan, ReminderRule
from tests.support.doors import Past
from tests.support.memory import PRODUCT, RULES, SHANGHAI, board

MORNING = datetime(2026, 3, 5, 1, tzinfo=UTC)


def test_a_loan_due_soon_is_reminded_and_debited_on_its_days() -> None:
    """Due on Tuesday the 10th: reminded three days before, debited on the day, 101.00 each."""
    found = first_days([board("L1"), board("L2")], RULES, MORNING)
    assert found == (
        FirstDay(date(2026, 3, 7), reminders=2),
        FirstDay(date(2026, 3, 10), debits=2, debited={"CNY": 20200}),
    )


def test_a_loan_due_later_brings_nothing() -> None:
    """Its first reminder lies beyond the days that are looked at."""
    assert first_days([board()], RULES, datetime(2026, 2, 20, tzinfo=UTC)) == ()
    assert first_days([], RULES, MORNING) == ()


def test_past_installments_that_are_owed_are_debited_at_once_with_their_penalty() -> None:
    """Two of three on the day of boarding, without a reminder."""
    at = datetime(2026, 4, 20, 1, tzinfo=UTC)
    (today,) = first_days([board()], RULES, at)
    assert (today.day, today.reminders, today.debits) == (date(2026, 4, 20), 0, 2)
    # 18 percent a year of 100.00 for 38 and for 7 days after three days of grace.
    assert today.penalties == {"CNY": 190 + 35}
    assert today.debited == {"CNY": 20200 + 190 + 35}
    assert first_days([replace(board(), past=Past.IGNORE)], RULES, at) == ()
    assert first_days([replace(board(), past=Past.REFUSE)], RULES, at) == ()


def test_a_debit_that_nothing_allows_is_not_forecast_and_holds_up_no_other() -> None:
    """A mandate whose cap is nothing: the intent is refused, the other installment too, no loop."""
    at = datetime(2026, 4, 20, 1, tzinfo=UTC)
    mandate = Mandate("M", "simbank", "merchant-1", "acct-1", date(2026, 1, 1), cap_minor=0)
    assert {day.debits for day in first_days([board(mandate=mandate)], RULES, at)} <= {0}


@pytest.mark.parametrize("reminded", [True, False])
def test_a_product_that_debits_only_after_a_reminder_arrived(*, reminded: bool) -> None:
    """Reminders are taken to arrive, so the debit follows; without a reminder rule as well."""
    rules = (ReminderRule(2, time(10), ("sms",)),) if reminded else ()
    plan = ReminderPlan(rules, DayWindow(time(8), time(21), SHANGHAI), require_delivered=True)
    found = first_days([board(product=replace(PRODUCT, reminders=plan))], RULES, MORNING)
    assert sum(day.reminders for day in found) == int(reminded)
    assert sum(day.debits for day in found) == 1
