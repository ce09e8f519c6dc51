"""Banking days, adjusting rules, and windows within a day on both sides of a clock change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import (
    LONGEST_CLOSURE_DAYS,
    MOST_BANKING_DAYS,
    Adjust,
    BankingCalendar,
    DayWindow,
    earliest_in_window,
    latest_in_window,
    local_day,
    local_instant,
)
from domain.errors import InvalidInput

SPRING_FESTIVAL = frozenset(date(2026, 2, 15) + timedelta(days=n) for n in range(9))
CHINA = BankingCalendar(
    name="test",
    holidays=SPRING_FESTIVAL,
    extra_working_days=frozenset({date(2026, 2, 14), date(2026, 2, 28)}),
    confirmed_from=date(2026, 1, 1),
    confirmed_until=date(2026, 12, 31),
)
BEIJING = DayWindow(time(7), time(22), "Asia/Shanghai")
NEW_YORK = DayWindow(time(2, 30), time(17), "America/New_York")
YEARS = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def test_a_make_up_saturday_is_a_banking_day() -> None:
    """14 February 2026 works, the Saturday before does not, the holiday Monday does not."""
    assert CHINA.is_banking_day(date(2026, 2, 14))
    assert not CHINA.is_banking_day(date(2026, 2, 7))
    assert not CHINA.is_banking_day(date(2026, 2, 16))


@pytest.mark.parametrize(
    ("day", "how", "moved"),
    [
        (date(2026, 2, 15), Adjust.NONE, date(2026, 2, 15)),
        (date(2026, 2, 15), Adjust.FOLLOWING, date(2026, 2, 24)),
        (date(2026, 2, 15), Adjust.PRECEDING, date(2026, 2, 14)),
        (date(2026, 2, 15), Adjust.MODIFIED_FOLLOWING, date(2026, 2, 24)),
        (date(2026, 1, 31), Adjust.FOLLOWING, date(2026, 2, 2)),
        (date(2026, 1, 31), Adjust.MODIFIED_FOLLOWING, date(2026, 1, 30)),
        (date(2026, 1, 30), Adjust.MODIFIED_FOLLOWING, date(2026, 1, 30)),
    ],
)
def test_a_date_moves_as_its_rule_says(day: date, how: Adjust, moved: date) -> None:
    """Over a festival with a make-up day, and at the end of a month."""
    assert CHINA.adjust(day, how) == moved


@pytest.mark.parametrize(
    ("day", "count", "found"),
    [
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        (date(2026, 2, 24), -1, date(2026, 2, 14)),
        (date(2026, 2, 15), 0, date(2026, 2, 24)),
        (date(2026, 2, 14), 0, date(2026, 2, 14)),
        (date(2026, 3, 7), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), -1, date(2026, 3, 6)),
    ],
)
def test_banking_days_are_counted_without_the_day_itself(
    day: date, count: int, found: date
) -> None:
    """One after a Saturday is Monday, one before it Friday, none moves to the next one."""
    assert CHINA.add_banking_days(day, count) == found


@given(DAYS, st.integers(1, 30))
def test_going_forward_and_back_comes_home_to_a_banking_day(day: date, count: int) -> None:
    """From a banking day, n days on and n days back is where it started."""
    start = CHINA.adjust(day, Adjust.FOLLOWING)
    there = CHINA.add_banking_days(start, count)
    assert CHINA.add_banking_days(there, -count) == start
    between = (start + timedelta(days=n + 1) for n in range((there - start).days))
    assert sum(CHINA.is_banking_day(day) for day in between) == count


@given(DAYS, st.sampled_from(Adjust))
def test_adjusting_twice_changes_nothing_more(day: date, how: Adjust) -> None:
    """An adjusted date is a banking day, so it stays, whatever the rule."""
    moved = CHINA.adjust(day, how)
    assert CHINA.adjust(moved, how) == moved


def test_days_outside_what_is_confirmed_say_so() -> None:
    """Both ends belong to it, the days beside them do not."""
    assert CHINA.is_confirmed(date(2026, 1, 1))
    assert CHINA.is_confirmed(date(2026, 12, 31))
    assert not CHINA.is_confirmed(date(2025, 12, 31))
    assert not CHINA.is_confirmed(date(2027, 1, 1))


def test_a_calendar_that_never_opens_is_refused_instead_of_searched_for_ever() -> None:
    """Sixty days without a banking day are a fault in the data."""
    shut = BankingCalendar(
        "shut", frozenset(), frozenset(), date.min, date.max, frozenset(range(7))
    )
    with pytest.raises(InvalidInput, match=str(LONGEST_CLOSURE_DAYS)):
        shut.adjust(date(2026, 1, 1), Adjust.FOLLOWING)


def test_the_longest_closure_is_still_found() -> None:
    """59 days shut and open on the sixtieth is found; one more is not."""
    first = date(2026, 3, 1)
    for closed, found in ((LONGEST_CLOSURE_DAYS - 1, True), (LONGEST_CLOSURE_DAYS, False)):
        days = frozenset(first + timedelta(days=n) for n in range(closed))
        calendar = BankingCalendar("long", days, frozenset(), date.min, date.max, frozenset())
        if found:
            assert calendar.adjust(first, Adjust.FOLLOWING) == first + timedelta(days=closed)
        else:
            with pytest.raises(InvalidInput):
                calendar.adjust(first, Adjust.FOLLOWING)


def test_a_step_of_banking_days_is_bounded() -> None:
    """A typing error must not become a loop of years."""
    every = BankingCalendar("all", frozenset(), frozenset(), date.min, date.max, frozenset())
    start = date(2026, 1, 1)
    far = every.add_banking_days(start, MOST_BANKING_DAYS)
    assert far == start + timedelta(days=MOST_BANKING_DAYS)
    for count in (MOST_BANKING_DAYS + 1, -MOST_BANKING_DAYS - 1):
        with pytest.raises(InvalidInput):
            every.add_banking_days(start, count)


@pytest.mark.parametrize("closes", [time(7), time(6)])
def test_a_window_closes_after_it_opens(closes: time) -> None:
    """Neither at the same time nor before."""
    with pytest.raises(InvalidInput):
        DayWindow(time(7), closes, "Asia/Shanghai")


def test_beijing_windows_know_no_summer_time() -> None:
    """07:00 in Beijing is 23:00 of the day before in UTC, all year round."""
    for month in (1, 7):
        opens = local_instant(date(2026, month, 10), time(7), "Asia/Shanghai")
        assert opens == datetime(2026, month, 9, 23, tzinfo=UTC)
    assert latest_in_window(date(2026, 1, 10), BEIJING) == datetime(2026, 1, 10, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "earliest"),
    [
        (datetime(2026, 1, 9, 22, 59, tzinfo=UTC), datetime(2026, 1, 9, 23, tzinfo=UTC)),
        (datetime(2026, 1, 9, 23, 0, tzinfo=UTC), datetime(2026, 1, 9, 23, tzinfo=UTC)),
        (datetime(2026, 1, 10, 13, 59, tzinfo=UTC), datetime(2026, 1, 10, 13, 59, tzinfo=UTC)),
        (datetime(2026, 1, 10, 14, 0, tzinfo=UTC), datetime(2026, 1, 10, 23, tzinfo=UTC)),
    ],
)
def test_the_earliest_moment_is_now_or_the_next_opening(at: datetime, earliest: datetime) -> None:
    """Before it opens, at the opening, just before closing, and at closing time."""
    assert earliest_in_window(at, BEIJING) == earliest


def test_a_time_that_clocks_skip_is_the_moment_of_the_change() -> None:
    """02:30 on 8 March 2026 does not exist in New York; clocks jump at 07:00 UTC."""
    skipped = local_instant(date(2026, 3, 8), time(2, 30), "America/New_York")
    assert skipped == datetime(2026, 3, 8, 7, tzinfo=UTC)
    at = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)
    assert earliest_in_window(at, NEW_YORK) == skipped


def test_a_time_that_clocks_show_twice_is_its_first_showing() -> None:
    """01:30 on 1 November 2026 comes at 05:30 and 06:30 UTC; a cut-off is never read too late."""
    twice = local_instant(date(2026, 11, 1), time(1, 30), "America/New_York")
    assert twice == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_the_same_hour_lies_elsewhere_in_summer() -> None:
    """17:00 in New York is 22:00 UTC in winter and 21:00 UTC in summer."""
    assert latest_in_window(date(2026, 1, 5), NEW_YORK).hour == 22
    assert latest_in_window(date(2026, 7, 6), NEW_YORK).hour == 21


@given(
    st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: YEARS + timedelta(minutes=minutes)),
    st.sampled_from([BEIJING, NEW_YORK, DayWindow(time(1, 10), time(1, 50), "Europe/London")]),
)
def test_the_earliest_moment_lies_in_the_window_and_not_before(
    at: datetime, window: DayWindow
) -> None:
    """On every day of three years, clock changes included, and asking again changes nothing."""
    found = earliest_in_window(at, window)
    day = local_day(found, window.timezone)
    assert at <= found <= at + timedelta(days=2)
    assert local_instant(day, window.opens, window.timezone) <= found
    assert found < latest_in_window(day, window)
    assert earliest_in_window(found, window) == found


def test_a_window_that_clocks_skip_altogether_opens_the_day_after() -> None:
    """01:10 to 01:50 does not exist in London on 29 March 2026."""
    window = DayWindow(time(1, 10), time(1, 50), "Europe/London")
    at = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert earliest_in_window(at, window) == datetime(2026, 3, 30, 0, 10, tzinfo=UTC)
    evening = datetime(2026, 3, 28, 18, tzinfo=UTC)
    assert earliest_in_window(evening, window) == datetime(2026, 3, 30, 0, 10, tzinfo=UTC)


def test_an_instant_without_a_zone_is_refused() -> None:
    """A naive date-time means a different instant on every machine."""
    with pytest.raises(InvalidInput, match="time zone"):
        earliest_in_window(datetime(2026, 1, 1, 12), BEIJING)  # noqa: DTZ001


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Asia"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    """By name, not by a traceback from the operating system."""
    with pytest.raises(InvalidInput, match="IANA"):
        local_instant(date(2026, 1, 1), time(7), name)
    with pytest.raises(InvalidInput, match="IANA"):
        local_day(datetime(2026, 1, 1, tzinfo=UTC), name)
