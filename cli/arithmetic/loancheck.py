"""`acquit loan check`: one loan or a tape against every rule of the arithmetic, before boarding."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import Commands, JsonOption, print_json, print_table
from domain.errors import InvalidInput
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from adapters.products.translate import ProductFile
    from domain.pricing.caps import Cap, CapExceeded, Costs
    from domain.pricing.schedule import ScheduleLine, ScheduleTerms

_EXAMPLE = "Example: acquit loan check loan.json --cap cn-institutions-24 --json"
_ALIASES = {
    "annual_rate": "rate",
    "disbursed_on": "disbursed",
    "first_due_on": "first_due",
    "last_due_on": "last_due",
    "amount": "principal",
}
_OTHER = {"upfront_fee", "each_fee", "rows", "installment"}
_NAMES = {
    *("loan_id", "tenant", "borrower", "product", "language", "merchant_id", "account_token"),
    *("mandate_ref", "mandate_cap", "mandate_valid_to"),
}
_COUNTS = {"periods", "principal_grace", "interest_free", "anchor_day"}
_LISTS = {"rate_change", "drawdown"}
MOST_LOANS = 100_000
LONGEST_BYTES = 64_000_000
SHOWN = 50


def register(app: typer.Typer) -> None:
    """Add `loan check` to `app`."""
    group = typer.Typer(
        help="Look at loans without boarding them.", no_args_is_help=True, cls=Commands
    )
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
    over: Sequence[CapExceeded] = ()
    figures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """What loans are held against: caps of the command line, and products by name."""

    caps: tuple[Cap, ...]
    products: Mapping[str, ProductFile] = field(default_factory=dict)

    def product(self, name: str) -> ProductFile | None:
        """The product that a loan names, or the only one there is; None where none are given."""
        refs = sorted({item.product.ref for item in self.products.values()})
        found = self.products.get(name or (refs[0] if len(refs) == 1 else ""))
        if found is None and refs:
            raise InvalidInput("product", name, f"one of {', '.join(refs)}")
        return found


def check(
    file: Annotated[str, typer.Argument(help="JSON loan, list of loans, or CSV tape.")],
    *,
    cap: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=PERCENT: most percent a year over all borrower cash flows; or a ceiling of "
            "law: cn-institutions-24, uk-high-cost, cn-private-4xlpr=LPR."
        ),
    ] = None,
    product: Annotated[
        Path | None,
        typer.Option(
            help="Product file, or a folder of them: ceilings, fees, calendar, and terms not given."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check dates, sums, rates and caps of loans; nothing is boarded.

    A loan has the names of the options of `acquit schedule`; besides upfront_fee, each_fee,
    installment (compared within one minor unit), product (with --product) and, for method explicit,
    rows. Exit code 2 when a value is refused, 1 when only a cap is exceeded.
    """
    rules = Rules(_caps(cap or []), _products(product))
    reports = [_report(name, given, rules) for name, given in _loans_of(file)]
    if not reports:
        raise InvalidInput("file", file, "at least one loan")
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
    from adapters.inputfile import csv_table, open_text  # noqa: PLC0415
    from cli.arithmetic.statetext import read_json  # noqa: PLC0415

    if Path(name).suffix.lower() == ".csv":
        with open_text(Path(name), LONGEST_BYTES) as file:
            for line, row in islice(csv_table(file, Path(name)), 1, None):
                if line > MOST_LOANS:
                    raise InvalidInput("file", name, f"at most {MOST_LOANS} lines")
                if given := {key: cell for key, cell in row.items() if cell}:
                    yield f"line {line}", given
        return
    document = read_json(name)
    loans = document if isinstance(document, list) else [document]
    for index, loan in enumerate(loans, start=1):
        if not isinstance(loan, dict):
            raise InvalidInput(f"loan {index}", loan, "an object")
        yield str(loan.get("loan_id", f"loan {index}")), loan


def _report(name: str, given: dict[str, Any], rules: Rules) -> Report:
    from domain.money import decimal_text  # noqa: PLC0415
    from domain.pricing.apr import AprMethod, apr, disclose  # noqa: PLC0415
    from domain.pricing.caps import exceeded  # noqa: PLC0415
    from domain.pricing.schedule import usual_line  # noqa: PLC0415

    report = Report(name)
    try:
        values = _named(given)
        chosen = rules.product(str(values.get("product", "")))
        terms, lines = _schedule(_usual(chosen) | values)
        costs = _costs(values, terms, lines, chosen)
        rate = apr(costs.flows, AprMethod.IRR, costs.unit.per_year)
        own = chosen.product.caps if chosen is not None else None
        report.over = exceeded(costs, (*(own.caps if own is not None else ()), *rules.caps))
        report.figures = {
            "installment": decimal_text(usual_line(lines).total, terms.currency),
            "interest": decimal_text(sum(line.interest for line in lines), terms.currency),
            "nominal": disclose(rate.nominal),
            "effective": disclose(rate.effective),
        }
        _compare(values, terms, lines)
    except InvalidInput as fault:
        report.faults.append(fault)
    return report


def _usual(chosen: ProductFile | None) -> dict[str, Any]:
    """Terms of a loan that gives none: those of its product; a tape's are equal installments."""
    from domain.money import decimal_text  # noqa: PLC0415

    if chosen is None:
        return {"method": "equal-installment"}
    how, currency = chosen.schedule, chosen.product.currency
    return {
        "method": how.method,
        "day_count": how.day_count,
        "every": how.every,
        "rounding": how.rounding,
        "round_installment_to": decimal_text(how.round_installment_to_minor, currency),
        "currency": currency,
    }


