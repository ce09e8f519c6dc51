"""`acquit penalty`: penalty interest on an overdue installment, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

_EXAMPLE = (
    "Example: acquit penalty --principal 1000 --rate 12 --uplift 50 --due 2024-01-01 "
    "--to 2024-01-11 --grace 3 --currency CNY --json"
)


def register(app: typer.Typer) -> None:
    """Add `penalty` to `app`."""
    app.command("penalty", epilog=_EXAMPLE)(penalty)


def penalty(  # noqa: PLR0913  (one parameter for each option)
    *,
    principal: Annotated[str, typer.Option(help="Overdue principal, decimal.")],
    interest: Annotated[str, typer.Option(help="Overdue interest, decimal.")] = "0",
    rate: Annotated[str, typer.Option(help="Percent a year, before the uplift.")],
    uplift: Annotated[
        str, typer.Option(help="Percent of the rate on top: 50 makes 12 percent 18.")
    ] = "0",
    due: Annotated[str, typer.Option(help="Due date, YYYY-MM-DD.")],
    to: Annotated[str, typer.Option(help="Last day that counts: the day of payment.")],
    first: Annotated[
        str, typer.Option("--from", help="First day; the one after the due date unless given.")
    ] = "",
    grace: Annotated[int, typer.Option(help="Days after the due date that bear nothing.")] = 0,
    day_basis: Annotated[int, typer.Option(help="360 or 365 days a year.")] = 360,
    on_interest: Annotated[bool, typer.Option(help="Overdue interest bears penalty.")] = False,
    compounding: Annotated[bool, typer.Option(help="Penalty bears penalty.")] = False,
    step: Annotated[
        list[str] | None, typer.Option(help="DPD=RATE: percent a year from that many days on.")
    ] = None,
    cap: Annotated[str, typer.Option(help="Most penalty, decimal.")] = "",
    cap_rate: Annotated[
        str, typer.Option(help="Highest percent a year, whatever rate, uplift and steps say.")
    ] = "",
    cap_percent: Annotated[
        str, typer.Option(help="Most penalty in percent of the overdue principal.")
    ] = "",
    excused: Annotated[
        list[str] | None, typer.Option(help="FIRST[/LAST]: days that must not count.")
    ] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")],
    as_json: JsonOption = False,
) -> None:
    """Compute penalty interest: overdue amount x rate / basis for each day that counts.

    The due date itself, days of grace and excused days never count.
    """
    from datetime import timedelta  # noqa: PLC0415

    from cli.arithmetic.flowtext import decimal_of, ratio  # noqa: PLC0415
    from cli.options import amount_of, day_of, days_of, steps_of  # noqa: PLC0415
    from domain.money import decimal_text, exponent, parse_decimal  # noqa: PLC0415
    from domain.pricing.amounts import Amounts  # noqa: PLC0415
    from domain.pricing.penalty import PenaltyRule, to_book  # noqa: PLC0415
    from domain.pricing.penalty import penalty as accrued  # noqa: PLC0415

    due_on = day_of("due", due)
    start = day_of("from", first) if first else due_on + timedelta(days=1)
    whole = parse_decimal(rate, "rate") * (100 + parse_decimal(uplift, "uplift")) / 100
    highest = parse_decimal(cap_rate, "cap_rate") if cap_rate else None
    rule = PenaltyRule(
        annual_rate_percent=whole,
        day_basis=day_basis,
        on_interest=on_interest,
        grace_days=grace,
        steps=tuple(steps_of("step", step or [])),
        compounding=compounding,
        cap_minor=amount_of("cap", cap, currency) if cap else None,
        cap_fraction=ratio("cap_percent", cap_percent) / 100 if cap_percent else None,
        cap_rate_percent=highest,
    )
    owed = Amounts(
        principal=amount_of("principal", principal, currency),
        interest=amount_of("interest", interest, currency),
    )
    off = days_of("excused", excused or [])
    last = day_of("to", to)
    exact = accrued(owed, rule, due_on, start, last, off)
    begins = max(start, due_on + timedelta(days=grace + 1))
    answer = {
        "penalty": decimal_text(to_book(exact, 0), currency),
        "exact": decimal_of(exact / 10 ** exponent(currency), 10),
        "days": _counted(begins, last, off),
        "annual_rate": f"{min(whole, whole if highest is None else highest).normalize():f}",
        "first_day": begins.isoformat(),
        "last_day": last.isoformat(),
    }
    if as_json:
        print_json(answer)
    else:
        print_table("penalty", ["", "value>"], list(answer.items()))


def _counted(first: date, last: date, excused: Sequence[date] | frozenset[date]) -> int:
    return max(0, (last - first).days + 1 - sum(first <= day <= last for day in excused))
