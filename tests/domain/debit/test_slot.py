"""When the next attempt goes out: waits, paydays, windows, and limits per day or span."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.codes import RetryLimit
from domain.debit.outcome import OutcomeClass
from domain.debit.retry import RetryAt
from tests.domain.debit.cases import DUE, PLAN, RAIL, at, attempt, decide, rule, slot


def day(n: int) -> date:
    """March 2026 by its day; the second is the Monday on which all begins."""
    return date(2026, 3, n)


def test_waits_follow_the_plan_and_the_last_one_repeats() -> None:
    """One, three, five banking days; after the third failure and every later one, five."""
    plan = replace(PLAN, attempts_max=9, stop_after_days=90)
    rail = replace(RAIL, attempts_max=9)
    history = [attempt(1)]
    days = []
    for number in range(2, 6):
        decision = decide(*history, plan=plan, rail=rail)
        assert isinstance(decision, RetryAt)
        days.append(decision.value_on)
        history.append(attempt(number, on=decision.value_on))
    assert days == [day(3), day(6), day(13), day(20)]


def test_waits_are_counted_from_the_last_attempt_whatever_the_order_of_the_list() -> None:
    """A list in any order tells the same history."""
    first, second = attempt(1), attempt(2, on=day(3))
    assert slot(second, first) == slot(first, second) == at(day(6), 9)


def test_a_wait_jumps_over_weekends_and_closures_and_uses_make_up_days() -> None:
    """Friday to Monday; 30 April to 6 May; Friday 8 May to the worked Saturday."""
    friday = attempt(on=day(6))
    assert slot(friday) == at(day(9), 9)
    plan = replace(PLAN, stop_after_days=300)
    before = attempt(on=date(2026, 4, 30))
    assert slot(before, plan=plan) == at(date(2026, 5, 6), 9)
    make_up = attempt(on=date(2026, 5, 8))
    assert slot(make_up, plan=plan) == at(date(2026, 5, 9), 9)


def test_a_wait_is_stretched_to_a_payday_within_reach() -> None:
    """The payday itself, the nearest of several, never one beyond the reach or before the wait."""
    for reach, paydays, expected in (
        (7, (10,), 10),
        (6, (10,), 3),
        (7, (10, 5), 5),
        (0, (3,), 3),
        (7, (2,), 3),
    ):
        plan = replace(PLAN, paydays=paydays, payday_reach_days=reach)
        assert slot(attempt(), plan=plan) == at(day(expected), 9), (reach, paydays)


def test_a_payday_on_a_weekend_is_debited_on_the_banking_day_after() -> None:
    """Saturday the 7th is paid by then; the debit follows on Monday."""
    plan = replace(PLAN, paydays=(7,), payday_reach_days=5)
    assert slot(attempt(), plan=plan) == at(day(9), 9)


@pytest.mark.parametrize("payday", [29, 30, 31])
def test_a_payday_that_a_month_lacks_is_its_last_day(payday: int) -> None:
    """February has 28 days in 2026, and wages are paid all the same."""
    plan = replace(PLAN, paydays=(payday,), payday_reach_days=10)
    ended = attempt(on=date(2026, 2, 23))
    # 28 February 2026 is a Saturday.
    assert slot(ended, plan=plan) == at(day(2), 9)


def test_a_wait_of_nothing_is_the_same_day_but_never_the_past() -> None:
    """Ended at half past nine: the plan's nine o'clock is past, so now, or the next morning."""
    plan = replace(PLAN, wait_banking_days=(0,))
    assert slot(attempt(), plan=plan) == at(day(2), 9, 30)
    assert slot(attempt(), plan=replace(plan, at=time(15))) == at(day(2), 15)
    late = attempt(ended_at=at(day(2), 21))
    assert slot(late, plan=plan) == at(day(3), 7)
    sunday = attempt(on=day(8), ended_at=at(day(8), 12))
    assert slot(sunday, plan=plan) == at(day(9), 9)
    every_day = replace(RAIL, every_day=True)
    assert slot(sunday, plan=plan, rail=every_day) == at(day(8), 12)


def test_no_more_attempts_in_a_day_than_the_rail_allows() -> None:
    """Two have gone out today, so the third waits for the plan's hour tomorrow."""
    plan = replace(PLAN, wait_banking_days=(0,))
    first, second = attempt(1), attempt(2, intended_at=at(day(2), 10), ended_at=at(day(2), 11))
    assert slot(first, second, plan=plan) == at(day(3), 9)
    assert slot(first, second, plan=plan, rail=replace(RAIL, attempts_per_day=3)) == at(day(2), 11)
    single = replace(RAIL, attempts_per_day=1)
    assert slot(first, plan=plan, rail=single) == at(day(3), 9)
    nothing = replace(second, state=AttemptState.NOT_EXECUTED, outcome_class=OutcomeClass.TECH)
    assert slot(first, nothing, plan=plan) == at(day(2), 11)
    never = replace(RAIL, attempts_per_day=0)
    assert rule(first, rail=never) == "rail.attempts_per_day"


