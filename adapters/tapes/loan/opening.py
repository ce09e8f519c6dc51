"""The opening of a loan in progress: from the sums of its row, or from the rows of its history."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from adapters.tapes.files.columns import COMPONENTS, PAID, WAIVED, WRITTEN_OFF, sums_by_column
from adapters.tapes.files.history import HistoryRow
from adapters.tapes.loan.attempts import ClassOf
from adapters.tapes.loan.events import Told, has_debt_events, read_events
from adapters.tapes.loan.outstanding import Outstanding, check_has_rows, lesser, outstanding
from adapters.tapes.loan.stated import Plan, Stated, check_next_due, closed_rows
from domain.loan.debthistory import DebtHistory
from domain.loan.opening import (
    Opening,
    OpeningPart,
    OpeningPayment,
)
from domain.money import amount_text
from domain.pricing.amounts import Amounts, Component
from domain.pricing.schedule import ScheduleLine


@dataclass(frozen=True, slots=True)
class Brought:
    """What a loan in progress brings: its rows, due on banking days, and its history."""

    lines: tuple[ScheduleLine, ...]
    opening: Opening
    written_off: int = 0
    """The number of a row that stands for what was written off, due on no regular day."""


def brought_by(
    stated: Stated,
    plan: Plan,
    history: Sequence[HistoryRow],
    mandate_ref: str,
    class_of: ClassOf,
) -> Brought:
    """The rows and the opening of one loan.

    Args:
        stated: what its row states.
        plan: the schedule that its terms give.
        history: its rows of the history file; where they tell of the debt, the sums of the row are
            only compared with them.
        mandate_ref: its mandate, under which attempts were made that name none.
        class_of: what the codes of its rail mean.

    Raises:
        InvalidInput: the first value of its row that breaks a rule or contradicts another.
        HistoryFault: the same for a row of its history.
    """

    def told_on(lines: tuple[ScheduleLine, ...]) -> Told:
        lent, currency = plan.terms.disbursed_on, stated.currency
        debt = DebtHistory(lines, currency, lent, stated.as_of)
        return read_events(history, debt, mandate_ref, class_of)

    if has_debt_events(history):
        told = told_on(plan.lines)
        _compare(stated, plan, told)
        return Brought(plan.lines, opening_of(stated, told))
    if stated.minor("unplaced"):
        raise stated.fault("unplaced", "told by the history, which names the debit")
    rows = _scheduled(stated, plan)
    told = told_on(rows.lines)
    parts = _place_sums(stated, rows, told.debt)
    payments = (OpeningPayment(parts=parts),) if parts else ()
    opening = opening_of(stated, replace(told, payments=payments))
    return Brought(rows.lines, opening, rows.written_off)


def opening_of(stated: Stated, told: Told) -> Opening:
    """The opening of a loan to which this was done."""
    return Opening(
        as_of=stated.as_of,
        holder=stated.holder,
        evidence=stated.evidence,
        payments=told.payments,
        attempts=told.attempts,
        items=told.debt.items(),
        advance_minor=stated.minor("advance"),
        advance_ref=stated.advance_ref,
        advances=told.advances,
        holds=(*([stated.hold] if stated.hold is not None else []), *told.holds),
        bars=stated.bars,
    )


def _scheduled(stated: Stated, plan: Plan) -> Outstanding:
    """The rows of a loan without history: as scheduled, or by the principal outstanding."""
    if "balance" in stated.sums and not plan.is_agreed:
        return outstanding(stated, plan)
    for column in ("written_off_on", *WRITTEN_OFF):
        if column in stated.texts:
            raise stated.fault(column, "given together with balance, or told by the history")
    closed = closed_rows(stated, plan)
    check_next_due(stated, plan, closed)
    check_has_rows(stated, closed)
    rest = sum(line.principal for line in plan.lines[closed:])
    if stated.sums.get("balance", rest) != rest:
        text = amount_text(rest, stated.currency)
        raise stated.fault("balance", f"{text}, which the agreed rows still ask for")
    return Outstanding(plan.lines, closed)


def _place_sums(stated: Stated, rows: Outstanding, debt: DebtHistory) -> tuple[OpeningPart, ...]:
    """Take what was paid and forgiven of the closed rows, in their order, and what was charged.

    The sums must be exactly what the closed rows ask for. Penalty stands in the last of them.
    """
    for number, minor in _charged(stated, rows).items():
        debt.charge(number, Amounts(penalty=minor))
    asked = [debt.left(number) for number in range(1, rows.closed + 1)]
    paid = left = _paid(stated, sum(asked, Amounts()), rows.closed)
    parts = []
    for number, whole in enumerate(asked, start=1):
        found = lesser(left, whole)
        left -= found
        if found.total:
            debt.pay(number, found, paid, None)
            parts.append(OpeningPart(number=number, amounts=found))
        if found != whole:
            debt.waive(number, whole - found)
    day = stated.day("written_off_on")
    if rows.written_off and day is not None:
        debt.write_off(rows.written_off, day)
    return tuple(parts)


def _paid(stated: Stated, asked: Amounts, closed: int) -> Amounts:
    """What was paid of what the closed rows ask for; a sum that is not given is as scheduled."""
    waived, paid = stated.of(WAIVED), Amounts(penalty=stated.minor("paid_penalty"))
    for component, column in zip(COMPONENTS[:-1], PAID, strict=False):
        wanted = asked.of(Component(component))
        rest = wanted - waived.of(Component(component))
        if rest < 0 or stated.sums.get(column, rest) != rest:
            total = amount_text(wanted, stated.currency)
            rule = f"with what was waived {total}, which installments 1 to {closed} ask for"
            raise stated.fault(column if column in stated.sums else f"waived_{component}", rule)
        paid = paid.plus(Component(component), rest)
    return paid


def _charged(stated: Stated, rows: Outstanding) -> dict[int, int]:
    """Penalty by installment: settled on the last closed one, accrued on the oldest overdue one."""
    found: dict[int, int] = {}
    if settled := stated.minor("paid_penalty") + stated.minor("waived_penalty"):
        found[rows.closed] = settled
    if lost := stated.minor("written_off_penalty"):
        found[rows.written_off] = lost
    if accrued := stated.minor("penalty_accrued"):
        open_rows = (line for line in rows.lines[rows.closed :] if line.number != rows.written_off)
        first = next((line for line in open_rows if line.due_on <= stated.as_of), None)
        if first is None:
            rule = f"zero, as no installment is overdue on {stated.as_of}"
            raise stated.fault("penalty_accrued", rule)
        found[first.number] = accrued
    return found


def _compare(stated: Stated, plan: Plan, told: Told) -> None:
    """See that whatever the row states beside its history is what the history says.

    Raises:
        InvalidInput: a sum or a day of the row that is another one.
    """
    debt, unplaced = told.debt, sum(payment.unplaced_minor for payment in told.payments)
    sums = sums_by_column(debt.sums(), stated.minor("advance"), unplaced)
    for column, minor in stated.sums.items():
        if minor != sums[column]:
            text = amount_text(sums[column], stated.currency)
            raise stated.fault(column, f"{text}, to which the history sums")
    day, days = stated.day("written_off_on"), set(debt.written_off.values())
    if day is not None and days != {day}:
        said = ", ".join(map(str, sorted(days))) or "nothing"
        raise stated.fault("written_off_on", f"as the history says: {said}")
    closed = closed_rows(stated, plan)
    for number in range(1, closed + 1):
        if not debt.is_covered(number):
            rest = amount_text(debt.left(number).total, stated.currency)
            why = f"the history leaves {rest} of installment {number}"
            raise stated.fault("paid_through", f"a day through which all is paid: {why}")
    first = next((line.number for line, _ in debt.owed()), len(plan.lines) + 1)
    check_next_due(stated, plan, closed or first - 1)
