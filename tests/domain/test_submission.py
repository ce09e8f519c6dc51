"""When rails take orders, in their own time zone, on both sides of a clock change."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import BankingCalendar, DayWindow
from domain.errors import InvalidInput
from domain.submission import (
    ACH_SAME_DAY,
    ALIPAY_PLAN_DEBIT,
    BACS,
    SEPA_CORE,
    WECHAT_NOTICE_DEBIT,
    SubmissionRule,
    earliest_submission,
    latest_submission,
    next_slot,
)

EASTER = frozenset({date(2026, 4, 3), date(2026, 4, 6)})
BANKS = BankingCalendar(
    "test", EASTER, frozenset(), confirmed_from=date(2026, 1, 1), confirmed_until=date(2026, 12, 31)
)


def utc(*parts: int) -> datetime:
    """An instant in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "slot", "value_on"),
    [
        (utc(2026, 1, 9, 22, 30), utc(2026, 1, 9, 23), date(2026, 1, 10)),
        (utc(2026, 1, 10, 13, 59), utc(2026, 1, 10, 13, 59), date(2026, 1, 10)),
        (utc(2026, 1, 10, 14), utc(2026, 1, 10, 23), date(2026, 1, 11)),
    ],
)
def test_wechat_takes_debits_from_seven_to_ten_in_beijing(
    at: datetime, slot: datetime, value_on: date
) -> None:
    """Every day, weekends too: before seven, a minute before ten, and at ten."""
    found = next_slot(WECHAT_NOTICE_DEBIT, BANKS, at)
    assert (found.at, found.value_on) == (slot, value_on)
    assert found.closes.hour == 14


def test_alipay_takes_a_debit_from_five_days_before_its_day() -> None:
    """Planned for the tenth: from the fifth at midnight in Beijing to the end of the tenth."""
    day = date(2026, 1, 10)
    assert earliest_submission(ALIPAY_PLAN_DEBIT, BANKS, day) == utc(2026, 1, 4, 16)
    assert latest_submission(ALIPAY_PLAN_DEBIT, BANKS, day) == utc(2026, 1, 10, 15, 59, 59)


def test_sepa_wants_the_file_one_banking_day_ahead() -> None:
    """Due on Tuesday after Easter: with the bank on Thursday before it, in Brussels time."""
    latest = latest_submission(SEPA_CORE, BANKS, date(2026, 4, 7))
    assert latest == utc(2026, 4, 2, 21, 59, 59)
    earliest = earliest_submission(SEPA_CORE, BANKS, date(2026, 4, 20))
    assert earliest == utc(2026, 4, 6, 22)  # the 6th is a holiday, the 7th begins at 22:00 UTC
    assert next_slot(SEPA_CORE, BANKS, utc(2026, 4, 2, 22)).value_on == date(2026, 4, 8)


def test_bacs_takes_three_days() -> None:
    """Input by 22:30 in London, processing, entry; summer time moves the hour in UTC."""
    assert latest_submission(BACS, BANKS, date(2026, 1, 14)) == utc(2026, 1, 12, 22, 30)
    assert latest_submission(BACS, BANKS, date(2026, 4, 2)) == utc(2026, 3, 31, 21, 30)
    found = next_slot(BACS, BANKS, utc(2026, 1, 12, 22, 30))
    assert (found.at, found.value_on) == (utc(2026, 1, 13, 7), date(2026, 1, 15))


@pytest.mark.parametrize(
    ("at", "closes", "day"),
    [
        (utc(2026, 1, 5, 15, 29), utc(2026, 1, 5, 15, 30), date(2026, 1, 5)),
        (utc(2026, 1, 5, 15, 30), utc(2026, 1, 5, 19, 45), date(2026, 1, 5)),
        (utc(2026, 1, 5, 19, 45), utc(2026, 1, 5, 21, 45), date(2026, 1, 5)),
        (utc(2026, 1, 5, 21, 45), utc(2026, 1, 6, 15, 30), date(2026, 1, 6)),
        (utc(2026, 1, 2, 22), utc(2026, 1, 5, 15, 30), date(2026, 1, 5)),
        (utc(2026, 7, 6, 14, 29), utc(2026, 7, 6, 14, 30), date(2026, 7, 6)),
    ],
)
def test_same_day_ach_has_three_deadlines(at: datetime, closes: datetime, day: date) -> None:
    """10:30, 14:45 and 16:45 Eastern; after the last, over a weekend, and in summer."""
    found = next_slot(ACH_SAME_DAY, BANKS, at)
    assert (found.closes, found.value_on) == (closes, day)


