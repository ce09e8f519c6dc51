"""One row of a tape as a command: terms, schedule and mandate, or the rule that the row breaks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from adapters.products.translate import ProductFile
from adapters.tapes.files.columns import LOANS
from adapters.tapes.files.fields import (
    given,
    money,
    name_of,
    nothing_private,
    periods_of,
    plain_number,
    whole_day,
)
from adapters.tapes.files.history import HistoryRow
from adapters.tapes.files.mapping import DEFAULT_TENANT, ProductRule, TapeMap
from adapters.tapes.files.rows import Row
from adapters.tapes.loan.checks import check_gaps, with_id
from adapters.tapes.loan.comparing import Compared, installment, next_debit
from adapters.tapes.loan.events import agreed, has_past_events
from adapters.tapes.loan.opening import brought_by
from adapters.tapes.loan.stated import Plan, is_in_progress, stated_of
from domain.calendar import BankingCalendar
from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.errors import InvalidInput
from domain.kernel.command import Actor
from domain.loan.boarding import BoardLoan, Past
from domain.loan.opening import Opening
from domain.pricing import schedule
from domain.pricing.schedule import ScheduleLine, ScheduleTerms
from domain.text import plain

TAPE = Actor("upstream", "tape")
USUAL_MERCHANT = "ACQUIT"
"""How a rail knows us that does not say otherwise."""

ClassOfCode = Callable[[str, str, bool], OutcomeClass]
"""The class of a rail's code; whether it is the reason of a return."""


def no_table(rail: str, code: str, returned: bool) -> OutcomeClass:  # noqa: ARG001, FBT001
    """The class of any code where no table of codes is known."""
    return OutcomeClass.UNKNOWN_CODE


@dataclass(frozen=True, slots=True)
class Shift:
    """Move a tape in time, for demonstrations and rehearsals.

    Row n (from 0) falls due first on `first_due_on` plus n modulo `spread_days` days, and counts
    as disbursed one period before. Loans in progress stay where they are.
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
    `class_of`: what the codes of rails mean in histories.
    """

    tape_map: TapeMap
    products: Mapping[str, ProductFile]
    calendars: Callable[[str], BankingCalendar]
    merchants: Mapping[str, str] = field(default_factory=dict)
    months: int | None = None
    shift: Shift | None = None
    past: Past = Past.REFUSE
    class_of: ClassOfCode = no_table


@dataclass(frozen=True, slots=True)
class RowLoan:
    """A row that can be boarded.

    `installment` is the usual one of the whole term, `next_debit` the first of which something is
    owed, each as the tape states it and by our own arithmetic; `unconfirmed` due dates that the
    calendar's source does not cover.
    """

    command: BoardLoan
    periods: int
    installment: Compared | None
    next_debit: Compared | None
    unconfirmed: int


