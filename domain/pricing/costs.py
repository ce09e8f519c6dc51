"""What a loan costs its borrower as agreed in a schedule, and which ceilings that breaks."""

from collections.abc import Iterable, Sequence
from datetime import date

from domain.errors import InvalidInput
from domain.pricing.caps import CapExceeded, CapRules, Costs, Fees, Payment, costs_of, exceeded
from domain.pricing.frequency import Frequency
from domain.pricing.schedule_line import ScheduleLine


def of_schedule(
    every: Frequency,
    advances: Sequence[tuple[date, int]],
    lines: Iterable[ScheduleLine],
    fees: Fees,
    before: Sequence[Payment] = (),
) -> Costs:
    """Costs of an agreed schedule with the fees besides it.

    Args:
        every: how far apart its installments are.
        advances: day and minor units of each part lent, in order.
        lines: installments still to come; all of them at boarding.
        fees: what is paid besides the lines.
        before: what was paid already, when terms change while the loan runs.
    """
    upfront = Payment(advances[0][0], fees.upfront)
    payments = (Payment(line.due_on, line.total + fees.each, line.principal) for line in lines)
    return costs_of(every, advances, (upfront, *before, *payments))


def broken_caps(
    rules: CapRules | None, principal_minor: int, disbursed_on: date, lines: Sequence[ScheduleLine]
) -> tuple[CapExceeded, ...]:
    """The caps of a product that a loan with these schedule rows would break."""
    if rules is None:
        return ()
    advances, fees = [(disbursed_on, principal_minor)], rules.fees_on(principal_minor)
    return exceeded(of_schedule(rules.every, advances, lines, fees), rules.caps)


def check_caps(broken: Sequence[CapExceeded]) -> None:
    """Refuse what breaks a ceiling.

    Raises:
        InvalidInput: names the first rule broken, its cap, and the figure.
    """
    if broken:
        first = broken[0]
        figure = f"{first.figure} %" if first.figure else "no single rate"
        raise InvalidInput("cost", figure, f"at most {first.cap} % ({first.rule})")
