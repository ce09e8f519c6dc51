"""`acquit unclosed`: what is paid and not closed, why, and by whom; healed where that is safe."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
)
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from datetime import datetime

    from domain.audit.backlog import Figures, OpenItem
    from workers.compose import Stack
    from workers.settings import Settings

ITEMS_MOST = 100_000
CLOSED_MOST = 20_000
"""Closed installments that the rates look at."""
_PAGE = 200
_EXAMPLE = (
    "Example: acquit unclosed --heal --report reports. Exit codes: 0 nothing is late, 1 late."
)


@dataclass(frozen=True, slots=True)
class Healing:
    """One thing that was tried by a rule, and how it went."""

    rule: str
    what: str
    done: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found, and the instant as of which."""

    at: datetime
    items: tuple[OpenItem, ...]
    figures: Figures
    healed: tuple[Healing, ...]
    cut: bool


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("unclosed", epilog=_EXAMPLE)(unclosed)


def unclosed(
    ctx: typer.Context,
    *,
    heal: Annotated[
        bool, typer.Option("--heal", help="First do what a machine may: each thing is listed.")
    ] = False,
    days: Annotated[int, typer.Option(min=1, max=366, help="Of how many days the rates are.")] = 30,
    report: Annotated[
        Path | None, typer.Option(help="Folder for a file of the day, JSON and a chart in SVG.")
    ] = None,
    late: Annotated[bool, typer.Option("--late", help="Show only what is past its time.")] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List every installment and closure that is paid and not closed, each explained.

    Age, amount, what is missing, who must supply it, what was tried, and what comes next. --heal
    rolls loans whose day has come, requests what is due to payees, delivers messages and wakes
    drivers; nothing is sent or booked twice. Exit code 1 if anything is past its time.
    """
    seen = run_async(_look(books_settings(ctx, home), days, heal=heal))
    shown = [one for one in seen.items if one.is_late or not late]
    facts = {**_facts(seen, days), "items": [_row(one) for one in shown]}
    if report is not None:
        _write(report, seen, facts)
    if as_json:
        print_json(facts)
    else:
        _print(seen, shown)
    if seen.cut:
        note(f"only the first {ITEMS_MOST} items were looked at")
    if seen.figures.late:
        raise typer.Exit(Exit.NOT_CLEAN)


def _print(seen: Seen, shown: list[OpenItem]) -> None:
    from domain.money import decimal_text  # noqa: PLC0415

    print_table(
        f"Paid and not closed: {len(shown)}",
        ("item", "state", "days>", "amount>", "due", "lacks", "who", "next step"),
        [
            (
                one.key if one.number is not None else f"{one.loan_id} (loan)",
                one.state,
                one.age_days,
                f"{decimal_text(one.amount_minor, one.currency)} {one.currency}",
                f"{one.due_on}{' LATE' if one.is_late else ''}",
                ", ".join(lack.code for lack in one.lacks) or "-",
                ", ".join(dict.fromkeys(lack.who for lack in one.lacks)) or "-",
                one.next_step,
            )
            for one in shown
        ],
    )
    found = seen.figures
    print_text(
        f"{found.count} open, {found.late} late; oldest {found.max_age_days} days, "
        f"p95 {found.p95_age_days}; closed in time {_percent(found.in_time_rate)}, "
        f"reopened {_percent(found.reopened_rate)}"
    )
    for one in seen.healed:
        print_text(f"healed by rule {one.rule}: {one.what}, {one.done}")
        if one.fault:
            note(f"rule {one.rule}: {one.fault}")


def _percent(rate: Any) -> str:  # noqa: ANN401  (a fraction or None)
    return "-" if rate is None else f"{float(rate) * 100:.1f} %"


def _row(one: OpenItem) -> dict[str, Any]:
    from domain.money import decimal_text  # noqa: PLC0415

    return {
        "loan": one.loan_id,
        "number": one.number,
        "state": one.state,
        "generation": one.generation,
        "paid_on": one.paid_on,
        "age_days": one.age_days,
        "due_on": one.due_on,
        "is_late": one.is_late,
        "amount": decimal_text(one.amount_minor, one.currency),
        "currency": one.currency,
        "lacks": [{"code": it.code, "who": it.who, "tried": it.tried} for it in one.lacks],
        "next_step": one.next_step,
    }


def _facts(seen: Seen, days: int) -> dict[str, Any]:
    from domain.money import decimal_text  # noqa: PLC0415

    found = seen.figures
    rates = {"in_time_rate": found.in_time_rate, "reopened_rate": found.reopened_rate}
    return {
        "as_of": seen.at,
        "days": days,
        "count": found.count,
        "late": found.late,
        "amounts": {name: decimal_text(minor, name) for name, minor in found.amounts.items()},
        "by_party": dict(found.by_party),
        "p95_age_days": found.p95_age_days,
        "max_age_days": found.max_age_days,
        "closed": found.closed,
        **{name: None if rate is None else round(float(rate), 4) for name, rate in rates.items()},
        "healed": [
            {"rule": one.rule, "what": one.what, "done": one.done, "fault": one.fault or None}
            for one in seen.healed
        ],
    }


def _write(folder: Path, seen: Seen, facts: dict[str, Any]) -> None:
    """The report of the day: the facts, and a chart of the ages."""
    from adapters.exports.agesvg import ages_svg  # noqa: PLC0415
    from cli.outfile import written  # noqa: PLC0415

    day = seen.at.date()
    folder.mkdir(parents=True, exist_ok=True)
    with written(folder / f"unclosed-{day}.json", replace=True) as output:
        output.write(json.dumps(facts, default=str, indent=1) + "\n")
    with written(folder / f"unclosed-{day}.svg", replace=True) as output:
        output.write(ages_svg(seen.items, day))


async def _look(settings: Settings, days: int, *, heal: bool) -> Seen:
    from workers.compose import open_stack  # noqa: PLC0415

    healed: list[Healing] = []
    if heal:
        healed.append(await _wake(settings))
    async with open_stack(settings) as stack:
        if heal:
            healed += [await _roll(stack), await _remit(stack)]
        return await _seen(stack, days, tuple(healed))


async def _seen(stack: Stack, days: int, healed: tuple[Healing, ...]) -> Seen:
    from domain.audit.backlog import figures, open_items  # noqa: PLC0415

    at = stack.clock.now()
    items: list[OpenItem] = []
    after = ""
    while len(items) < ITEMS_MOST:
        names = await stack.queries.unclosed_loans(after, _PAGE)
        for name in names:
            loan = await stack.queries.loan(name)
            cases = await stack.queries.waiting(name)
            if loan is not None:
                about = {case.key: case for case in cases.items}
                items.extend(open_items(loan, about, stack.rules, at))
        if len(names) < _PAGE:
            break
        after = names[-1]
    in_time, closed, reopened = await _closed(stack, at - timedelta(days=days))
    again = reopened + sum(one.generation > 1 for one in items)
    found = figures(items, in_time, closed, again)
    items.sort(key=lambda one: (not one.is_late, -one.age_days, one.key))
    return Seen(at, tuple(items), found, healed, cut=len(items) >= ITEMS_MOST)


async def _closed(stack: Stack, since: datetime) -> tuple[int, int, int]:
    """Of the installments closed since: how many in time, how many, how many reopened before."""
    from domain.audit.backlog import due_on  # noqa: PLC0415
    from domain.calendar import local_day  # noqa: PLC0415

    in_time = closed = reopened = 0
    after = ""
    while closed < CLOSED_MOST:
        page = await stack.queries.closed_since(since, after, _PAGE)
        for one in page.items:
            loan = await stack.queries.loan(one.loan_id)
            if loan is None:
                continue
            closed += 1
            reopened += one.generation > 1
            day = local_day(one.closed_at, loan.product.timezone)
            in_time += day <= due_on(loan, loan.installment(one.number), stack.rules)
        if not page.after:
            break
        after = page.after
    return in_time, closed, reopened


async def _wake(settings: Settings) -> Healing:
    """Deliver what is left over, start and wake drivers: what `acquit heal` does."""
    from cli.heal import healed  # noqa: PLC0415
    from domain.errors import Unavailable  # noqa: PLC0415

    try:
        done = await healed(settings, 600, 300)
    except Unavailable as error:
        return Healing("wake", "drivers were not looked at", 0, str(error))
    faults = "; ".join(done.faults)
    text = f"{done.started} drivers started, {done.woken} woken, {done.delivered} messages left"
    return Healing("wake", text, done.started + done.woken + done.delivered, faults)


async def _roll(stack: Stack) -> Healing:
    """Roll loans whose day has come: gates that need the clock are looked at."""
    from domain.calendar import local_day  # noqa: PLC0415
    from domain.kernel.command import Actor  # noqa: PLC0415
    from domain.loan.agenda import next_roll_on  # noqa: PLC0415
    from domain.loan.commands import RollDay  # noqa: PLC0415

    done, after, at = 0, "", stack.clock.now()
    while names := await stack.queries.unclosed_loans(after, _PAGE):
        after = names[-1]
        for name in names:
            loan = await stack.queries.loan(name)
            on = None if loan is None else next_roll_on(loan, stack.rules, at)
            today = at.date() if loan is None else local_day(at, loan.product.timezone)
            if on is None or on > today:
                continue
            await stack.books.for_drivers().apply(
                RollDay(
                    id=f"driver/heal/roll/{name}/{today}",
                    actor=Actor("workflow", "unclosed"),
                    reason="rule roll: its day has come",
                    loan_id=name,
                    day=today,
                )
            )
            done += 1
    return Healing("roll", "loans rolled into today", done)


async def _remit(stack: Stack) -> Healing:
    """Request what is due to payees at their last cut-offs."""
    from activities.remittances import RemittanceActivities  # noqa: PLC0415

    rules = stack.rules.payouts
    if not rules.policy.payees:
        return Healing("remit", "no policy of payees: nothing is remitted", 0)
    books = stack.books.for_drivers()
    made = await RemittanceActivities(books, stack.queries, rules, stack.clock).once()
    text = f"{made.requested} payouts requested, {made.set_off} set off"
    fault = f"{made.refused} refused, {made.failed} failed" if made.refused or made.failed else ""
    return Healing("remit", text, made.requested + made.set_off, fault)
