"""Applications from upstream as commands: the same rules as for a row of a canonical tape."""

from dataclasses import fields, replace
from functools import partial

from adapters.tapes.application.opening import brought_from_upstream, opening_text, written_off_last
from adapters.tapes.files.fields import nothing_private, whole_day
from adapters.tapes.files.rows import Row
from adapters.tapes.loan.checks import check_cost, check_gaps, with_id
from adapters.tapes.loan.loans import BoardingRules, loan_of, mandate_of
from domain.errors import InvalidInput
from domain.kernel.command import Actor
from domain.loan.boarding import BoardLoan, Past
from domain.money import decimal_text, parse_minor
from domain.pricing import schedule
from domain.pricing.schedule import ScheduleLine
from domain.text import plain
from ports.boarding import LoanApplication

UPSTREAM = Actor("upstream", "application")
_LINES_MOST = 1200
_MANDATE_DATES = ("mandate_valid_from", "mandate_ended_on")
_APART = frozenset({"schedule", "opening", *_MANDATE_DATES})


class UpstreamBoarding:
    """Implements `ports.boarding.Boarding` by products and calendars of this installation."""

    def __init__(self, rules: BoardingRules) -> None:
        self._rules = replace(rules, months=None, shift=None)

    @nothing_private()
    def command(self, application: LoanApplication) -> BoardLoan:
        """The command of one application; rows agreed upstream replace the computed schedule.

        Raises:
            InvalidInput: the first field that breaks a rule.
        """
        values = {
            item.name: value
            for item in fields(application)
            if item.name not in _APART and (value := getattr(application, item.name))
        }
        name, _, version = application.product.partition("@")
        values["product"] = name
        found = self._rules.products.get(name)
        if version and found is not None and str(found.product.version) != version:
            raise InvalidInput("product", application.product, f"{found.product.ref}")
        loan = loan_of(Row(0, values, values), 0, self._rules)
        command = replace(loan.command, actor=UPSTREAM, reason="application from upstream")
        chosen = self._rules.products[name]
        values |= _mandate_dates(application)
        mandate = mandate_of(values, chosen, self._rules, command.disbursed_on)
        command = replace(command, mandate=mandate)
        if application.schedule:
            lines = _explicit(application, command.currency)
            schedule.check(lines, command.principal_minor)
            command = replace(command, schedule=lines)
        if application.opening is not None:
            class_of = partial(self._rules.class_of, command.product.rail)
            command = brought_from_upstream(command, application.opening, class_of)
        if application.schedule:
            unusual = written_off_last(command)
            check_gaps(command, chosen, loan.periods, "schedule[1].due_on", unusual)
        check_cost(command)
        return with_id(command)


def application_of(command: BoardLoan) -> LoanApplication:
    """The application that boards exactly this loan, its schedule row by row."""
    currency, mandate = command.currency, command.mandate

    def text(minor: int) -> str:
        return decimal_text(minor, currency)

    began = mandate.valid_from == command.disbursed_on
    rows = tuple(
        (line.due_on.isoformat(), text(line.principal), text(line.interest), text(line.fee))
        for line in command.schedule
    )
    return LoanApplication(
        tenant=command.tenant,
        loan_id=command.loan_id,
        borrower=command.borrower,
        product=command.product.ref,
        principal=text(command.principal_minor),
        annual_rate="0",
        periods=str(len(rows)),
        disbursed_on=command.disbursed_on.isoformat(),
        mandate_ref=mandate.ref,
        account_token=mandate.account_token,
        currency=currency,
        # What was written off as one row falls due when it was, on no day that terms could give.
        first_due_on="" if command.opening is not None else rows[0][0],
        merchant_id=mandate.merchant_id,
        mandate_cap="" if mandate.cap_minor is None else text(mandate.cap_minor),
        mandate_valid_to="" if mandate.valid_to is None else mandate.valid_to.isoformat(),
        schedule=rows,
        past="" if command.past is Past.REFUSE else command.past.value,
        mandate_valid_from="" if began else mandate.valid_from.isoformat(),
        mandate_ended_on="" if mandate.ended_on is None else mandate.ended_on.isoformat(),
        opening=None if command.opening is None else opening_text(command.opening, currency),
    )


def _mandate_dates(application: LoanApplication) -> dict[str, str]:
    """What it says of its mandate's past, which only a loan in progress has."""
    found = {name: text for name in _MANDATE_DATES if (text := getattr(application, name))}
    for name, text in found.items():
        if application.opening is None:
            raise InvalidInput(name, text, "given together with opening, or not at all")
        plain(text, name)
    return found


def _explicit(application: LoanApplication, currency: str) -> tuple[ScheduleLine, ...]:
    """Rows as schedule lines; `balance` is what is left of the principal after each."""
    if len(application.schedule) > _LINES_MOST:
        raise InvalidInput("schedule", len(application.schedule), f"at most {_LINES_MOST} rows")
    left = parse_minor(application.principal, currency, "principal")
    lines: list[ScheduleLine] = []
    before = whole_day(application.disbursed_on, "disbursed_on")
    for number, (due_on, principal, interest, fee) in enumerate(application.schedule, start=1):
        field = f"schedule[{number}]"
        day = whole_day(due_on, f"{field}.due_on")
        paid = parse_minor(principal, currency, f"{field}.principal")
        left -= paid
        lines.append(
            ScheduleLine(
                number=number,
                due_on=day,
                days=(day - before).days,
                principal=paid,
                interest=parse_minor(interest, currency, f"{field}.interest"),
                fee=parse_minor(fee, currency, f"{field}.fee"),
                balance=left,
            )
        )
        before = day
    return tuple(lines)
