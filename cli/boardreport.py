"""What `acquit board` says of a tape, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from adapters.tapes.report.firstdays import DAYS
from cli.inprogress import in_progress_dict, show_in_progress
from cli.output import print_table, print_text
from domain.money import decimal_text
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.tapes.loan.comparing import Due
    from adapters.tapes.report.arrears import Bucket
    from adapters.tapes.report.comparison import Comparison
    from adapters.tapes.report.firstdays import FirstDay
    from adapters.tapes.report.unknowncodes import UnknownCode
    from cli.boarding import Boarded, Forecast

FAULTS_SHOWN = 50


def as_dict(forecast: Forecast, boarded: Boarded | None) -> dict[str, Any]:
    """The report for programs."""
    report = forecast.report
    return {
        "loans": len(report.rows),
        "installments": report.rows.installments,
        "unconfirmed_due_dates": report.unconfirmed,
        "fault_count": report.fault_count,
        "faults": [
            {
                "file": item.file,
                "line": item.line,
                "field": item.field,
                "value": item.value,
                "rule": item.rule,
            }
            for item in report.faults
        ],
        "comparison": _compared(report.comparison),
        "next_debits": _compared(report.next_debits),
        "in_progress": in_progress_dict(forecast),
        "arrears": [_bucket_dict(bucket) for bucket in forecast.arrears],
        "not_debited": [asdict(item) for item in forecast.not_debitable],
        "unknown_codes": [_code_dict(item) for item in forecast.unknown_codes],
        "first_days_of_loans": len(forecast.new),
        "first_days": [
            {
                "day": day.day.isoformat(),
                "reminders": day.reminders,
                "debits": day.debits,
                "debited": _sums(day.debited),
                "penalties": _sums(day.penalties),
            }
            for day in forecast.days
        ],
        "result": None if boarded is None else asdict(boarded),
    }


def _compared(figures: Comparison) -> dict[str, Any]:
    return {
        "compared": figures.compared,
        "agreed": figures.agreed,
        "exceptions": [
            {
                "line": item.line,
                "loan_id": item.loan_id,
                "stated_minor": item.stated.minor,
                "computed_minor": item.computed.minor,
                "stated_on": _day(item.stated),
                "computed_on": _day(item.computed),
                "currency": item.currency,
            }
            for item in figures.exceptions
        ],
    }


def _day(due: Due) -> str | None:
    return None if due.on is None else due.on.isoformat()


def _bucket_dict(bucket: Bucket) -> dict[str, Any]:
    def text(minor: int) -> str:
        return decimal_text(minor, bucket.currency)

    return {
        "currency": bucket.currency,
        "days_past_due": bucket.days,
        "loans": bucket.loans,
        "installments": bucket.installments,
        "past_due": text(bucket.minor),
        "asked_installments": bucket.asked,
        "asked": text(bucket.asked_minor),
        "not_debited_installments": bucket.not_debitable,
        "not_debited": text(bucket.not_debitable_minor),
    }


def _code_dict(item: UnknownCode) -> dict[str, Any]:
    nearest = [{"code": row.code, "class": row.outcome_class.value} for row in item.nearest]
    return {
        "rail": item.rail,
        "code": item.code,
        "returned": item.returned,
        "debits": item.debits,
        "nearest": nearest,
    }


def _show_differences(name: str, figures: Comparison) -> None:
    if not figures.exceptions:
        return
    rows = [
        (
            item.line,
            item.loan_id,
            _due_text(item.stated, item.currency),
            _due_text(item.computed, item.currency),
            item.currency,
        )
        for item in figures.exceptions
    ]
    title = f"{name} that differ: {len(rows)} of {figures.differ}"
    print_table(title, ("line>", "loan", "tape>", "ours>", "currency"), rows)


def _due_text(due: Due, currency: str) -> str:
    amount = "nothing" if due.minor is None else decimal_text(due.minor, currency)
    return amount if due.on is None else f"{amount} on {due.on}"


def _show_arrears(forecast: Forecast) -> None:
    """What is past due by age, what of it the tape asks to be debited, and what cannot be."""
    rows = [tuple(_bucket_dict(bucket).values()) for bucket in forecast.arrears if bucket.loans]
    if rows:
        counts = ("currency", "days past due>", "loans>", "installments>", "sum>")
        asked = ("to debit>", "sum>", "of these not debitable>", "sum>")
        print_table("Past due today", (*counts, *asked), rows)
    for item in forecast.not_debitable:
        place = f"{item.loan_id}, installment {item.number}"
        print_text(f"{place}: past is owed, but it cannot be debited: {item.reason} ({item.rule})")
    for code in forecast.unknown_codes:
        print_text(_code_text(code))


def _code_text(item: UnknownCode) -> str:
    """What nobody knows, what is near to it, and what to write instead."""
    what = "return reason" if item.returned else "code"
    text = f"{item.debits} debits failed with {what} {item.code!r}, which {item.rail} does not have"
    near = ", ".join(f"{row.code} ({row.outcome_class})" for row in item.nearest)
    return (
        f"{text}; nearest: {near or 'none'}. Put the rail's code or an outcome_class into the rows "
        f"of the history (`acquit codes {item.rail}` lists both)"
    )


def _sums(minor: Mapping[str, int]) -> dict[str, str]:
    return {currency: decimal_text(minor[currency], currency) for currency in sorted(minor)}


def _sums_text(minor: Mapping[str, int]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in _sums(minor).items())


def _show_first_days(days: Sequence[FirstDay]) -> None:
    """What boarding would set going, if every reminder arrives and every debit succeeds."""
    if not days:
        print_text(f"Nothing is sent or debited in the first {DAYS} days")
        return
    rows = [
        (
            day.day.isoformat(),
            day.reminders,
            day.debits,
            _sums_text(day.debited),
            _sums_text(day.penalties),
        )
        for day in days
    ]
    columns = ("day", "reminders>", "debits>", "debited>", "penalty charged>")
    print_table(f"The first {DAYS} days of the new loans", columns, rows)


def show(forecast: Forecast, boarded: Boarded | None, *, dry_run: bool) -> None:
    """The report for people."""
    report = forecast.report
    for item in report.faults[:FAULTS_SHOWN]:
        note(str(item))
    if report.fault_count > FAULTS_SHOWN:
        note(f"and {report.fault_count - FAULTS_SHOWN} bad rows more; see --json")
    _show_differences("Installments", report.comparison)
    _show_differences("Next debits", report.next_debits)
    print_text(f"{len(report.rows)} good loans with {report.rows.installments} installments")
    show_in_progress(forecast)
    _show_arrears(forecast)
    for name, figures in (
        ("installment", report.comparison),
        ("next debit", report.next_debits),
    ):
        if figures.compared:
            text = f"{figures.agreed} of {figures.compared} agree with the tape's {name}"
            print_text(f"{text} within one minor unit")
    if report.unconfirmed:
        print_text(f"{report.unconfirmed} due dates lie beyond what their calendar confirms")
    if dry_run:
        _show_first_days(forecast.days)
    if boarded is not None:
        print_text(f"{boarded.boarded} loans boarded, {boarded.known} known already")
        for left_out in (*boarded.refused, *boarded.failed):
            why = left_out.get("reason") or left_out.get("error")
            note(f"{left_out['loan_id']}: not boarded: {why}")
