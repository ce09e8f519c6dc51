"""`acquit loan check`: one loan or a tape against every rule of the arithmetic, before boarding."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from domain.errors import InvalidInput
from workers.console import Exit, JsonOption, note, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.loan.caps import Cap
    from domain.loan.schedule import ScheduleLine, ScheduleTerms

_EXAMPLE = "Example: acquit loan check loan.json --cap 'CN 24 percent=24' --json"
_ALIASES = {
    "annual_rate": "rate",
    "disbursed_on": "disbursed",
    "first_due_on": "first_due",
    "last_due_on": "last_due",
    "amount": "principal",
}
_OTHER = {"upfront_fee", "each_fee", "rows", "installment"}
_NAMES = {"loan_id", "tenant", "borrower", "product", "mandate_ref", "account_token", "language"}
_COUNTS = {"periods", "principal_grace", "interest_free", "anchor_day"}
_LISTS = {"rate_change", "drawdown"}
MOST_LOANS = 100_000
SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add `loan check` to `app`."""
    group = typer.Typer(help="Look at loans without boarding them.", no_args_is_help=True)
    group.callback()(_loans)
    group.command("check", epilog=_EXAMPLE)(check)
    app.add_typer(group, name="loan")


def _loans() -> None:
    """Look at loans without boarding them."""


@dataclass(slots=True)
class Report:
    """What a check found about one loan."""

    loan: str
    faults: list[InvalidInput] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    figures: dict[str, str] = field(default_factory=dict)


