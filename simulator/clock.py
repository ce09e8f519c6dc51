"""The simulator's time: wall plus an offset, in whole milliseconds, and the bank's calendar."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has had no summer time since 1991, so a fixed offset is exact."""

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
OPENS_AT, CLOSES_AT = 7 * HOUR, 22 * HOUR
"""Service hours of the bank, milliseconds after midnight in Shanghai."""
DAY_ENDS_AT = 23 * HOUR + 30 * MINUTE
SATURDAY = 5
"""As `date.weekday` counts."""


@dataclass(slots=True)
class Clock:
    """Wall plus offset; the offset only grows."""

    offset_ms: int = 0

    def now(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return time.time_ns() // 1_000_000 + self.offset_ms


def iso(ms: int) -> str:
    """Write an instant as ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(ms // SECOND, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ms % SECOND:03d}Z"


def local(ms: int) -> datetime:
    """Return the instant on Shanghai's wall clocks (whole seconds)."""
    return datetime.fromtimestamp(ms // SECOND, SHANGHAI)


def day_of(ms: int) -> date:
    """Return the calendar day in Shanghai."""
    return local(ms).date()


def at(day: date, since_midnight_ms: int) -> int:
    """Return the instant so many milliseconds after midnight of a day in Shanghai."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return int(midnight.timestamp()) * SECOND + since_midnight_ms


def in_service(ms: int) -> bool:
    """Say whether the bank takes and executes orders at this instant."""
    return OPENS_AT <= ms - at(day_of(ms), 0) < CLOSES_AT


def next_service(ms: int) -> int:
    """Return this instant if the bank is open, else the next opening."""
    if in_service(ms):
        return ms
    today = day_of(ms)
    opening = at(today, OPENS_AT)
    return opening if ms < opening else at(today + timedelta(days=1), OPENS_AT)


@dataclass(frozen=True, slots=True)
class BankDays:
    """Banking days: Monday to Friday without `off`, and the make-up working days of `work`."""

    off: Collection[date] = field(default_factory=frozenset)
    work: Collection[date] = field(default_factory=frozenset)

    def is_open(self, day: date) -> bool:
        """Say whether bookings carry this date."""
        return day in self.work or (day.weekday() < SATURDAY and day not in self.off)

    def on_or_after(self, day: date) -> date:
        """Return the first banking day from `day` on; raise ValueError after two closed years."""
        for ahead in range(732):
            if self.is_open(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        msg = f"no banking day within two years of {day}"
        raise ValueError(msg)

    def after(self, day: date, count: int) -> date:
        """Return the banking day `count` banking days after `day` (count of at least one)."""
        for _ in range(count):
            day = self.on_or_after(day + timedelta(days=1))
        return day
