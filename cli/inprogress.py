"""The part of `acquit board` that tells what loans in progress bring, by currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.output import print_table, print_text
from domain.money import decimal_text
from domain.pricing.amounts import Component

if TYPE_CHECKING:
    from adapters.tapes.progress import InProgress
    from adapters.tapes.report import TapeReport
    from cli.boarding import Forecast
    from domain.pricing.amounts import Amounts


def in_progress_dict(forecast: Forecast) -> list[dict[str, Any]]:
    """The figures for programs, and whether control rows agree."""
    return [
        {**sums_dict(sums), "control": _control(forecast.report, sums.currency)}
        for sums in forecast.in_progress
    ]


def sums_dict(sums: InProgress) -> dict[str, Any]:
    """Figures of one currency: amounts as decimal text under the names of the tape's columns."""
    amounts = {name: decimal_text(it, sums.currency) for name, it in _columns(sums).items()}
    return {"currency": sums.currency, "loans": sums.loans, **amounts}


def show_in_progress(forecast: Forecast) -> None:
    """The figures for people, one table for each currency; nothing without such loans."""
    for sums in forecast.in_progress:
        control = _control(forecast.report, sums.currency)
        loans = f"{sums.loans} loans in progress in {sums.currency}"
        show_sums(sums, f"{loans}; control row: {control}")


def show_sums(sums: InProgress, title: str) -> None:
    """One table of the figures that are not zero."""
    rows = [
        (name, decimal_text(minor, sums.currency))
        for name, minor in _columns(sums).items()
        if minor or name == "balance"
    ]
    print_text(title)
    print_table("What they come to", ("column", "sum>"), rows)


def _columns(sums: InProgress) -> dict[str, int]:
    return {
        **_parts("paid", sums.paid),
        **_parts("waived", sums.waived),
        **_parts("written_off", sums.written_off),
        "balance": sums.balance,
        "penalty_accrued": sums.penalty,
        "advance": sums.advance,
    }


def _parts(what: str, amounts: Amounts) -> dict[str, int]:
    return {f"{what}_{component.value}": amounts.of(component) for component in Component}


def _control(report: TapeReport, currency: str) -> str:
    """Whether the control row of a currency states what the rows of the tape sum to."""
    if report.controls is None:
        return "not checked, as the tape was not read whole"
    match report.controls.get(currency):
        case None:
            return "none"
        case True:
            return "agrees"
        case False:
            return "differs"
