"""The part of `acquit board` that tells what loans in progress bring, by currency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.output import print_table, print_text
from domain.money import decimal_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.tapes.report.openingtotals import OpeningTotals
    from adapters.tapes.report.tape import TapeReport
    from cli.boarding import Forecast


def in_progress_dict(forecast: Forecast) -> list[dict[str, Any]]:
    """The figures for programs, and whether control rows agree."""
    return [
        {**sums_dict(sums), "control": _control(forecast.report, sums.currency)}
        for sums in forecast.in_progress
    ]


def sums_dict(sums: OpeningTotals) -> dict[str, Any]:
    """Figures of one currency: amounts as decimal text under the names of the tape's columns."""
    amounts = {name: decimal_text(it, sums.currency) for name, it in sums.columns().items()}
    return {"currency": sums.currency, "loans": sums.loans, **amounts}


def show_in_progress(forecast: Forecast) -> None:
    """The figures for people, one table for each currency; nothing without such loans."""
    for sums in forecast.in_progress:
        control = _control(forecast.report, sums.currency)
        loans = f"{sums.loans} loans in progress in {sums.currency}"
        stated = forecast.report.stated.get(sums.currency, {})
        show_sums(sums, f"{loans}; control row: {control}", stated)


def show_sums(sums: OpeningTotals, title: str, stated: Mapping[str, str] | None = None) -> None:
    """One table of the figures that are not zero, beside what a control row states of them."""
    rows = [
        (name, decimal_text(minor, sums.currency), *_beside(name, stated))
        for name, minor in sums.columns().items()
        if minor or name == "balance"
    ]
    print_text(title)
    columns = ("column", "sum>") if stated is None else ("column", "sum>", "control row>")
    print_table("Totals", columns, rows)


def _beside(name: str, stated: Mapping[str, str] | None) -> tuple[str, ...]:
    return () if stated is None else (stated.get(name, "not stated"),)


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
