"""Calendars that a government publishes year by year, kept as TOML beside this file."""

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from domain.calendar import BankingCalendar
from domain.errors import InvalidInput

LONGEST_SPAN_DAYS = 31


def read(stem: str) -> BankingCalendar:
    """Read `{stem}.toml`; a day that is both holiday and working day is a fault in the file."""
    with Path(__file__).with_name(f"{stem}.toml").open("rb") as file:
        return parse(tomllib.load(file))


def parse(document: dict[str, Any]) -> BankingCalendar:
    """Build a calendar from a read document.

    Raises:
        InvalidInput: a year without source, a span that is backwards or too long, a day twice.
    """
    holidays: set[date] = set()
    working: set[date] = set()
    for year, notice in document["year"].items():
        if not notice["sources"]:
            raise InvalidInput(f"year {year} sources", notice["sources"], "at least one notice")
        for span in notice["holidays"]:
            holidays |= _days(span)
        for day in notice["working_days"]:
            working |= _days(day)
    if both := holidays & working:
        raise InvalidInput("holidays", min(both), "not a working day as well")
    return BankingCalendar(
        name=document["name"],
        holidays=frozenset(holidays),
        extra_working_days=frozenset(working),
        confirmed_from=document["confirmed_from"],
        confirmed_until=document["confirmed_until"],
    )


def _days(span: str) -> set[date]:
    first, _, last = span.partition("/")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise InvalidInput("span", span, "YYYY-MM-DD, or two of them with a slash") from None
    length = (end - start).days + 1
    if not 1 <= length <= LONGEST_SPAN_DAYS:
        raise InvalidInput("span", span, f"1 to {LONGEST_SPAN_DAYS} days, first before last")
    return {start + timedelta(days=offset) for offset in range(length)}
