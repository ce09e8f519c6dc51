"""What a schedule is made from, and the rules that terms must keep before anything is computed."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.errors import InvalidInput
from domain.money import MINOR_MAX, Rounding, exponent
from domain.pricing.daycount import DayCount
from domain.pricing.frequency import Frequency

MOST_PERIODS = 1200
"""A hundred years of months."""
HIGHEST_RATE_PERCENT = Decimal(10_000)
"""Above any lawful rate; a typing error must not become one."""


class Method(StrEnum):
    """How principal and interest are spread over the installments."""

    EQUAL_INSTALLMENT = "equal-installment"
    """The same total each time; interest on the balance."""
    EQUAL_PRINCIPAL = "equal-principal"
    """The same principal each time; interest on the balance."""
    INTEREST_ONLY = "interest-only"
    """Interest each time, the principal with the last one."""
    FLAT = "flat"
    """The same principal each time; interest on the principal first lent."""
    ZERO = "zero"
    """The same principal each time, no interest whatever the rate says."""
    BALLOON = "balloon"
    """Equal installments that leave `balloon_minor`, paid on top of the last one."""
    BULLET = "bullet"
    """One installment at the end of the last period: principal and simple interest."""
    EXPLICIT = "explicit"
    """Rows given by the lender; nothing is computed, everything is checked."""


@dataclass(frozen=True, slots=True)
class ScheduleTerms:
    """Terms of one schedule. Amounts in minor units of `currency`, rates in percent a year.

    Attributes:
        principal_minor: everything lent, `drawdowns` included.
        first_due_on: due date of the first installment; its day is the anchor of the later ones
            unless `anchor_day` (1 to 31) names another.
        round_installment_to_minor: the installment is rounded up to a multiple of it; 0 for none.
        balloon_minor: left for the last installment, on top of it.
        rate_changes: rates in force from a date on, in order of their dates.
        drawdowns: parts of the principal lent after `disbursed_on`, in order of their dates.
        principal_grace: first installments that repay no principal.
        interest_free: first installments that bear no interest.
        last_due_on: due date of the last installment where it is not a regular one.
        installment_minor: the installment where it is agreed, not computed; 0 to compute it.
    """

    principal_minor: int
    currency: str
    annual_rate_percent: Decimal
    periods: int
    method: Method
    day_count: DayCount
    disbursed_on: date
    first_due_on: date
    every: Frequency
    rounding: Rounding = Rounding.HALF_UP
    round_installment_to_minor: int = 0
    balloon_minor: int = 0
    rate_changes: tuple[tuple[date, Decimal], ...] = ()
    drawdowns: tuple[tuple[date, int], ...] = ()
    principal_grace: int = 0
    interest_free: int = 0
    last_due_on: date | None = None
    anchor_day: int | None = None
    installment_minor: int = 0

    def __post_init__(self) -> None:
        exponent(self.currency)
        _amount_within("principal", self.principal_minor, 1, MINOR_MAX)
        _within("periods", self.periods, 1, MOST_PERIODS)
        _within("principal_grace", self.principal_grace, 0, self.periods - 1)
        _within("interest_free", self.interest_free, 0, self.periods)
        if self.anchor_day is not None:
            _within("anchor_day", self.anchor_day, 1, 31)
        if self.first_due_on <= self.disbursed_on:
            raise InvalidInput("first_due", self.first_due_on, f"after {self.disbursed_on}")
        self._check_rates()
        self._check_drawdowns()
        self._check_balloon()
        self._check_rounding()

    def rate_on(self, day: date) -> Fraction:
        """Yearly rate in force on `day`, as a fraction of one: 12 percent is 3/25."""
        percent = self.annual_rate_percent
        for starts, changed in self.rate_changes:
            if starts <= day:
                percent = changed
        return Fraction(percent) / 100

    @property
    def first_part_minor(self) -> int:
        """What is lent on `disbursed_on`."""
        return self.principal_minor - sum(minor for _, minor in self.drawdowns)

    def _check_rates(self) -> None:
        check_rate("rate", self.annual_rate_percent)
        for _, percent in self.rate_changes:
            check_rate("rate_change", percent)
        _check_dates("rate_change", [day for day, _ in self.rate_changes], self.disbursed_on)

    def _check_drawdowns(self) -> None:
        if not self.drawdowns:
            return
        if self.method in {Method.FLAT, Method.ZERO}:
            raise InvalidInput("drawdown", self.method, "a method with interest on the balance")
        _check_dates("drawdown", [day for day, _ in self.drawdowns], self.disbursed_on)
        for _, minor in self.drawdowns:
            _amount_within("drawdown", minor, 1, MINOR_MAX)
        _amount_within("principal less drawdowns", self.first_part_minor, 1, MINOR_MAX)

    def _check_balloon(self) -> None:
        _amount_within("balloon", self.balloon_minor, 0, self.principal_minor)
        may_have = {Method.BALLOON, Method.EQUAL_INSTALLMENT, Method.EQUAL_PRINCIPAL}
        if self.balloon_minor and self.method not in may_have:
            raise InvalidInput("balloon", self.balloon_minor, f"none for {self.method}")
        if self.method is Method.BALLOON and not self.balloon_minor:
            raise InvalidInput("balloon", self.balloon_minor, "above zero for method balloon")

    def _check_rounding(self) -> None:
        unit = self.round_installment_to_minor
        _amount_within("round_installment_to", unit, 0, self.principal_minor)
        if unit and self.method in {Method.INTEREST_ONLY, Method.BULLET}:
            raise InvalidInput("round_installment_to", unit, f"none for {self.method}")
        _amount_within("installment", self.installment_minor, 0, MINOR_MAX)
        if self.installment_minor and self.method not in {
            Method.EQUAL_INSTALLMENT,
            Method.BALLOON,
        }:
            raise InvalidInput("installment", self.installment_minor, f"none for {self.method}")


def check_rate(field: str, percent: Decimal) -> None:
    """Refuse a yearly rate that is no number, negative, or above `HIGHEST_RATE_PERCENT`."""
    if not percent.is_finite() or not 0 <= percent <= HIGHEST_RATE_PERCENT:
        raise InvalidInput(field, percent, f"0 to {HIGHEST_RATE_PERCENT} percent a year")


def _within(field: str, value: int, low: int, high: int, unit: str = "") -> None:
    if not low <= value <= high:
        raise InvalidInput(field, value, f"from {low} to {high}{unit}")


def _amount_within(field: str, minor: int, low: int, high: int) -> None:
    _within(field, minor, low, high, " minor units")


def _check_dates(field: str, days: list[date], after: date) -> None:
    for before, day in zip([after, *days], days, strict=False):
        if day <= before:
            raise InvalidInput(field, day, f"dates in order, each after {after}")
