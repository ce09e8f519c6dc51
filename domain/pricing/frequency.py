"""How often something falls due, and the dates that follow from a first one."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal, Self, assert_never

from domain.errors import InvalidInput
from domain.pricing.daycount import add_months

Unit = Literal["month", "week", "day", "half-month"]
_WRITTEN = re.compile(r"([1-9][0-9]{0,2})(m|w|d)", re.ASCII)
_UNITS: dict[str, Unit] = {"m": "month", "w": "week", "d": "day"}
MOST = {"month": 120, "week": 520, "day": 999, "half-month": 1}


@dataclass(frozen=True, slots=True)
class Frequency:
    """Every `count` units; a half-month comes alone: two dates a month, 15 days apart."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST[self.unit]:
            raise InvalidInput("every", f"{self.count} {self.unit}", f"1 to {MOST[self.unit]}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1m`, `3m`, `1w`, `2w`, `10d` or `half-month`."""
        if text == "half-month":
            return cls(1, "half-month")
        if match := _WRITTEN.fullmatch(text):
            return cls(int(match[1]), _UNITS[match[2]])
        raise InvalidInput("every", text, "half-month, or a number with m, w or d, such as 1m")

    def __str__(self) -> str:
        return "half-month" if self.unit == "half-month" else f"{self.count}{self.unit[0]}"

    def date_at(self, first: date, index: int, anchor: int | None = None) -> date:
        """The date `index` periods after `first` (before it if negative).

        Months keep the anchor day (that of `first` unless given): 31 January, 28 February,
        31 March. Half-months keep two days of the month: the anchor and 15 days from it (the 15th
        goes with the 30th, and so does the 31st with the 15th), the later one clipped to the
        month's end.
        """
        match self.unit:
            case "month":
                return add_months(first, self.count * index, anchor or first.day)
            case "half-month":
                return _half_month(first, index, anchor or first.day)
            case "week":
                return _plus_days(first, 7 * self.count * index)
            case "day":
                return _plus_days(first, self.count * index)
            case _:
                assert_never(self.unit)

    @property
    def year_fraction(self) -> Fraction:
        """One regular period as a fraction of a year: 1/12, 1/24, 1/52, 1/365 for each unit."""
        per_year = {"month": 12, "half-month": 24, "week": 52, "day": 365}[self.unit]
        return Fraction(self.count, per_year)


def _half_month(first: date, index: int, anchor: int) -> date:
    other = anchor + 15 if anchor <= 15 else min(anchor, 30) - 15
    early, late = sorted((anchor, other))
    is_late = first.day > 15
    months, second = divmod(index + is_late, 2)
    return add_months(first, months, late if second else early)


def _plus_days(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise InvalidInput("date", f"{day} + {days} days", "a year from 1 to 9999") from None
