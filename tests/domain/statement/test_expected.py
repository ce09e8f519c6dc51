"""By when a statement has to be there: banking days, holidays, local time, change of clocks."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from domain.calendar import BankingCalendar
from domain.statement.expected import LOOK_BACK, Expected
from domain.statement.statement import Statement

HOLIDAY = date(2026, 3, 25)
CALENDAR = BankingCalendar(
    "test", frozenset({HOLIDAY}), frozenset(), date(2026, 1, 1), date(2026, 12, 31)
)
BERLIN = Expected("A", CALENDAR, time(8, 30), "Europe/Berlin", since=date(2026, 3, 23))


def statement(first: date, last: date | None = None) -> Statement:
    period = (first, last or first)
    return Statement("S", "A", "EUR", None, period[1], 0, 0, period=period)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_a_statement_is_due_at_the_local_time_of_the_next_banking_day() -> None:
    """Monday the 23rd is due on Tuesday at 8.30 in Berlin, 7.30 UTC in winter; not before."""
    assert BERLIN.overdue([], at(24, 7, 29)) == ()
    assert BERLIN.overdue([], at(24, 7, 30)) == (date(2026, 3, 23),)
    assert BERLIN.overdue([statement(date(2026, 3, 23))], at(24, 7, 30)) == ()


def test_after_the_change_of_clocks_it_is_due_an_hour_earlier_in_utc() -> None:
    """Friday the 27th is due on Monday the 30th at 8.30 summer time, 6.30 UTC."""
    known = [statement(date(2026, 3, 23), date(2026, 3, 26))]
    assert BERLIN.due_at(date(2026, 3, 27)) == at(30, 6, 30)
    assert BERLIN.overdue(known, at(30, 6, 29)) == ()
    assert BERLIN.overdue(known, at(30, 6, 30)) == (date(2026, 3, 27),)


def test_a_time_that_clocks_skip_is_the_instant_of_the_change() -> None:
    """2.30 on the 29th is never shown in Berlin; a statement of that day is due at 1.00 UTC."""
    sunday = replace(BERLIN, by=time(2, 30), after_days=0, on_holidays=True)
    assert sunday.due_at(date(2026, 3, 29)) == at(29, 1)


def test_nothing_is_expected_of_holidays_and_weekends() -> None:
    """The holiday and the weekend are not missed; with `on_holidays` they are."""
    now = at(31, 12)
    days = BERLIN.overdue([], now)
    assert days == tuple(date(2026, 3, day) for day in (23, 24, 26, 27, 30))
    assert set(replace(BERLIN, on_holidays=True).overdue([], now)) > {*days, HOLIDAY}


def test_only_named_weekdays_have_a_statement() -> None:
    """A bank that sends a statement for Fridays only owes no other day."""
    fridays = replace(BERLIN, weekdays=frozenset({4}))
    assert fridays.overdue([], at(31, 12)) == (date(2026, 3, 27),)


def test_a_month_covers_its_days_and_a_day_without_period_itself() -> None:
    """What tells of a day is counted, whatever else it tells of."""
    month = statement(date(2026, 3, 1), date(2026, 3, 31))
    assert BERLIN.overdue([month], at(31, 12)) == ()
    monday = replace(statement(date(2026, 3, 23)), period=None)
    assert BERLIN.overdue([monday], at(25, 12)) == ()  # the 24th is due after the holiday
    assert BERLIN.overdue([monday], at(26, 12)) == (date(2026, 3, 24),)


def test_a_period_of_thousands_of_years_covers_its_closing_day_only() -> None:
    """A year covers its days. A statement of 0001 to 9999 would silence every day for ever."""
    year = statement(date(2025, 3, 30), date(2026, 3, 31))
    assert BERLIN.overdue([year], at(31, 12)) == ()
    endless = statement(date(2025, 3, 29), date(2026, 3, 31))
    assert BERLIN.overdue([endless], at(26, 12)) == (date(2026, 3, 23), date(2026, 3, 24))
    closing = replace(endless, booked_on=date(2026, 3, 23))
    assert BERLIN.overdue([closing], at(26, 12)) == (date(2026, 3, 24),)


def test_days_long_past_are_not_looked_at() -> None:
    """A sweep after a long pause opens cases for 40 days, not for a year."""
    since = replace(BERLIN, since=date(2025, 1, 1))
    now = at(31, 12)
    assert min(since.overdue([], now)) >= now.date() - LOOK_BACK
    assert min(since.overdue([], now)) <= now.date() - LOOK_BACK + timedelta(days=3)
