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
from cli.arithmetic.termstext import TermsText, with_terms
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


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command("schedule", epilog=_EXAMPLE)(with_terms(schedule))
    for module in (rates, allocation, early, charges, days, loancheck):
        module.register(app)


def schedule(
    words: TermsText,
    *,
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

    terms = words.read()
    rows = _rows(build(terms), words.currency, calendar, choice("adjust", adjust, Adjust))
    if terms.method is Method.ZERO and terms.annual_rate_percent:
        note(f"note: method zero bears no interest; the rate of {words.rate} percent is not used")
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