def test_a_window_that_clocks_skip_is_passed_over() -> None:
    """02:10 to 02:50 does not exist in New York on 8 March 2026; the next one is on the ninth."""
    rule = SubmissionRule(
        "night", (DayWindow(time(2, 10), time(2, 50), "America/New_York"),), every_day=True
    )
    assert next_slot(rule, BANKS, utc(2026, 3, 8, 5)).value_on == date(2026, 3, 9)


def test_a_value_date_that_is_no_banking_day_is_refused() -> None:
    """Same-day rails value on the day of submission."""
    with pytest.raises(InvalidInput, match="value_on"):
        latest_submission(ACH_SAME_DAY, BANKS, date(2026, 4, 3))


def test_a_slot_beyond_what_is_confirmed_says_so() -> None:
    """A value date in the next year rests on days that nobody gazetted."""
    assert next_slot(BACS, BANKS, utc(2026, 12, 28, 8)).confirmed
    assert not next_slot(BACS, BANKS, utc(2026, 12, 30, 8)).confirmed
    assert not next_slot(BACS, BANKS, utc(2027, 1, 4, 8)).confirmed


def test_a_rail_that_never_opens_is_refused() -> None:
    """Sixty days are looked at, not more."""
    shut = BankingCalendar(
        "shut", frozenset(), frozenset(), date.min, date.max, frozenset(range(7))
    )
    with pytest.raises(InvalidInput, match="window"):
        next_slot(ACH_SAME_DAY, shut, utc(2026, 1, 1))


@pytest.mark.parametrize(
    ("windows", "lead", "early"),
    [
        ((), 0, 0),
        ((DayWindow(time(1), time(2), "UTC"), DayWindow(time(3), time(4), "Asia/Tokyo")), 0, 0),
        ((DayWindow(time(1), time(3), "UTC"), DayWindow(time(2), time(4), "UTC")), 0, 0),
        ((DayWindow(time(1), time(3), "UTC"),), -1, 0),
        ((DayWindow(time(1), time(3), "UTC"),), 0, -1),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(
    windows: tuple[DayWindow, ...], lead: int, early: int
) -> None:
    """No window, two zones, an overlap, or less than nothing."""
    with pytest.raises(InvalidInput):
        SubmissionRule("x", windows, lead, earliest_days_before=early)


@given(
    st.integers(0, 300 * 24 * 60).map(lambda m: utc(2026, 1, 1) + timedelta(minutes=m)),
    st.sampled_from([WECHAT_NOTICE_DEBIT, SEPA_CORE, BACS, ACH_SAME_DAY]),
)
def test_a_slot_is_never_past_and_keeps_its_own_deadline(
    at: datetime, rule: SubmissionRule
) -> None:
    """Submitting in the slot is in time for its value date, whatever the moment and the rail."""
    found = next_slot(rule, BANKS, at)
    assert at <= found.at < found.closes
    assert found.closes <= latest_submission(rule, BANKS, found.value_on)


def test_windows_may_adjoin_and_a_rule_may_want_no_lead() -> None:
    """One window ends in the minute in which the next begins; submitted on the day itself."""
    morning, noon = DayWindow(time(8), time(10), "UTC"), DayWindow(time(10), time(12), "UTC")
    rule = SubmissionRule("rail", (morning, noon), lead_banking_days=0, earliest_days_before=0)
    assert rule.windows == (morning, noon)


def test_a_slot_is_told_in_utc_wherever_it_was_asked_for() -> None:
    """In the middle of a window it opens now; and now is an instant, not a local time."""
    beijing = timezone(timedelta(hours=8))
    slot = next_slot(WECHAT_NOTICE_DEBIT, BANKS, datetime(2026, 1, 10, 12, tzinfo=beijing))
    assert slot.at == utc(2026, 1, 10, 4)
    assert slot.at.tzinfo is UTC