def test_a_days_attempts_are_counted_on_the_rails_walls() -> None:
    """One minute to midnight in Shanghai is another day there, though not yet in UTC."""
    plan = replace(PLAN, wait_banking_days=(0,), at=time(0))
    open_all_day = replace(
        RAIL, opens=time(0), closes=time(23, 59, 59), cut_off=time(23, 59, 59), attempts_per_day=1
    )
    eve = attempt(intended_at=at(day(2), 23, 58), ended_at=at(day(3), 0, 5))
    assert slot(eve, plan=plan, rail=open_all_day) == at(day(3), 0, 5)


def test_limits_per_span_push_the_slot_to_the_moment_that_frees_one() -> None:
    """Two in any 240 hours: the third waits until the older of the last two is ten days old."""
    limit = RetryLimit("net", "the network's rule", rolling_max=2, rolling_hours=240)
    first, second = attempt(1), attempt(2, on=day(3))
    assert slot(first, second, limits=(limit,)) == at(day(12), 9)
    assert slot(first, limits=(limit,)) == at(day(3), 9)
    older = (attempt(1), attempt(2, on=day(4)), attempt(3, on=day(5)))
    assert slot(*older, limits=(limit,)) == at(day(16), 7)
    none = RetryLimit("net.zero", "never", rolling_max=1, rolling_hours=24 * 400)
    assert rule(first, limits=(none,), plan=replace(PLAN, stop_after_days=30)) == (
        "product.stop_after_days"
    )


def test_a_cool_down_of_a_code_is_kept() -> None:
    """Advice 24 to 30 of a card network asks for hours or days; others do not wait for it."""
    limit = RetryLimit("net.wait", "the network's rule", applies_to=("28",), wait_hours=144)
    advised = attempt(code="28")
    assert slot(advised, limits=(limit,)) == at(day(9), 7)  # Sunday 09:30 is no banking day
    assert slot(attempt(), limits=(limit,)) == at(day(3), 9)


def test_a_rail_with_a_lead_gets_the_order_ahead_of_the_day_waited_for() -> None:
    """Two banking days ahead: sent on the 4th for the 6th; never in the past, then later."""
    rail = replace(RAIL, lead_banking_days=2)
    plan = replace(PLAN, wait_banking_days=(4,))
    decision = decide(attempt(), rail=rail, plan=plan)
    assert isinstance(decision, RetryAt)
    assert (decision.not_before, decision.value_on) == (at(day(4), 9), day(6))
    hurried = decide(attempt(), rail=rail)
    assert isinstance(hurried, RetryAt)
    assert (hurried.not_before, hurried.value_on) == (at(day(2), 9, 30), day(4))


def test_product_hours_and_rail_hours_may_live_in_different_zones() -> None:
    """Nine in London is five in the afternoon in Shanghai, inside the rail's window."""
    ended = attempt(ended_at=datetime(2026, 3, 2, 8, tzinfo=UTC))
    assert slot(ended, timezone="Europe/London") == datetime(2026, 3, 3, 9, tzinfo=UTC)
    evening = replace(PLAN, at=time(20))
    # Twenty hours in London is four in the morning in Shanghai: opening time there.
    assert slot(ended, timezone="Europe/London", plan=evening) == at(day(4), 7)


def test_a_retry_beyond_the_confirmed_calendar_says_so() -> None:
    """Next year's closures are not gazetted yet: the date may move, and the reason tells."""
    late = attempt(on=date(2026, 12, 31))
    decision = decide(late, due_on=date(2026, 12, 31))
    assert isinstance(decision, RetryAt)
    assert decision.value_on == date(2027, 1, 1)
    assert "calendar CN is not confirmed for 2027-01-01" in decision.reason
    within = decide(attempt(), due_on=DUE)
    assert isinstance(within, RetryAt)
    assert within.reason == "NSF (64); presented 1 of 4 (product.attempts_max); value 2026-03-03"
    nothing = decide(attempt(outcome_class=None, code="", state=AttemptState.NOT_EXECUTED))
    assert isinstance(nothing, RetryAt)
    assert nothing.reason.startswith("NOT_EXECUTED: proven not executed; presented 0 of 4")
    bare = decide(attempt(code=""))
    assert isinstance(bare, RetryAt)
    assert bare.reason.startswith("NSF; ")


def test_the_slot_is_found_within_a_bounded_search() -> None:
    """Forty presentments in one day, one allowed: still one step per day, not per attempt."""
    many = [attempt(n, ended_at=at(day(2), 9) + timedelta(minutes=n)) for n in range(1, 41)]
    rail = replace(RAIL, attempts_max=99, attempts_per_day=1)
    plan = replace(PLAN, attempts_max=99, wait_banking_days=(0,))
    assert slot(*many, rail=rail, plan=plan) == at(day(3), 9)
