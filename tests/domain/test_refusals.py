"""What a sender reads when a value is refused: the field, the value as given, and what would do.

These lines stand in API answers, on consoles and in the reports of tapes, so each is held in full.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import Any

import pytest

from domain.calendar import (
    BankingCalendar,
    DayWindow,
    earliest_in_window,
    local_day,
    local_instant,
)
from domain.debit.plan import RetryPlan
from domain.errors import IllegalTransition, InvalidInput, InvariantBroken
from domain.kernel.canonical import canonical
from domain.ledger.entry import Entry, Posting
from domain.loan.lifecycle import Event, State, advance
from domain.money import Money, exponent, largest_remainder, parse_minor

DAY = date(2026, 3, 10)
BANKS = BankingCalendar("test", frozenset(), frozenset(), DAY, DAY)
CLOSED = BankingCalendar("shut", frozenset(), frozenset(), DAY, DAY, frozenset(range(7)))
MORNING = DayWindow(time(8), time(10), "Asia/Shanghai")


def plan(**changed: Any) -> RetryPlan:
    """A lawful plan, with one thing changed."""
    usual: dict[str, Any] = {
        "attempts_max": 3,
        "wait_banking_days": (1,),
        "paydays": (),
        "payday_reach_days": 0,
        "at": time(9),
        "stop_after_days": 0,
    }
    return RetryPlan(**(usual | changed))


REFUSED: list[tuple[Callable[[], object], str]] = [
    # money
    (
        lambda: exponent("eur"),
        "currency: 'eur' is refused: a currency of ISO 4217, such as EUR or CNY",
    ),
    (lambda: parse_minor("1,5", "EUR", "fee"), "fee: '1,5' is refused: a decimal number"),
    (lambda: parse_minor("1,5", "EUR"), "amount: '1,5' is refused: a decimal number"),
    (
        lambda: parse_minor("1.005", "EUR", "fee"),
        "fee: '1.005' is refused: at most 2 decimals for EUR",
    ),
    (
        lambda: parse_minor("10000000000000.01", "EUR", "fee"),
        "fee: '10000000000000.01' is refused: at most 1000000000000000 minor units",
    ),
    # calendar
    (
        lambda: BANKS.add_banking_days(DAY, 10_001),
        "banking days: 10001 is refused: at most 10000 either way",
    ),
    (
        lambda: CLOSED.add_banking_days(DAY, 1),
        "calendar: 'shut' is refused: a banking day within 60 days of 2026-03-11",
    ),
    (
        lambda: DayWindow(time(9), time(9), "UTC"),
        "window: '09:00:00-09:00:00' is refused: opens before it closes",
    ),
    (
        lambda: local_instant(DAY, time(9), "Mars/Base"),
        "timezone: 'Mars/Base' is refused: a name of the IANA time zone database",
    ),
    (
        lambda: local_day(datetime(2026, 3, 10, tzinfo=UTC), "Mars/Base"),
        "timezone: 'Mars/Base' is refused: a name of the IANA time zone database",
    ),
    (
        lambda: earliest_in_window(datetime(2026, 3, 10), MORNING),  # noqa: DTZ001  (the point)
        "instant: 2026-03-10 00:00:00 is refused: a date-time with its time zone",
    ),
    # retry plan
    (lambda: plan(attempts_max=0), "retry.attempts_max: 0 is refused: at least 1"),
    (
        lambda: plan(wait_banking_days=()),
        "retry.wait_banking_days: () is refused: one wait or more, none below 0",
    ),
    (
        lambda: plan(wait_banking_days=(1, -1)),
        "retry.wait_banking_days: (1, -1) is refused: one wait or more, none below 0",
    ),
    (
        lambda: plan(paydays=(15, 32)),
        "retry.paydays: (15, 32) is refused: days of a month, 1 to 31",
    ),
    (lambda: plan(payday_reach_days=-1), "retry.payday_reach_days: -1 is refused: 0 or more"),
    (lambda: plan(stop_after_days=-1), "retry.stop_after_days: -1 is refused: 0 or more"),
    (lambda: plan(declined_retries=-1), "retry.declined_retries: -1 is refused: 0 or more"),
]

BROKEN: list[tuple[Callable[[], object], str]] = [
    (lambda: Money(1, "EUR") + Money(1, "CNY"), "EUR and CNY do not add up"),
    (
        lambda: largest_remainder(1, [Fraction(0)]),
        "weights are not negative and at least one is above zero",
    ),
    (lambda: canonical({1.5}), "no canonical encoding for set"),
    (
        lambda: Entry("fee_paid", DAY, (Posting("cash", 1, "EUR"),)),
        "entry fee_paid has fewer than two postings",
    ),
    (
        lambda: Entry("fee_paid", DAY, (Posting("cash", 0, "EUR"), Posting("fees", 0, "EUR"))),
        "entry fee_paid posts nothing to cash",
    ),
    (
        lambda: Entry("fee_paid", DAY, (Posting("cash", 3, "EUR"), Posting("fees", -2, "EUR"))),
        "entry fee_paid does not balance: 1 EUR",
    ),
    (
        lambda: Entry("paid", DAY, (Posting("bank/A", 3, "EUR"), Posting("fees", -3, "EUR"))),
        "entry paid posts to bank/A at place None",
    ),
    (
        lambda: Entry(
            "moved",
            DAY,
            (
                Posting("bank/A", 3, "EUR", place="bank/A"),
                Posting("bank/B", -3, "EUR", place="bank/B"),
            ),
        ),
        "entry moved does not balance: 3 EUR at bank/A",
    ),
]


@pytest.mark.parametrize(
    ("ask", "answer"), REFUSED, ids=[line.partition(" is refused")[0] for _, line in REFUSED]
)
def test_a_refusal_names_field_value_and_rule(ask: Callable[[], object], answer: str) -> None:
    """In words that a sender can act on."""
    with pytest.raises(InvalidInput) as refused:
        ask()
    assert str(refused.value) == answer


@pytest.mark.parametrize(("ask", "answer"), BROKEN, ids=[line for _, line in BROKEN])
def test_a_broken_invariant_says_what_contradicts_itself(
    ask: Callable[[], object], answer: str
) -> None:
    """In words that somebody who is called at night can act on."""
    with pytest.raises(InvariantBroken) as broken:
        ask()
    assert str(broken.value) == answer


def test_an_error_carries_what_its_words_say() -> None:
    """For programs: field, value and rule of a refusal; state and event of a move that is none."""
    with pytest.raises(InvalidInput) as refused:
        exponent("eur")
    parts = (refused.value.field, refused.value.value, refused.value.rule)
    assert parts == ("currency", "eur", "a currency of ISO 4217, such as EUR or CNY")
    with pytest.raises(IllegalTransition, match=r"^no move from CLOSED on fell_due$") as illegal:
        advance(State.CLOSED, Event.FELL_DUE)
    assert (illegal.value.state, illegal.value.event) == ("CLOSED", "fell_due")
