"""The first moment, the last moment and the value day of a first presentment."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.debit.presentment import earliest_slot, first_presentment
from domain.errors import InvalidInput
from tests.domain.debit.cases import CALENDAR, RAIL, at

MONDAY = date(2026, 3, 2)
SATURDAY = date(2026, 3, 7)
YEAR_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


def test_an_ordinary_due_date_is_debited_on_that_day_at_the_products_hour() -> None:
    """From nine until the cut-off, which comes before closing."""
    found = first_presentment(MONDAY, time(9), RAIL, CALENDAR)
    assert found.not_before == at(MONDAY, 9)
    assert found.last_at == at(MONDAY, 21)
    assert found.value_on == MONDAY
    assert found.reason == "due 2026-03-02"
    assert found.not_before.tzinfo is UTC


def test_a_due_date_on_a_weekend_moves_to_the_following_banking_day() -> None:
    """Unless the rail works every day: then the debit does not wait."""
    found = first_presentment(SATURDAY, time(9), RAIL, CALENDAR)
    assert (found.not_before, found.value_on) == (at(date(2026, 3, 9), 9), date(2026, 3, 9))
    assert found.reason == "due 2026-03-07; no banking day, so value 2026-03-09"
    daily = first_presentment(SATURDAY, time(9), replace(RAIL, every_day=True), CALENDAR)
    assert (daily.not_before, daily.value_on) == (at(SATURDAY, 9), SATURDAY)


def test_a_lead_is_counted_back_in_banking_days() -> None:
    """Two banking days before Monday is Thursday; before 6 May it is 29 April."""
    rail = replace(RAIL, lead_banking_days=2)
    found = first_presentment(date(2026, 3, 9), time(9), rail, CALENDAR)
    assert (found.not_before, found.value_on) == (at(date(2026, 3, 5), 9), date(2026, 3, 9))
    assert found.last_at == at(date(2026, 3, 5), 21)
    assert found.reason == "due 2026-03-09; sent 2 banking days ahead"
    closed = first_presentment(date(2026, 5, 1), time(9), rail, CALENDAR)
    assert (closed.not_before, closed.value_on) == (at(date(2026, 4, 29), 9), date(2026, 5, 6))
    daily = replace(rail, every_day=True)
    assert first_presentment(SATURDAY, time(9), daily, CALENDAR).value_on == date(2026, 3, 9)


@pytest.mark.parametrize(
    ("wanted", "hour"), [(time(6, 59), 7), (time(7), 7), (time(21), 7), (time(23), 7)]
)
def test_an_hour_outside_the_window_becomes_its_opening(wanted: time, hour: int) -> None:
    """Too early and too late both mean: as soon as the rail takes orders that day."""
    found = first_presentment(MONDAY, wanted, RAIL, CALENDAR)
    assert found.not_before == at(MONDAY, hour)
    assert ("outside 07:00-21:00" in found.reason) is (wanted != time(7))


def test_the_last_minute_before_the_cut_off_is_inside() -> None:
    """The cut-off itself is too late."""
    assert first_presentment(MONDAY, time(20, 59), RAIL, CALENDAR).not_before == at(MONDAY, 20, 59)


def test_closing_counts_where_it_comes_before_the_cut_off() -> None:
    """Whichever is earlier ends the day."""
    early = replace(RAIL, closes=time(17), cut_off=time(20))
    assert first_presentment(MONDAY, time(9), early, CALENDAR).last_at == at(MONDAY, 17)


def test_a_day_beyond_the_confirmed_calendar_is_marked() -> None:
    """The result stands, and says what it depends on."""
    inside = first_presentment(date(2026, 12, 31), time(9), RAIL, CALENDAR)
    beyond = first_presentment(date(2027, 1, 4), time(9), RAIL, CALENDAR)
    assert "not confirmed" not in inside.reason
    assert "calendar CN is not confirmed for 2027-01-04" in beyond.reason


@pytest.mark.parametrize(
    ("given_at", "expected"),
    [
        (at(MONDAY, 6), at(MONDAY, 7)),
        (at(MONDAY, 7), at(MONDAY, 7)),
        (at(MONDAY, 12, 34), at(MONDAY, 12, 34)),
        (at(MONDAY, 20, 59), at(MONDAY, 20, 59)),
        (at(MONDAY, 21), at(date(2026, 3, 3), 7)),
        (at(date(2026, 3, 6), 21), at(date(2026, 3, 9), 7)),
        (at(SATURDAY, 12), at(date(2026, 3, 9), 7)),
        (at(date(2026, 4, 30), 22), at(date(2026, 5, 6), 7)),
    ],
)
def test_the_next_slot_is_inside_the_window_on_a_banking_day(
    given_at: datetime, expected: datetime
) -> None:
    """Before opening, inside, after the cut-off, over weekends and closures."""
    assert earliest_slot(given_at, RAIL, CALENDAR) == expected


def test_a_rail_that_works_every_day_has_no_weekend() -> None:
    """Saturday noon is good; Friday night becomes Saturday morning."""
    daily = replace(RAIL, every_day=True)
    assert earliest_slot(at(SATURDAY, 12), daily, CALENDAR) == at(SATURDAY, 12)
    assert earliest_slot(at(date(2026, 3, 6), 22), daily, CALENDAR) == at(SATURDAY, 7)


def test_windows_keep_their_wall_clock_through_a_change_of_the_clocks() -> None:
    """London opens at seven by its own clocks: 07:00 UTC in winter, 06:00 UTC in summer."""
    london = replace(RAIL, timezone="Europe/London", every_day=True)
    winter = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert earliest_slot(winter, london, CALENDAR) == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert earliest_slot(winter - timedelta(days=1), london, CALENDAR) == datetime(
        2026, 3, 28, 7, tzinfo=UTC
    )


def test_a_rail_whose_cut_off_comes_before_it_opens_is_refused() -> None:
    """Such a rail would never take an order; better said than searched for."""
    with pytest.raises(InvalidInput, match="window"):
        earliest_slot(at(MONDAY, 9), replace(RAIL, cut_off=time(6)), CALENDAR)


@given(st.integers(0, 334 * 24 * 60).map(lambda n: YEAR_BEGINS + timedelta(minutes=n)))
def test_a_slot_is_never_early_and_asking_again_changes_nothing(asked: datetime) -> None:
    """Not before the instant asked for, inside the window, on a banking day, and idempotent."""
    found = earliest_slot(asked, RAIL, CALENDAR)
    local = found + timedelta(hours=8)
    assert asked <= found <= asked + timedelta(days=10)
    assert time(7) <= local.time() < time(21)
    assert CALENDAR.is_banking_day(local.date())
    assert earliest_slot(found, RAIL, CALENDAR) == found