def _costs(
    values: dict[str, Any],
    terms: ScheduleTerms,
    lines: Sequence[ScheduleLine],
    chosen: ProductFile | None,
) -> Costs:
    """What the loan costs as it would be boarded: due dates moved, fees of the product added."""
    from adapters.calendars import load_calendar  # noqa: PLC0415
    from domain.money import parse_minor  # noqa: PLC0415
    from domain.pricing.caps import Fees  # noqa: PLC0415
    from domain.pricing.costs import of_schedule  # noqa: PLC0415

    upfront, each = (
        parse_minor(values.get(name, 0), terms.currency, name)
        for name in ("upfront_fee", "each_fee")
    )
    if chosen is not None:
        product = chosen.product
        calendar = load_calendar(product.calendar)
        lines = [
            replace(line, due_on=calendar.adjust(line.due_on, product.adjust)) for line in lines
        ]
        if product.caps is not None:
            fees = product.caps.fees_on(terms.principal_minor)
            upfront, each = upfront + fees.upfront, each + fees.each
    advances = [(terms.disbursed_on, terms.first_part_minor), *terms.drawdowns]
    return of_schedule(terms.every, advances, lines, Fees(upfront, each))


def _compare(values: dict[str, Any], terms: ScheduleTerms, lines: Sequence[ScheduleLine]) -> None:
    """Refuse an installment stated that is more than one minor unit from ours."""
    from domain.money import decimal_text, parse_minor  # noqa: PLC0415
    from domain.pricing.schedule import usual_line  # noqa: PLC0415

    if "installment" not in values:
        return
    stated = parse_minor(values["installment"], terms.currency, "installment")
    usual = usual_line(lines).total
    if abs(stated - usual) > 1:
        ours = decimal_text(usual, terms.currency)
        raise InvalidInput("installment", values["installment"], f"within one minor unit of {ours}")


def _named(given: dict[str, Any]) -> dict[str, Any]:
    """Values under the names of the options, dashes and canonical tape names understood."""
    from dataclasses import fields  # noqa: PLC0415

    from cli.arithmetic.termstext import TermsText  # noqa: PLC0415

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
    from cli.arithmetic.termstext import TermsText  # noqa: PLC0415
    from domain.pricing.schedule import Method, build  # noqa: PLC0415
    from domain.pricing.schedule import check as check_lines  # noqa: PLC0415

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
            raise InvalidInput(name, "", "must be given")
    terms, rows = TermsText(**words).read(), values.get("rows", ())
    if terms.method is not Method.EXPLICIT:
        if rows:
            raise InvalidInput("rows", f"{len(rows)} rows", "only for method explicit")
        return terms, build(terms)
    lines = tuple(_line(index, row, terms) for index, row in enumerate(rows, 1))
    check_lines(lines, terms.principal_minor)
    if lines[0].due_on <= terms.disbursed_on:
        raise InvalidInput("row 1 due_on", lines[0].due_on, f"after {terms.disbursed_on}")
    return terms, lines


def _line(index: int, row: object, terms: ScheduleTerms) -> ScheduleLine:
    from cli.options import day_of  # noqa: PLC0415
    from domain.money import parse_minor  # noqa: PLC0415
    from domain.pricing.schedule import ScheduleLine  # noqa: PLC0415

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


def _products(path: Path | None) -> Mapping[str, ProductFile]:
    from adapters.products.files import read_products  # noqa: PLC0415

    return {} if path is None else read_products(path)


def _caps(words: Sequence[str]) -> tuple[Cap, ...]:
    from domain.money import parse_decimal  # noqa: PLC0415
    from domain.pricing.caps import CN_PRIVATE, Cap, legal_caps  # noqa: PLC0415

    caps: list[Cap] = []
    for word in words:
        name, equals, percent = word.rpartition("=")
        if not equals:
            caps += legal_caps(word)
        elif name == CN_PRIVATE:
            caps += legal_caps(name, parse_decimal(percent, "cap"))
        elif name:
            caps.append(Cap(name, parse_decimal(percent, "cap")))
        else:
            raise InvalidInput("cap", word, "NAME=PERCENT")
    return tuple(caps)


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "loan": report.loan,
        "ok": not report.faults and not report.over,
        "faults": [
            {"field": fault.field, "value": str(fault.value), "rule": fault.rule}
            for fault in report.faults
        ],
        "caps_exceeded": [
            {
                "rule": one.rule,
                "measure": one.measure.value,
                "cap": one.cap,
                "figure": one.figure,
            }
            for one in report.over
        ],
        **report.figures,
    }


def _show(reports: Sequence[Report]) -> None:
    good = sum(not report.faults and not report.over for report in reports)
    columns = ["loan", "installment>", "interest>", "nominal %>", "effective %>", "result"]
    rows = []
    for report in reports[:SHOWN]:
        result = "refused" if report.faults else "above a cap" if report.over else "good"
        names = ("installment", "interest", "nominal", "effective")
        rows.append([report.loan, *(report.figures.get(name, "") for name in names), result])
    print_table(f"{good} of {len(reports)} loans are good", columns, rows)
