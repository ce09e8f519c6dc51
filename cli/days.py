"""`acquit calendar` and `acquit next-banking-day`: when banks work, and how sure that is."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import JsonOption, print_json, print_table, print_text
from workers.reporting import note

NameArgument = Annotated[str, typer.Argument(help="CN, TARGET, US-FED, ENGLAND or NONE.")]
MOST_DAYS = 3_700
_WEEKEND = frozenset({5, 6})


def register(app: typer.Typer) -> None:
    """Add `calendar` and `next-banking-day` to `app`."""
    example = "Example: acquit calendar CN --from 2026-02-01 --to 2026-02-28 --json"
    app.command("calendar", epilog=example)(calendar)
    example = "Example: acquit next-banking-day CN 2026-02-15"
    app.command("next-banking-day", epilog=example)(next_banking_day)


def calendar(
    name: NameArgument,
    *,
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    as_json: JsonOption = False,
) -> None:
    """List days with what they are: banking day or not, and whether that is confirmed."""
    from datetime import timedelta  # noqa: PLC0415

    from adapters.calendars import load_calendar  # noqa: PLC0415
    from cli.options import day_of  # noqa: PLC0415
    from domain.errors import InvalidInput  # noqa: PLC0415

    days = load_calendar(name)
    start, end = day_of("from", first), day_of("to", last)
    length = (end - start).days + 1
    if not 1 <= length <= MOST_DAYS:
        raise InvalidInput("to", last, f"from {start} on, at most {MOST_DAYS} days")
    span = [start + timedelta(days=offset) for offset in range(length)]
    rows = [
        {
            "date": day.isoformat(),
            "weekday": f"{day:%a}",
            "banking_day": days.is_banking_day(day),
            "kind": _kind(day in days.holidays, day in days.extra_working_days, day.weekday()),
            "confirmed": days.is_confirmed(day),
        }
        for day in span
    ]
    if as_json:
        print_json(rows)
    else:
        working = sum(bool(row["banking_day"]) for row in rows)
        print_table(
            f"{name}: {working} banking days of {length}",
            list(rows[0]),
            [list(row.values()) for row in rows],
        )


def next_banking_day(
    name: NameArgument,
    day: Annotated[str, typer.Argument(help="YYYY-MM-DD; the day itself is not counted.")],
    count: Annotated[
        int,
        typer.Option(
            help="How many banking days on; negative goes back, 0 is on or after the day."
        ),
    ] = 1,
    *,
    as_json: JsonOption = False,
) -> None:
    """Give the next banking day after a day."""
    from adapters.calendars import load_calendar  # noqa: PLC0415
    from cli.options import day_of  # noqa: PLC0415

    days = load_calendar(name)
    start = day_of("day", day)
    found = days.add_banking_days(start, count)
    confirmed = days.is_confirmed(start) and days.is_confirmed(found)
    if as_json:
        print_json({"calendar": name, "after": start, "date": found, "confirmed": confirmed})
        return
    print_text(found.isoformat())
    if not confirmed:
        note(
            f"note: calendar {name} is confirmed from {days.confirmed_from} to "
            f"{days.confirmed_until}; beyond, only weekends are known"
        )


def _kind(holiday: bool, extra: bool, weekday: int) -> str:  # noqa: FBT001
    if extra:
        return "make-up working day" if weekday in _WEEKEND else "working day by notice"
    if holiday:
        return "holiday"
    return "weekend" if weekday in _WEEKEND else "working day"