@nothing_private()
def loan_of(
    row: Row, position: int, rules: BoardingRules, history: Sequence[HistoryRow] = ()
) -> RowLoan:
    """The command that boards the loan of one row.

    `position` is its place among the rows, `history` its rows of the history file.

    Raises:
        InvalidInput: the first field that breaks a rule, of the row or of its history.
    """
    values = row.values
    for name, value in values.items():
        plain(value, name)
    loan_id, tenant = name_of(values, "loan_id"), name_of(values, "tenant", DEFAULT_TENANT)
    chosen = product_of(row, rules)
    product = chosen.product
    if values.get("currency", product.currency) != product.currency:
        raise InvalidInput("currency", values["currency"], f"{product.currency} of {product.ref}")
    if LOANS in values:
        raise InvalidInput(LOANS, values[LOANS], "empty but in a control row")
    terms = _terms(row, position, chosen, rules)
    plan = _plan(terms, chosen, rules)
    usual = installment(values, plan.scheduled, product.currency)
    if lines := agreed(history, terms):
        plan = replace(plan, scheduled=lines, lines=lines, is_agreed=True)
    mandate = mandate_of(values, chosen, rules, terms.disbursed_on)
    lines, opening, unusual = _rows(values, plan, mandate, rules, history)
    command = BoardLoan(
        id="",
        actor=TAPE,
        reason=f"tape {rules.tape_map.name}",
        loan_id=loan_id,
        tenant=tenant,
        borrower=name_of(values, "borrower"),
        currency=product.currency,
        principal_minor=sum(line.principal for line in lines),
        disbursed_on=terms.disbursed_on,
        product=product,
        mandate=mandate,
        schedule=lines,
        past=_past(values, rules.past),
        opening=opening,
    )
    check_gaps(command, chosen, terms.periods, "first_due_on", unusual)
    calendar = rules.calendars(product.calendar)
    return RowLoan(
        with_id(command),
        terms.periods,
        usual,
        None if opening is None else next_debit(values, command, opening, plan.adjust),
        sum(1 for line in lines if not calendar.is_confirmed(line.due_on)),
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
    principal = money(given(values, "principal"), currency, "principal")
    if principal <= 0:
        raise InvalidInput("principal", values["principal"], "above zero")
    disbursed_on = rules.tape_map.day_of(given(values, "disbursed_on"), "disbursed_on")
    if (text := values.get("first_due_on")) is not None:
        first_due_on = rules.tape_map.day_of(text, "first_due_on")
    else:
        first_due_on = how.every.date_at(disbursed_on, 1)
    if rules.shift is not None and "as_of" not in values:
        first_due_on = rules.shift.first_due_on + timedelta(position % rules.shift.spread_days)
        disbursed_on = how.every.date_at(first_due_on, -1)
    # Lent on the 31st and due a month later: 28 February, and then 31 March again.
    regular = first_due_on == how.every.date_at(disbursed_on, 1)
    anchor_day = disbursed_on.day if regular and how.every.unit == "month" else None
    return ScheduleTerms(
        principal_minor=principal,
        currency=currency,
        annual_rate_percent=_rate(values, rules.tape_map),
        periods=periods_of(values),
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
    rate = Decimal(plain_number(given(values, "annual_rate"), "annual_rate"))
    return rate * 100 if tape_map.units.annual_rate == "fraction" else rate


def _plan(terms: ScheduleTerms, chosen: ProductFile, rules: BoardingRules) -> Plan:
    """Its rows with due dates moved to banking days; amounts stay, as agreed on unmoved dates."""
    product, scheduled = chosen.product, schedule.build(terms)
    calendar = rules.calendars(product.calendar)

    def adjust(day: date) -> date:
        return calendar.adjust(day, product.adjust)

    lines = tuple(replace(line, due_on=adjust(line.due_on)) for line in scheduled)
    return Plan(terms, scheduled, lines, adjust)


def _rows(
    values: Mapping[str, str],
    plan: Plan,
    mandate: Mandate,
    rules: BoardingRules,
    history: Sequence[HistoryRow],
) -> tuple[tuple[ScheduleLine, ...], Opening | None, int]:
    """What falls due, what the loan brings, and the number of a row with an unusual due date."""
    if not is_in_progress(values):
        if has_past_events(history):
            why = f"given, as the history has rows of this loan (line {history[0].line})"
            raise InvalidInput("as_of", None, why)
        return cut(plan.lines, rules.months), None, 0
    stated = stated_of(values, plan.terms.currency)
    class_of = partial(rules.class_of, mandate.rail)
    brought = brought_by(stated, plan, history, mandate.ref, class_of)
    past = sum(1 for line in brought.lines if line.due_on <= stated.as_of)
    months = None if rules.months is None else past + rules.months
    return cut(brought.lines, months), brought.opening, brought.written_off


def mandate_of(
    values: Mapping[str, str], chosen: ProductFile, rules: BoardingRules, lent_on: date
) -> Mandate:
    """The authority to debit that a row names; it begins with the lending unless the row says."""
    product = chosen.product
    merchant = rules.merchants.get(product.rail, USUAL_MERCHANT)
    cap = values.get("mandate_cap")
    valid_from = _day_if_given(values, "mandate_valid_from") or lent_on
    valid_to, ended_on = (
        _day_if_given(values, name) for name in ("mandate_valid_to", "mandate_ended_on")
    )
    begin = max(valid_from, lent_on)
    if valid_to is not None and valid_to < begin:
        text = values["mandate_valid_to"]
        raise InvalidInput("mandate_valid_to", text, f"not before the disbursement {begin}")
    if ended_on is not None and ended_on < valid_from:
        text = values["mandate_ended_on"]
        raise InvalidInput("mandate_ended_on", text, f"not before {valid_from}, when it began")
    return Mandate(
        ref=name_of(values, "mandate_ref"),
        rail=product.rail,
        merchant_id=name_of(values, "merchant_id", merchant),
        account_token=name_of(values, "account_token"),
        valid_from=valid_from,
        valid_to=valid_to,
        cap_minor=None if cap is None else money(cap, product.currency, "mandate_cap"),
        ended_on=ended_on,
    )


def _day_if_given(values: Mapping[str, str], field: str) -> date | None:
    return whole_day(values[field], field) if field in values else None


def _past(values: Mapping[str, str], unless_given: Past) -> Past:
    """What becomes of past installments: as the row says, else as the whole tape does.

    What a loan in progress owes from before is debited at once only where its own row asks for it.
    """
    text = values.get("past")
    if text is None:
        is_for_rows = unless_given is Past.OWED and is_in_progress(values)
        return Past.REFUSE if is_for_rows else unless_given
    if text not in list(Past):
        raise InvalidInput("past", text, ", ".join(Past))
    return Past(text)


def product_of(row: Row, rules: BoardingRules) -> ProductFile:
    """The product that a row names, or that a rule of the map gives it."""
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
        rule.periods_most is None or periods_of(values) <= rule.periods_most,
        rule.principal_most is None
        or Decimal(plain_number(given(values, "principal"), "principal")) <= rule.principal_most,
    ]
    return all(checks)
