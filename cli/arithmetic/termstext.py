"""Terms of a schedule as words from a command line or a file, read with the names of the words."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, cast

import typer

from cli.options import choice, dated, day_of
from domain.errors import InvalidInput
from domain.money import Rounding, parse_decimal, parse_minor
from domain.pricing.schedule import DayCount, Frequency, Method, ScheduleTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsText:
    """The words, one field for each option; `read` gives the terms or names the wrong word."""

    principal: Annotated[str, typer.Option(help="Amount lent, decimal.")]
    rate: Annotated[str, typer.Option(help="Percent a year.")] = "0"
    periods: Annotated[int, typer.Option(help="Number of installments.")]
    method: Annotated[
        str,
        typer.Option(
            help="equal-installment, equal-principal, interest-only, flat, zero, balloon or bullet."
        ),
    ]
    day_count: Annotated[
        str,
        typer.Option(
            help="months, 30/360, 30E/360, ACT/365F, ACT/360, ACT/ACT (ISDA) or ACT/ACT-ICMA."
        ),
    ] = "months"
    disbursed: Annotated[str, typer.Option(help="Date of the disbursement, YYYY-MM-DD.")]
    first_due: Annotated[
        str, typer.Option(help="First due date; one period after the disbursement unless given.")
    ] = ""
    every: Annotated[str, typer.Option(help="1m, 3m, 1w, 2w, 10d or half-month.")] = "1m"
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")]
    round_installment_to: Annotated[
        str, typer.Option(help="Round the installment up to a multiple of this amount.")
    ] = "0"
    balloon: Annotated[str, typer.Option(help="Paid on top of the last installment.")] = "0"
    rate_change: Annotated[
        list[str] | None, typer.Option(help="DATE=RATE: percent a year from that date on.")
    ] = None
    drawdown: Annotated[
        list[str] | None, typer.Option(help="DATE=AMOUNT: part of the principal lent later.")
    ] = None
    principal_grace: Annotated[
        int, typer.Option(help="First installments that repay no principal.")
    ] = 0
    interest_free: Annotated[
        int, typer.Option(help="First installments that bear no interest.")
    ] = 0
    last_due: Annotated[str, typer.Option(help="Last due date, where it is not a regular one.")] = (
        ""
    )
    anchor_day: Annotated[
        int, typer.Option(help="Day of the month wanted; that of the first due date unless given.")
    ] = 0
    rounding: Annotated[str, typer.Option(help="half-up, half-even, down or up.")] = "half-up"

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


def with_terms(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command, in place of its first parameter, an option for each word of `TermsText`."""
    options = inspect.signature(TermsText, eval_str=True).parameters
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]

    def run(**given: Any) -> None:  # noqa: ANN401  (whatever the options hold)
        words = TermsText(**{name: given.pop(name) for name in options})
        command(words, **given)

    run.__doc__ = command.__doc__
    cast("Any", run).__signature__ = inspect.Signature([*options.values(), *own])
    return run
