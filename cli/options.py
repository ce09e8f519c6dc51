"""Reading the words of command-line options: dates, choices, and DATE=VALUE pairs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from domain.errors import InvalidInput
from domain.money import parse_decimal, parse_minor
from ports.paging import LIMIT_MOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

E = TypeVar("E", bound=StrEnum)
StartOption = Annotated[
    str | None,
    typer.Option(
        "--start",
        metavar="DATE",
        help="Begin the virtual time at this day or instant (UTC unless given), not before today.",
    ),
]
AfterOption = Annotated[str, typer.Option(help="Go on where a page ended.")]
ShownOption = Annotated[int, typer.Option(min=1, max=LIMIT_MOST, help="Show so many at most.")]
MOST_PAIRS = 500
MOST_SPAN_DAYS = 3_660
MOST_AHEAD = timedelta(days=32_850)
"""How far ahead of the wall a sandbox may begin: ninety years, so that its loans end in time."""
FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Dates of loans; beyond them a day more or less would fall off the calendar."""


def day_of(field: str, text: str) -> date:
    """Read `YYYY-MM-DD`; any other way of writing a date is refused by field and value."""
    try:
        found = date.fromisoformat(text) if len(text) == len("YYYY-MM-DD") else None
    except ValueError:
        found = None
    if found is None:
        raise InvalidInput(field, text, "a date, YYYY-MM-DD")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InvalidInput(field, text, f"a date from {FIRST_YEAR} to {LAST_YEAR}")
    return found


def instant_of(field: str, text: str) -> datetime:
    """Read `2026-12-31` or `2026-12-31T09:30+08:00`; a time without zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
        at = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(field, text, "a day or instant in ISO form") from None
    return at


def start_of(text: str | None, now: datetime) -> datetime | None:
    """Read the instant at which a sandbox begins; None where it begins now.

    A day begins at midnight UTC; the day that is today means now.

    Raises:
        InvalidInput: it is before today, since the clocks of the servers only go forward, or more
            than `MOST_AHEAD` away.
    """
    if text is None:
        return None
    at = instant_of("start", text)
    if at <= now and at.date() == now.date():
        return None
    if not now < at <= now + MOST_AHEAD:
        rule = f"a day or instant from {now.date()} to {(now + MOST_AHEAD).date()}"
        raise InvalidInput("start", text, rule)
    return at


def amount_of(field: str, text: str, currency: str) -> int:
    """Read an amount that is not negative, in minor units; refused as it was written."""
    minor = parse_minor(text, currency, field)
    if minor < 0:
        raise InvalidInput(field, text, "not negative")
    return minor


def choice(field: str, text: str, kind: type[E]) -> E:
    """Read one member of an enumeration by its value."""
    try:
        return kind(text)
    except ValueError:
        raise InvalidInput(field, text, f"one of {', '.join(kind)}") from None


def dated(field: str, pairs: Sequence[str] | None) -> Iterator[tuple[date, str]]:
    """Read `DATE=VALUE` pairs, sorted by date."""
    if len(pairs or ()) > MOST_PAIRS:
        raise InvalidInput(field, len(pairs or ()), f"at most {MOST_PAIRS}")
    found = []
    for pair in pairs or ():
        day, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(field, pair, "DATE=VALUE")
        found.append((day_of(field, day), value))
    return iter(sorted(found))


def steps_of(field: str, pairs: Sequence[str]) -> Iterator[tuple[int, Decimal]]:
    """Read `DAYS=PERCENT` pairs in the order given."""
    for pair in pairs:
        days, equals, percent = pair.partition("=")
        if not equals or not days.isascii() or not days.isdigit():
            raise InvalidInput(field, pair, "DAYS=PERCENT")
        yield int(days), parse_decimal(percent, field)


def days_of(field: str, spans: Sequence[str]) -> frozenset[date]:
    """Read `FIRST[/LAST]` spans into the days that they hold, both ends included."""
    days: set[date] = set()
    for span in spans:
        first, _, last = span.partition("/")
        start = day_of(field, first)
        end = day_of(field, last) if last else start
        if not 0 <= (end - start).days < MOST_SPAN_DAYS:
            raise InvalidInput(field, span, f"first before last, at most {MOST_SPAN_DAYS} days")
        days |= {start + timedelta(days=offset) for offset in range((end - start).days + 1)}
    return frozenset(days)