def check(
    file: Annotated[str, typer.Argument(help="JSON loan, list of loans, or CSV tape.")],
    *,
    cap: Annotated[
        list[str] | None,
        typer.Option(help="NAME=PERCENT: most percent a year over all borrower cash flows."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check dates, sums, rates and caps of loans; nothing is boarded.

    A loan has the names of the options of `acquit schedule`; besides upfront_fee, each_fee,
    installment (compared within one minor unit) and, for method explicit, rows. Exit 2 when a
    value is refused, 1 when only a cap is exceeded.
    """
    caps = _caps(cap or [])
    reports = [_report(name, given, caps) for name, given in _loans_of(file)]
    if as_json:
        print_json([_as_dict(report) for report in reports])
    else:
        _show(reports)
    for report in reports[:SHOWN]:
        for fault in report.faults:
            note(f"{report.loan}: {fault}")
        for line in report.over:
            note(f"{report.loan}: {line}")
    if any(report.faults for report in reports):
        raise typer.Exit(Exit.MISTAKE)
    if any(report.over for report in reports):
        raise typer.Exit(Exit.NOT_CLEAN)


def _loans_of(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    from workers.commands.statetext import read_json  # noqa: PLC0415

    if Path(name).suffix.lower() == ".csv":
        with Path(name).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                if reader.line_num > MOST_LOANS:
                    raise InvalidInput("file", name, f"at most {MOST_LOANS} lines")
                given = {key: value for key, value in row.items() if value}
                yield f"line {reader.line_num}", {"method": "equal-installment", **given}
        return
    document = read_json(name)
    loans = document if isinstance(document, list) else [document]
    for index, loan in enumerate(loans, start=1):
        if not isinstance(loan, dict):
            raise InvalidInput(f"loan {index}", loan, "an object")
        yield str(loan.get("loan_id", f"loan {index}")), loan


def _report(name: str, given: dict[str, Any], caps: Sequence[Cap]) -> Report:
    from domain.loan.apr import AprMethod, apr, disclose  # noqa: PLC0415
    from domain.loan.caps import borrower_flows, exceeded  # noqa: PLC0415
    from domain.money import decimal_text, parse_minor  # noqa: PLC0415

    report = Report(name)
    try:
        values = _named(given)
        terms, lines = _schedule(values)
        upfront = parse_minor(values.get("upfront_fee", 0), terms.currency, "upfront_fee")
        each = parse_minor(values.get("each_fee", 0), terms.currency, "each_fee")
        flows, per_year = borrower_flows(terms, lines, upfront_minor=upfront, each_minor=each)
        rate = apr(flows, AprMethod.IRR, per_year)
        report.over = [str(broken) for broken in exceeded(flows, per_year, caps)]
        report.figures = {
            "installment": decimal_text(lines[0].total, terms.currency),
            "interest": decimal_text(sum(line.interest for line in lines), terms.currency),
            "nominal": disclose(rate.nominal),
            "effective": disclose(rate.effective),
        }
        _compare(values, terms, lines)
    except InvalidInput as fault:
        report.faults.append(fault)
    return report


def _compare(values: dict[str, Any], terms: ScheduleTerms, lines: Sequence[ScheduleLine]) -> None:
    """Refuse an installment stated that is more than one minor unit from ours."""
    from domain.money import decimal_text, parse_minor  # noqa: PLC0415

    if "installment" not in values:
        return
    stated = parse_minor(values["installment"], terms.currency, "installment")
    if abs(stated - lines[0].total) > 1:
        ours = decimal_text(lines[0].total, terms.currency)
        raise InvalidInput("installment", values["installment"], f"within one minor unit of {ours}")


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """Values under the names of the options, dashes and canonical tape names understood."""
    from dataclasses import fields  # noqa: PLC0415

    from workers.commands.termstext import TermsText  # noqa: PLC0415

    known = {item.name for item in fields(TermsText)} | _OTHER | _NAMES
    values = {}
    for key, value in given.items():
        name = str(key).replace("-", "_")
        name = _ALIASES.get(name, name)
        if name not in known:
            raise InvalidInput(str(key), value, "a name that is known; see acquit schedule --help")
        values[name] = value
    return values


def _schedule(values: dict[str, Any]) -> tuple[ScheduleTerms, tuple[ScheduleLine, ...]]:
    from domain.loan.schedule import Method, build  # noqa: PLC0415
    from domain.loan.schedule import check as check_lines  # noqa: PLC0415
    from workers.commands.termstext import TermsText  # noqa: PLC0415

    words: dict[str, Any] = {}
    for name, value in values.items():
        if name in _OTHER | _NAMES:
            continue
        if name in _COUNTS:
            words[name] = _whole(name, value)
        elif name in _LISTS:
            words[name] = [str(item) for item in value] if isinstance(value, list) else [str(value)]
        else:
            words[name] = str(value)
    for name in ("principal", "rate", "periods", "method", "disbursed", "currency"):
        if name not in words:
            raise InvalidInput(name, "", "given")
    terms = TermsText(**words).read()
    if terms.method is not Method.EXPLICIT:
        return terms, build(terms)
    lines = tuple(_line(index, row, terms) for index, row in enumerate(values.get("rows", ()), 1))
    check_lines(lines, terms.principal_minor)
    return terms, lines


def _line(index: int, row: object, terms: ScheduleTerms) -> ScheduleLine:
    from domain.loan.schedule import ScheduleLine  # noqa: PLC0415
    from domain.money import parse_minor  # noqa: PLC0415
    from workers.commands.options import day_of  # noqa: PLC0415

    if not isinstance(row, dict):
        raise InvalidInput(f"row {index}", row, "an object")
    minor = {
        name: parse_minor(row.get(name, 0), terms.currency, f"row {index} {name}")
        for name in ("principal", "interest", "fee", "balance")
    }
    due_on = day_of(f"row {index} due_on", str(row.get("due_on")))
    number, days = (_whole(f"row {index} {name}", row.get(name, 0)) for name in ("number", "days"))
    return ScheduleLine(number or index, due_on, days, **minor)


def _whole(name: str, value: object) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise InvalidInput(name, value, "a whole number")
    return int(text)


def _caps(words: Sequence[str]) -> tuple[Cap, ...]:
    from domain.loan.caps import RateCap  # noqa: PLC0415
    from domain.money import parse_decimal  # noqa: PLC0415

    caps = []
    for word in words:
        name, equals, percent = word.rpartition("=")
        if not equals or not name:
            raise InvalidInput("cap", word, "NAME=PERCENT")
        caps.append(RateCap(name, parse_decimal(percent, "cap")))
    return tuple(caps)


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "loan": report.loan,
        "ok": not report.faults and not report.over,
        "faults": [
            {"field": fault.field, "value": str(fault.value), "rule": fault.rule}
            for fault in report.faults
        ],
        "caps_exceeded": report.over,
        **report.figures,
    }


def _show(reports: Sequence[Report]) -> None:
    good = sum(not report.faults and not report.over for report in reports)
    columns = ["loan", "installment>", "interest>", "nominal %>", "effective %>", "verdict"]
    rows = []
    for report in reports[:SHOWN]:
        verdict = "refused" if report.faults else "above a cap" if report.over else "good"
        names = ("installment", "interest", "nominal", "effective")
        rows.append([report.loan, *(report.figures.get(name, "") for name in names), verdict])
    print_table(f"{good} of {len(reports)} loans are good", columns, rows)
