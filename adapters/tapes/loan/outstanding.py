"""The schedule of a loan in progress whose row states the principal outstanding.

Rows that are paid through stand for what was really charged; what is to come is computed anew on
the balance, by the rules of the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from adapters.tapes.files.columns import PAID, WAIVED, WRITTEN_OFF
from adapters.tapes.loan.stated import Plan, Stated, check_next_due, closed_rows
from domain.money import amount_text
from domain.pricing import schedule
from domain.pricing.amounts import Amounts, Component
from domain.pricing.schedule import Method, ScheduleLine, ScheduleTerms

_CHARGED = (Component.PRINCIPAL, Component.INTEREST, Component.FEE)


@dataclass(frozen=True, slots=True)
class Outstanding:
    """The rows of such a loan.

    Attributes:
        lines: all of them, due on banking days; the first `closed` are paid through.
        written_off: the number of the row that was written off, the last one; 0 for none.
    """

    lines: tuple[ScheduleLine, ...]
    closed: int
    written_off: int = 0


def outstanding(stated: Stated, plan: Plan) -> Outstanding:
    """The rows that were charged, and those to come on the stated balance.

    Raises:
        InvalidInput: the row contradicts itself or its terms.
    """
    closed, paid = closed_rows(stated, plan), stated.of(PAID) + stated.of(WAIVED)
    _check_principal(stated, plan, paid)
    check_has_rows(stated, closed)
    _check_interest(stated, plan.lines[:closed], paid)
    charged = _filled(stated, plan.lines[:closed], paid)
    balance, lost = stated.minor("balance"), stated.of(WRITTEN_OFF)
    due_on = stated.day("written_off_on")
    if due_on is not None or lost.total:
        lines = (*charged, _written_off(stated, plan, closed, due_on, lost))
        return Outstanding(_balanced(lines), closed, closed + 1)
    if not balance:
        if (due := stated.day("next_due_on")) is not None:
            raise stated.fault("next_due_on", f"empty: nothing falls due on {due} without balance")
        return Outstanding(_balanced(charged), closed)
    return Outstanding(_balanced((*charged, *_to_come(stated, plan, closed, balance))), closed)


def lesser(one: Amounts, other: Amounts) -> Amounts:
    """Of each component the smaller amount."""
    return Amounts(*(min(a, b) for a, b in zip(one.values(), other.values(), strict=True)))


def check_has_rows(stated: Stated, closed: int) -> None:
    """See that money that was paid or forgiven has a closed row to stand in.

    Raises:
        InvalidInput: a sum above zero, and no row that is paid through.
    """
    for column in (*PAID, *WAIVED):
        if not closed and stated.minor(column):
            raise stated.fault(column, "zero, as no installment is paid through; see paid_through")


def _check_principal(stated: Stated, plan: Plan, paid: Amounts) -> None:
    principal, currency = plan.terms.principal_minor, stated.currency
    balance = principal - paid.principal - stated.minor("written_off_principal")
    if balance != stated.minor("balance"):
        rest = amount_text(balance, currency)
        why = "the principal less what of it was paid, waived and written off"
        raise stated.fault("balance", f"{rest}: {why}")


def _check_interest(stated: Stated, closed: Sequence[ScheduleLine], paid: Amounts) -> None:
    """See that interest was paid and waived for the closed rows alone.

    An odd first period may have borne up to as much again as the row that asks for most. What is
    beyond that was paid for rows to come, which would ask for it a second time.
    """
    asked = sum(line.interest for line in closed)
    most = asked + max((line.interest for line in closed), default=0)
    if paid.interest > most:
        column = "paid_interest" if stated.minor("paid_interest") else "waived_interest"
        scheduled, limit = (amount_text(minor, stated.currency) for minor in (asked, most))
        why = f"installments 1 to {len(closed)} ask for {scheduled}"
        rule = f"with what was waived at most {limit}, as {why}; what was paid of later ones"
        raise stated.fault(column, f"{rule} is told by a history")


def _filled(
    stated: Stated, scheduled: Sequence[ScheduleLine], paid: Amounts
) -> tuple[ScheduleLine, ...]:
    """Closed rows filled in their order, each at most as scheduled, the last one with the rest."""
    left, lines = paid, []
    for line in scheduled:
        asked = Amounts(line.principal, line.interest, line.fee)
        found = left if line is scheduled[-1] else lesser(left, asked)
        parts = {component.value: found.of(component) for component in _CHARGED}
        if not sum(parts.values()):
            total = amount_text(sum(paid.of(one) for one in _CHARGED), stated.currency)
            why = f"{total} leaves nothing for installment {line.number} of {len(scheduled)}"
            raise stated.fault("paid_through", f"due dates that were paid: {why}")
        left -= Amounts(**parts)
        lines.append(replace(line, **parts))  # type: ignore[arg-type]
    return tuple(lines)


def _written_off(
    stated: Stated, plan: Plan, closed: int, due_on: date | None, lost: Amounts
) -> ScheduleLine:
    """The one row that stands for what was written off, due on the day of it."""
    if due_on is None:
        raise stated.fault("written_off_on", "given with what was written off")
    if not sum(lost.of(component) for component in _CHARGED):
        raise stated.fault("written_off_principal", "what was written off: above zero")
    if stated.minor("balance"):
        raise stated.fault("balance", "zero, where the rest is written off")
    if (due := stated.day("next_due_on")) is not None:
        raise stated.fault("next_due_on", f"empty: what falls due on {due} is written off")
    first = plan.lines[closed - 1].due_on if closed else plan.terms.disbursed_on
    if not first <= due_on <= stated.as_of:
        raise stated.fault("written_off_on", f"from {first} to as_of {stated.as_of}")
    days = (due_on - first).days
    amounts = (lost.principal, lost.interest, lost.fee)
    return ScheduleLine(closed + 1, due_on, days, *amounts, balance=0)


def _to_come(stated: Stated, plan: Plan, closed: int, balance: int) -> tuple[ScheduleLine, ...]:
    """Rows on the balance, from the due date after those that are closed."""
    terms, day = plan.terms, stated.day("next_due_on")
    periods = terms.periods - closed
    if terms.method is Method.BULLET:
        check_next_due(stated, plan, closed)
        periods = 0 if closed else terms.periods
    if periods < 1:
        rule = f"zero: all {closed} installments are paid through"
        raise stated.fault("balance", rule)
    rest = _rest(plan, closed, balance, periods)
    scheduled = {rest.first_due_on, plan.adjust(rest.first_due_on)}
    if terms.method is not Method.BULLET and day is not None and day not in scheduled:
        if day <= rest.disbursed_on:
            raise stated.fault("next_due_on", f"after {rest.disbursed_on}")
        rest = replace(rest, first_due_on=day, anchor_day=None)
    return tuple(
        replace(line, number=closed + line.number, due_on=plan.adjust(line.due_on))
        for line in schedule.build(rest)
    )


def _rest(plan: Plan, closed: int, balance: int, periods: int) -> ScheduleTerms:
    """The terms of what is to come, as if the balance were lent on the last closed due date."""
    terms = plan.terms
    unit = terms.round_installment_to_minor
    rest = replace(
        terms,
        principal_minor=balance,
        periods=periods,
        round_installment_to_minor=unit if unit <= balance else 0,
    )
    if not closed:
        return rest
    anchor = terms.anchor_day or terms.first_due_on.day
    return replace(
        rest,
        disbursed_on=plan.scheduled[closed - 1].due_on,
        first_due_on=terms.every.date_at(terms.first_due_on, closed, anchor),
        anchor_day=anchor if terms.every.unit in {"month", "half-month"} else None,
    )


def _balanced(lines: Sequence[ScheduleLine]) -> tuple[ScheduleLine, ...]:
    """The rows with the principal that is left after each."""
    left, found = sum(line.principal for line in lines), []
    for line in lines:
        left -= line.principal
        found.append(replace(line, balance=left))
    return tuple(found)
