"""Unit periods, in which an APR counts time, and how many of them lie between two dates.

Sources: Regulation Z, 12 CFR 1026 appendix J (b) (4) and (5); Directive 2008/48/EC annex I and
2014/17/EU annex I, remarks on intervals.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal, Self, assert_never

from domain.errors import InvalidInput
from domain.pricing.daycount import add_months, whole_months
from domain.pricing.frequency import Frequency

Unit = Literal["day", "week", "half-month", "month", "year"]
_WRITTEN = re.compile(r"([1-9][0-9]{0,2})([dwmy])", re.ASCII)
_LETTERS: dict[str, Unit] = {"d": "day", "w": "week", "m": "month", "y": "year"}
_MOST: dict[Unit, int] = {"day": 365, "week": 52, "half-month": 1, "month": 12, "year": 1}
_PER_YEAR: dict[Unit, int] = {"day": 365, "week": 52, "half-month": 24, "month": 12, "year": 1}
_DAYS: dict[Unit, int] = {"day": 1, "week": 7, "half-month": 15, "month": 30, "year": 365}
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class UnitPeriod:
    """A number of days, weeks or months, a half-month, or a year; at most one year."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if not 1 <= self.count <= _MOST[self.unit]:
            raise InvalidInput("unit_period", str(self), "at most one year")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `day`, `week`, `half-month`, `month`, `year`, or a number with d, w, m or y."""
        for unit in _MOST:
            if text == unit:
                return cls(1, unit)
        if match := _WRITTEN.fullmatch(text):
            count, unit = int(match[1]), _LETTERS[match[2]]
            return (
                cls(1, "year") if (count, unit) == (_MONTHS_A_YEAR, "month") else cls(count, unit)
            )
        raise InvalidInput("unit_period", text, "month, week, half-month, day, year, or such as 2m")

    @classmethod
    def of(cls, every: Frequency) -> Self:
        """The unit period of installments that far apart; a year where it is longer."""
        if every.count >= _MOST[every.unit] > 1:
            return cls(1, "year")
        return cls(every.count, every.unit)

    def __str__(self) -> str:
        return self.unit if self.count == 1 else f"{self.count}{self.unit[0]}"

    @property
    def per_year(self) -> Fraction:
        """Unit periods in a year: 12, 24, 52, 365 or 1, divided by the count."""
        return Fraction(_PER_YEAR[self.unit], self.count)

    @property
    def days(self) -> int:
        """Days by which odd days are divided: 30 a month, 15, 7, 1, 365."""
        return _DAYS[self.unit] * self.count

    @property
    def every(self) -> Frequency:
        """Payments one unit period apart."""
        if self.unit == "year":
            return Frequency(_MONTHS_A_YEAR, "month")
        return Frequency(self.count, self.unit)

    def between_us(self, start: date, end: date) -> Fraction:
        """Unit periods by appendix J (b) (5): months back from the later date, odd days by 30."""
        match self.unit:
            case "day" | "week":
                return Fraction((end - start).days, self.days)
            case "half-month" | "month":
                months, odd = whole_months(start, end)
                return Fraction(months * 30 + odd, self.days)
            case "year":
                months, odd = whole_months(start, end)
                years, rest = divmod(months, _MONTHS_A_YEAR)
                if not odd:
                    return years + Fraction(rest, _MONTHS_A_YEAR)
                turn = add_months(end, -years * _MONTHS_A_YEAR)
                return years + Fraction((turn - start).days, 365)
            case _:
                assert_never(self.unit)


def years_between_eu(start: date, end: date, unit: UnitPeriod) -> Fraction:
    """Years by the directives: whole periods back from `end`, then days over that year's length.

    Weeks are 1/52, months 1/12 of a year. Days that are left at the beginning are divided by the
    days (365 or 366) of the year that ends where they end.
    """
    if unit.unit == "week":
        weeks, odd = divmod((end - start).days, 7)
        return Fraction(weeks, 52) + _days_of_year(start, start + timedelta(days=odd))
    months, odd = whole_months(start, end)
    if odd and unit.unit in {"day", "year"}:
        months -= months % _MONTHS_A_YEAR
        odd = (add_months(end, -months) - start).days
    return Fraction(months, _MONTHS_A_YEAR) + _days_of_year(start, start + timedelta(days=odd))


def _days_of_year(start: date, end: date) -> Fraction:
    return Fraction((end - start).days, (end - add_months(end, -_MONTHS_A_YEAR)).days)
