"""One row of a tape as a command: terms, schedule and mandate, or the rule that the row breaks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

from adapters.products.translate import ProductFile
from adapters.tapes.checks import check_gaps, with_id
from adapters.tapes.mapping import DEFAULT_TENANT, ProductRule, TapeMap
from adapters.tapes.rows import Row
from domain.calendar import BankingCalendar
from domain.debit.mandate import Mandate
from domain.errors import InvalidInput
from domain.kernel.command import Actor
from domain.loan.boarding import BoardLoan, Past
from domain.money import parse_minor
from domain.pricing import schedule
from domain.pricing.schedule import ScheduleLine, ScheduleTerms
from domain.text import plain

TAPE = Actor("upstream", "tape")
USUAL_MERCHANT = "ACQUIT"
"""How a rail knows us that does not say otherwise."""
_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?", re.ASCII)
_NAMES = {
    # A loan id is part of order numbers and of ids of messages and workflows, so it is short.
    "loan_id": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}", re.ASCII),
    "tenant": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII),
    "borrower": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", re.ASCII),
    "mandate_ref": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,34}", re.ASCII),
    "account_token": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}", re.ASCII),
    "merchant_id": re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII),
}


@dataclass(frozen=True, slots=True)
class Shift:
    """Move a tape in time, for demonstrations and rehearsals.

    Row n (from 0) falls due first on `first_due_on` plus n modulo `spread_days` days, and counts
    as disbursed one period before.
    """

    first_due_on: date
    spread_days: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.spread_days <= 366:
            raise InvalidInput("spread_days", self.spread_days, "1 to 366")


@dataclass(frozen=True, slots=True)
class BoardingRules:
    """What rows are read with.

    `merchants`: how each rail knows us, where the row does not say; `USUAL_MERCHANT` on any other.
    `months`: board only so many first installments of each loan. `past`: what became of
    installments that fell due before the day of boarding, where the row does not say.
    """

    tape_map: TapeMap
    products: Mapping[str, ProductFile]
    calendars: Callable[[str], BankingCalendar]
    merchants: Mapping[str, str] = field(default_factory=dict)
    months: int | None = None
    shift: Shift | None = None
    past: Past = Past.REFUSE


@dataclass(frozen=True, slots=True)
class RowLoan:
    """A row that can be boarded.

    `stated_minor` is the installment that the lender states, if the tape has it; `computed_minor`
    the usual installment of the whole schedule by our own arithmetic; `unconfirmed` due dates
    that the calendar's source does not cover.
    """

    command: BoardLoan
    periods: int
    stated_minor: int | None
    computed_minor: int
    unconfirmed: int


def loan_of(row: Row, position: int, rules: BoardingRules) -> RowLoan:
    """The command that boards the loan of one row; `position` is its place among the rows.

    Raises:
        InvalidInput: the first field that breaks a rule.
    """
    values = row.values
    for name, value in values.items():
        plain(value, name)
    loan_id, tenant = _name(values, "loan_id"), _name(values, "tenant", DEFAULT_TENANT)
    chosen = _product(row, rules)
    product = chosen.product
    if values.get("currency", product.currency) != product.currency:
        raise InvalidInput("currency", values["currency"], f"{product.currency} of {product.ref}")
    terms = _terms(row, position, chosen, rules)
    whole = schedule.build(terms)
    lines, unconfirmed = _on_banking_days(cut(whole, rules.months), chosen, rules)
    principal = sum(line.principal for line in lines)
    stated = values.get("installment")
    command = BoardLoan(
        id="",
        actor=TAPE,
        reason=f"tape {rules.tape_map.name}",
        loan_id=loan_id,
        tenant=tenant,
        borrower=_name(values, "borrower"),
        currency=product.currency,
        principal_minor=principal,
        disbursed_on=terms.disbursed_on,
        product=product,
        mandate=_mandate(values, chosen, rules, terms.disbursed_on),
        schedule=lines,
        past=_past(values, rules.past),
    )
    check_gaps(command, chosen, terms.periods, "first_due_on")
    return RowLoan(
        with_id(command),
        terms.periods,
        None if stated is None else _money(stated, product.currency, "installment"),
        schedule.usual_line(whole).total,
        unconfirmed,
    )


def cut(lines: tuple[ScheduleLine, ...], months: int | None) -> tuple[ScheduleLine, ...]:
    """The first rows of a schedule with their own amounts, as a schedule that repays itself.

    Principal is what these rows repay, so balances run down to zero at the last of them.
    """
    if months is None or months >= len(lines):
        return lines
    kept = lines[:months]
    left = kept[-1].balance
    return tuple(replace(line, balance=line.balance - left) for line in kept)


def _terms(row: Row, position: int, chosen: ProductFile, rules: BoardingRules) -> ScheduleTerms:
    values, how = row.values, chosen.schedule
    currency = chosen.product.currency
    principal = _money(_given(values, "principal"), currency, "principal")
    if principal <= 0:
        raise InvalidInput("principal", values["principal"], "above zero")
    disbursed_on = rules.tape_map.day_of(_given(values, "disbursed_on"), "disbursed_on")
    if (text := values.get("first_due_on")) is not None:
        first_due_on = rules.tape_map.day_of(text, "first_due_on")
    else:
        first_due_on = how.every.date_at(disbursed_on, 1)
    if rules.shift is not None:
        first_due_on = rules.shift.first_due_on + timedelta(position % rules.shift.spread_days)
        disbursed_on = how.every.date_at(first_due_on, -1)
    # Lent on the 31st and due a month later: 28 February, and then 31 March again.
    regular = first_due_on == how.every.date_at(disbursed_on, 1)
    anchor_day = disbursed_on.day if regular and how.every.unit == "month" else None
    return ScheduleTerms(
        principal_minor=principal,
        currency=currency,
        annual_rate_percent=_rate(values, rules.tape_map),
        periods=_periods(values),
        method=how.method,
        day_count=how.day_count,
        disbursed_on=disbursed_on,
        first_due_on=first_due_on,
        every=how.every,
        rounding=how.rounding,
        round_installment_to_minor=how.round_installment_to_minor,
        anchor_day=anchor_day,
    )


def _rate(values: Mapping[str, str], tape_map: TapeMap) -> Decimal:
    rate = Decimal(_plain(_given(values, "annual_rate"), "annual_rate"))
    return rate * 100 if tape_map.units.annual_rate == "fraction" else rate


def _on_banking_days(
    lines: tuple[ScheduleLine, ...], chosen: ProductFile, rules: BoardingRules
) -> tuple[tuple[ScheduleLine, ...], int]:
    """Due dates moved as the product says; amounts stay: terms were agreed on unmoved dates."""
    calendar = rules.calendars(chosen.product.calendar)
    moved = tuple(
        replace(line, due_on=calendar.adjust(line.due_on, chosen.product.adjust)) for line in lines
    )
    return moved, sum(1 for line in moved if not calendar.is_confirmed(line.due_on))


def _mandate(
    values: Mapping[str, str], chosen: ProductFile, rules: BoardingRules, valid_from: date
) -> Mandate:
    product = chosen.product
    merchant = rules.merchants.get(product.rail, USUAL_MERCHANT)
    cap, term = values.get("mandate_cap"), values.get("mandate_valid_to")
    valid_to = None if term is None else _whole_day(term, "mandate_valid_to")
    if valid_to is not None and valid_to < valid_from:
        raise InvalidInput("mandate_valid_to", term, f"not before the disbursement {valid_from}")
    return Mandate(
        ref=_name(values, "mandate_ref"),
        rail=product.rail,
        merchant_id=_name(values, "merchant_id", merchant),
        account_token=_name(values, "account_token"),
        valid_from=valid_from,
        valid_to=valid_to,
        cap_minor=None if cap is None else _money(cap, product.currency, "mandate_cap"),
    )


def _past(values: Mapping[str, str], unless_given: Past) -> Past:
    """What becomes of past installments: as the row says, else as the whole tape does."""
    text = values.get("past")
    if text is None:
        return unless_given
    if text not in list(Past):
        raise InvalidInput("past", text, ", ".join(Past))
    return Past(text)


def _product(row: Row, rules: BoardingRules) -> ProductFile:
    name = row.values.get("product")
    if name is None:
        fitting = (rule.product for rule in rules.tape_map.product_rules if _fits(rule, row))
        name = next(fitting, None)
    if name is None:
        raise InvalidInput("product", None, "a column, or a rule of the map that fits this row")
    try:
        return rules.products[name]
    except KeyError:
        known = ", ".join(sorted(rules.products))
        raise InvalidInput("product", name, f"a product file: {known}") from None


def _fits(rule: ProductRule, row: Row) -> bool:
    values = row.values
    checks = [
        rule.currency is None or values.get("currency") == rule.currency,
        rule.column is None or row.raw.get(rule.column) == rule.equals,
        rule.periods_most is None or _periods(values) <= rule.periods_most,
        rule.principal_most is None
        or Decimal(_plain(_given(values, "principal"), "principal")) <= rule.principal_most,
    ]
    return all(checks)


def _name(values: Mapping[str, str], field: str, default: str | None = None) -> str:
    text = values.get(field, default)
    if text is None:
        raise InvalidInput(field, None, "must be given")
    if not _NAMES[field].fullmatch(text):
        raise InvalidInput(field, text, f"matches {_NAMES[field].pattern}")
    return text


def _given(values: Mapping[str, str], field: str) -> str:
    try:
        return values[field]
    except KeyError:
        raise InvalidInput(field, None, "must be given") from None


def _periods(values: Mapping[str, str]) -> int:
    text = _given(values, "periods")
    if not _NUMBER.fullmatch(text):
        raise InvalidInput("periods", text, "a whole number of installments")
    return int(text)


def _money(text: str, currency: str, field: str) -> int:
    return parse_minor(_plain(text, field), currency, field)


def _plain(text: str, field: str) -> str:
    """A number without grouping, currency or exponent: "1,200" is read differently by country."""
    if not _DECIMAL.fullmatch(text):
        raise InvalidInput(field, text, "a plain decimal number, such as 1200.50")
    return text


def _whole_day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, text, "a date written YYYY-MM-DD") from None
