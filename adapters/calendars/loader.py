"""`load_calendar`: one banking calendar by its name, read or computed once."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache

from adapters.calendars import gazette, rules
from domain.calendar import BankingCalendar
from domain.errors import InvalidInput


def _every_day() -> BankingCalendar:
    """Every day is a banking day: for rails that never close, and for tests."""
    return BankingCalendar("NONE", frozenset(), frozenset(), date.min, date.max, frozenset())


CALENDARS: Mapping[str, Callable[[], BankingCalendar]] = {
    "CN": lambda: gazette.read("cn"),
    "TARGET": rules.target,
    "US-FED": rules.federal_reserve,
    "ENGLAND": rules.england,
    "NONE": _every_day,
}


@cache
def load_calendar(name: str) -> BankingCalendar:
    """The calendar of that name.

    Raises:
        InvalidInput: no calendar has that name.
    """
    if name not in CALENDARS:
        raise InvalidInput("calendar", name, f"one of {', '.join(CALENDARS)}")
    return CALENDARS[name]()
