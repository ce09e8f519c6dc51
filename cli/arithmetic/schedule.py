"""`acquit schedule` and the other commands that compute one thing and print it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli import days
from cli.arithmetic import allocate as allocation
from cli.arithmetic import apr as rates
from cli.arithmetic import loancheck
from cli.arithmetic import payoff as early
from cli.arithmetic import penalty as charges
from cli.arithmetic import termstext as words
from cli.options import choice
from cli.output import JsonOption, print_json, print_table
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from domain.calendar import Adjust
    from domain.pricing.schedule import ScheduleLine, ScheduleTerms

_EXAMPLE = (
    "Example: acquit schedule --principal 5000 --rate 12 --periods 18 "
    "--method equal-installment --day-count months --disbursed 2022-11-01 "
    "--first-due 2022-12-01 --every 1m --currency EUR --json"
)

CalendarName = Annotated[
    str, typer.Option(help="CN, TARGET, US-FED, ENGLAND or NONE: moves due dates.")
]
AdjustName = Annotated[str, typer.Option(help="none, following, modified-following or preceding.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("schedule", epilog=_EXAMPLE)(schedule)
    for module in (rates, allocation, early, charges, days, loancheck):
        module.register(app)


def schedule(  # noqa: PLR0913  (one parameter for each option)
    *,
    principal: Annotated[str, typer.Option(help="Amount lent, decimal.")],
    rate: Annotated[str, typer.Option(help="Percent a year.")] = "0",
    periods: Annotated[int, typer.Option(help="Number of installments.")],
    method: Annotated[
        str,
        typer.Option(
            help="equal-installment, equal-principal, interest-only, flat, zero, balloon or bullet."
        ),
    ],
    day_count: Annotated[
        str,
        typer.Option(
            help="months, 30/360, 30E/360, ACT/365F, ACT/360, ACT/ACT (ISDA) or ACT/ACT-ICMA."
        ),
    ] = "months",
    disbursed: Annotated[str, typer.Option(help="Date of the disbursement, YYYY-MM-DD.")],
    first_due: Annotated[
        str, typer.Option(help="First due date; one period after the disbursement unless given.")
    ] = "",
    every: Annotated[str, typer.Option(help="1m, 3m, 1w, 2w, 10d or half-month.")] = "1m",
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")],
    round_installment_to: Annotated[
        str, typer.Option(help="Round the installment up to a multiple of this amount.")
    ] = "0",
    balloon: Annotated[str, typer.Option(help="Paid on top of the last installment.")] = "0",
    rate_change: Annotated[
        list[str] | None, typer.Option(help="DATE=RATE: percent a year from that date on.")
    ] = None,
    drawdown: Annotated[
        list[str] | None, typer.Option(help="DATE=AMOUNT: part of the principal lent later.")
    ] = None,
    principal_grace: Annotated[
        int, typer.Option(help="First installments that repay no principal.")
    ] = 0,
    interest_free: Annotated[
        int, typer.Option(help="First installments that bear no interest.")
    ] = 0,
    last_due: Annotated[str, typer.Option(help="Last due date, where it is not regular.")] = "",
    anchor_day: Annotated[
        int, typer.Option(help="Day of the month wanted; that of the first due date unless given.")
    ] = 0,
    rounding: Annotated[str, typer.Option(help="half-up, half-even, down or up.")] = "half-up",
    calendar: Annotated[
        str, typer.Option(help="CN, TARGET, US-FED, ENGLAND or NONE: moves due dates.")
    ] = "",
    adjust: Annotated[
        str, typer.Option(help="none, following, modified-following or preceding.")
    ] = "following",
    as_json: JsonOption = False,
) -> None:
    """Compute a schedule: what falls due when, exact to the last minor unit.

    Interest runs between the scheduled dates; a calendar moves the day of payment only.
    """
    from domain.calendar import Adjust  # noqa: PLC0415
    from domain.pricing.schedule import Method, build  # noqa: PLC0415

    terms = words.TermsText(
        principal=principal,
        rate=rate,
        periods=periods,
        method=method,
        disbursed=disbursed,
        currency=currency,
        day_count=day_count,
        first_due=first_due,
        every=every,
        round_installment_to=round_installment_to,
        balloon=balloon,
        rate_change=rate_change,
        drawdown=drawdown,
        principal_grace=principal_grace,
        interest_free=interest_free,
        last_due=last_due,
        anchor_day=anchor_day,
        rounding=rounding,
    ).read()
    rows = _rows(build(terms), currency, calendar, choice("adjust", adjust, Adjust))
    if terms.method is Method.ZERO and terms.annual_rate_percent:
        note(f"note: method zero bears no interest; the rate of {rate} percent is not used")
    if as_json:
        print_json(rows)
    else:
        _print(rows, terms)


def _rows(
    lines: Sequence[ScheduleLine], currency: str, calendar: str, adjust: Adjust
) -> list[dict[str, object]]:
    from cli.arithmetic.schedulerows import rows_of  # noqa: PLC0415

    rows = rows_of(lines, currency)
    if calendar:
        _move(rows, [line.due_on for line in lines], calendar, adjust)
    return rows


def _move(
    rows: list[dict[str, object]], scheduled: Sequence[date], calendar: str, adjust: Adjust
) -> None:
    """Move due dates to banking days, and say which rest on days that nobody confirmed."""
    from adapters.calendars import load_calendar  # noqa: PLC0415

    days = load_calendar(calendar)
    unsure = 0
    for row, day in zip(rows, scheduled, strict=True):
        due_on = days.adjust(day, adjust)
        confirmed = days.is_confirmed(day) and days.is_confirmed(due_on)
        unsure += not confirmed
        row |= {
            "due_on": due_on.isoformat(),
            "scheduled_on": day.isoformat(),
            "confirmed": confirmed,
        }
    if unsure:
        note(
            f"note: {unsure} due dates lie outside {days.confirmed_from} to "
            f"{days.confirmed_until}, as far as calendar {calendar} is confirmed"
        )


def _print(rows: list[dict[str, object]], terms: ScheduleTerms) -> None:
    columns = [
        name if name in {"due_on", "scheduled_on", "confirmed"} else f"{name}>" for name in rows[0]
    ]
    title = f"{terms.method}, {terms.annual_rate_percent} % a year, {terms.currency}"
    print_table(title, columns, [list(row.values()) for row in rows])
