"""Terms of a schedule as words from a command line or a file, read with the names of the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.options import choice, dated, day_of
from domain.errors import InvalidInput
from domain.money import Rounding, parse_decimal, parse_minor
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms

Principal = Annotated[str, typer.Option(help="Amount lent, decimal.")]
Rate = Annotated[str, typer.Option(help="Percent a year.")]
Periods = Annotated[int, typer.Option(help="Number of installments.")]
MethodName = Annotated[
    str,
    typer.Option(
        help="equal-installment, equal-principal, interest-only, flat, zero, balloon or bullet."
    ),
]
DayCountName = Annotated[
    str,
    typer.Option(help="months, 30/360, 30E/360, ACT/365F, ACT/360, ACT/ACT (ISDA), ACT/ACT-ICMA."),
]
Disbursed = Annotated[str, typer.Option(help="Date of the disbursement, YYYY-MM-DD.")]
FirstDue = Annotated[
    str, typer.Option(help="First due date; one period after the disbursement unless given.")
]
Every = Annotated[str, typer.Option(help="1m, 3m, 1w, 2w, 10d or half-month.")]
Currency = Annotated[str, typer.Option(help="ISO 4217 code.")]
RoundInstallmentTo = Annotated[
    str, typer.Option(help="Round the installment up to a multiple of this amount.")
]
Balloon = Annotated[str, typer.Option(help="Paid on top of the last installment.")]
RateChange = Annotated[
    list[str] | None, typer.Option(help="DATE=RATE: percent a year from that date on.")
]
Drawdown = Annotated[
    list[str] | None, typer.Option(help="DATE=AMOUNT: part of the principal lent later.")
]
PrincipalGrace = Annotated[int, typer.Option(help="First installments that repay no principal.")]
InterestFree = Annotated[int, typer.Option(help="First installments that bear no interest.")]
LastDue = Annotated[str, typer.Option(help="Last due date, where it is not a regular one.")]
AnchorDay = Annotated[
    int, typer.Option(help="Day of the month wanted; that of the first due date unless given.")
]
RoundingName = Annotated[str, typer.Option(help="half-up, half-even, down or up.")]


@dataclass(frozen=True, slots=True)
class TermsText:
    """The words, one field for each option; `read` gives the terms or names the wrong word."""

    principal: str
    rate: str
    periods: int
    method: str
    disbursed: str
    currency: str
    day_count: str = "months"
    first_due: str = ""
    every: str = "1m"
    round_installment_to: str = "0"
    balloon: str = "0"
    rate_change: Sequence[str] | None = None
    drawdown: Sequence[str] | None = None
    principal_grace: int = 0
    interest_free: int = 0
    last_due: str = ""
    anchor_day: int = 0
    rounding: str = "half-up"

    def read(self) -> ScheduleTerms:
        """The terms these words mean.

        Raises:
            InvalidInput: names the option, its value, and the rule it breaks.
        """
        start = day_of("disbursed", self.disbursed)
        every = Frequency.parse(self.every)
        first = day_of("first_due", self.first_due) if self.first_due else every.date_at(start, 1)
        return ScheduleTerms(
            principal_minor=self._minor("principal", self.principal),
            currency=self.currency,
            annual_rate_percent=parse_decimal(self.rate, "rate"),
            periods=self.periods,
            method=choice("method", self.method, Method),
            day_count=choice("day_count", self.day_count, DayCount),
            disbursed_on=start,
            first_due_on=first,
            every=every,
            rounding=choice("rounding", self.rounding, Rounding),
            round_installment_to_minor=self._minor(
                "round_installment_to", self.round_installment_to
            ),
            balloon_minor=self._minor("balloon", self.balloon),
            rate_changes=tuple(
                (day, parse_decimal(percent, "rate_change"))
                for day, percent in dated("rate_change", self.rate_change)
            ),
            drawdowns=tuple(
                (day, self._minor("drawdown", amount))
                for day, amount in dated("drawdown", self.drawdown)
            ),
            principal_grace=self.principal_grace,
            interest_free=self.interest_free,
            last_due_on=day_of("last_due", self.last_due) if self.last_due else None,
            anchor_day=self.anchor_day or (None if self.first_due else start.day),
        )

    def _minor(self, field: str, text: str) -> int:
        """An amount as its option says it; refused here, where it still has its own digits."""
        minor = parse_minor(text, self.currency, field)
        if minor < 0 or (minor == 0 and field in {"principal", "drawdown"}):
            rule = "not negative" if minor < 0 else "above zero"
            raise InvalidInput(field, text, rule)
        return minor
