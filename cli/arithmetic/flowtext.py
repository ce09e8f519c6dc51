"""Advances and payments as words: `AMOUNT[xCOUNT][@DATE][/EVERY]`, or rows of a CSV file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from adapters.inputfile import csv_table, open_text
from cli.options import day_of
from domain.errors import InvalidInput
from domain.money import MINOR_MAX, Rounding, parse_decimal, round_minor
from domain.pricing.apr import AprMethod
from domain.pricing.cashflow import MOST_FLOWS, Flow
from domain.pricing.clock import MONTH
from domain.pricing.timing import Payments, Timed, dated, of_dates, undated
from domain.pricing.unitperiod import UnitPeriod

LONGEST_BYTES = 8_000_000
SCALE = 10_000
"""Amounts are taken to four decimals, the most that any currency has."""
_GROUP = re.compile(
    r"(?P<amount>[^x@/]+)(x(?P<count>[0-9]{1,5}))?(@(?P<day>[^x@/]+))?(/(?P<every>[^x@/]+))?"
)
_RATIO = re.compile(r"([0-9]{1,6})/([1-9][0-9]{0,5})", re.ASCII)
_COLUMNS = ({"date", "amount"}, {"period", "amount"}, {"period", "fraction", "amount"})


@dataclass(frozen=True, slots=True)
class FlowText:
    """The words of `--advance`, `--payment` and `--unit-period`."""

    method: AprMethod
    advances: tuple[str, ...]
    payments: tuple[str, ...]
    unit_period: str

    @property
    def unit(self) -> UnitPeriod | None:
        """The unit period named, if any."""
        return UnitPeriod.parse(self.unit_period) if self.unit_period else None

    def read(self, odd_days: int, odd_periods: str) -> Timed:
        """Flows on the clock of the method.

        Raises:
            InvalidInput: names the option, its value, and the rule it breaks.
        """
        if not self.advances:
            raise InvalidInput("advance", "", "at least one AMOUNT[@DATE]")
        if not self.payments:
            raise InvalidInput("payment", "", "at least one AMOUNT[xCOUNT][@DATE][/EVERY]")
        lent = [_group("advance", text) for text in self.advances]
        paid = [_group("payment", text) for text in self.payments]
        if odd_days < 0:
            raise InvalidInput("odd_days", odd_days, "not negative")
        if any(group.on for group in (*lent, *paid)):
            for field, value in (("odd_days", odd_days), ("odd_periods", odd_periods)):
                if value:
                    raise InvalidInput(field, value, "none: the dates say it")
            return dated(lent, paid, self.method, self.unit)
        if len(lent) > 1 or lent[0].count > 1:
            raise InvalidInput("advance", self.advances[-1], "dates, where there are several")
        before = ratio("odd_periods", odd_periods) if odd_periods else None
        return undated(lent[0].minor, paid, self.method, self.unit, before, odd_days)


def read_csv(name: str, text: FlowText) -> Timed:
    """Flows of a file with the columns date,amount or period[,fraction],amount."""
    if text.advances or text.payments:
        raise InvalidInput("flows", name, "alone, without --advance and --payment")
    with open_text(Path(name), LONGEST_BYTES) as file:
        table = csv_table(file, Path(name))
        columns = {name.lower() for name in next(table, (1, {}))[1]}
        if columns not in _COLUMNS:
            rule = "columns date,amount or period,amount or period,fraction,amount"
            raise InvalidInput("flows header", ",".join(sorted(columns)), rule)
        rows = []
        for line, row in table:
            said = {name.lower(): value for name, value in row.items()}
            rows.append((f"flows line {line}", said))
            if len(rows) > MOST_FLOWS:
                raise InvalidInput("flows", name, f"at most {MOST_FLOWS} rows")
    if "date" in columns:
        amounts = [
            (day_of(f"{where} date", row["date"]), _minor(f"{where} amount", row["amount"]))
            for where, row in rows
        ]
        return of_dates(amounts, text.method, text.unit)
    unit = text.unit or MONTH
    return Timed(tuple(_flow(where, row) for where, row in rows), unit.per_year, unit)


def ratio(field: str, text: str) -> Fraction:
    """Read a number that is not negative, whole, decimal or such as 52/60."""
    if match := _RATIO.fullmatch(text):
        return Fraction(int(match[1]), int(match[2]))
    number = Fraction(parse_decimal(text, field))
    if number < 0:
        raise InvalidInput(field, text, "not negative")
    return number


def _flow(where: str, row: dict[str, str]) -> Flow:
    period = ratio(f"{where} period", row["period"])
    if "fraction" not in row:
        whole, part = divmod(period, 1)
        return Flow(_minor(f"{where} amount", row["amount"]), int(whole), part)
    if period.denominator != 1:
        raise InvalidInput(f"{where} period", row["period"], "whole, beside a fraction")
    part = ratio(f"{where} fraction", row["fraction"])
    return Flow(_minor(f"{where} amount", row["amount"]), int(period), part)


def _group(field: str, text: str) -> Payments:
    match = _GROUP.fullmatch(text)
    if match is None:
        raise InvalidInput(field, text, "AMOUNT[xCOUNT][@DATE][/EVERY]")
    return Payments(
        minor=_minor(field, match["amount"]),
        count=int(match["count"] or 1),
        on=day_of(field, match["day"]) if match["day"] else None,
        every=UnitPeriod.parse(match["every"]) if match["every"] else None,
    )


def _minor(field: str, text: str) -> int:
    exact = Fraction(parse_decimal(text, field)) * SCALE
    if exact.denominator != 1 or abs(exact) > MINOR_MAX * SCALE:
        raise InvalidInput(field, text, "at most four decimals")
    return exact.numerator


def per_year_text(per_year: Fraction) -> str:
    """Unit periods a year: `12`, or to six decimals."""
    if per_year.denominator == 1:
        return str(per_year.numerator)
    return decimal_of(per_year, 6)


def decimal_of(value: Fraction, decimals: int) -> str:
    """A fraction as decimal text, rounded half up."""
    minor = round_minor(value * 10**decimals, Rounding.HALF_UP)
    return f"{Decimal(minor).scaleb(-decimals):f}"
