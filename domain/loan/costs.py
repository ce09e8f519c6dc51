"""What a loan costs its borrower as it stands on the books, and how much more its caps allow."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date

from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State
from domain.payment.portion import BROUGHT_SUM
from domain.pricing.amounts import Amounts, Component
from domain.pricing.caps import Cap, CapExceeded, CapRules, Costs, Payment, costs_of, over, room

ACCRUING = frozenset({State.DUE, State.RETRYING, State.DELINQUENT, State.PRESENTED, State.IN_DOUBT})
YIELDING = frozenset({State.DUE, State.RETRYING, State.DELINQUENT, State.CLEARING, State.SETTLED})
"""States in which an installment's penalty makes room for that of an older one."""


def room_for(loan: Loan, rules: CapRules, number: int, through: date) -> tuple[int, Cap]:
    """The most that may be charged to an installment, payable at once, and the cap that says so.

    What was paid counts when it was paid, or on its due date where it came before it or nobody
    knows when it came: to pay early is the borrower's choice and makes no loan dearer. What is
    overdue counts on the day `through`, on which it is paid at the earliest; what is to come, when
    it falls due. Penalty of installments that fell due after this one is left out, paid or not:
    theirs is only what this one leaves.
    """
    mine = loan.installment(number)
    later = {
        item.number
        for item in loan.installments
        if _age(item) > _age(mine) and item.state in YIELDING and item.live_attempt is None
    }
    return room(_standing(loan, rules, through, later), rules.caps, max(mine.due_on, through))


def is_over(loan: Loan, through: date) -> bool:
    """Whether what stands on the books passes a ceiling, since an older penalty took its room."""
    rules = loan.product.caps
    if rules is None:
        return False
    return room(_standing(loan, rules, through), rules.caps, through)[0] < 0


def accrues(loan: Loan, item: Installment) -> bool:
    """Whether penalty of an installment may be charged or reversed now."""
    return (
        loan.product.penalty is not None
        and item.fell_due
        and item.state in ACCRUING
        and item.live_attempt is None
    )


def _age(item: Installment) -> tuple[date, int]:
    return item.due_on, item.number


def overcharge(loan: Loan, minor: int, on: date) -> CapExceeded | None:
    """The ceiling of its product that a charge payable on a day would pass, if there is one."""
    rules = loan.product.caps
    if rules is None:
        return None
    return over(_standing(loan, rules, on), rules.caps, minor, on)


def _standing(loan: Loan, rules: CapRules, through: date, without: Collection[int] = ()) -> Costs:
    advances = [(loan.disbursed_on, loan.principal_minor)]
    return costs_of(rules.every, advances, _payments(loan, rules, through, without))


def _payments(
    loan: Loan, rules: CapRules, through: date, without: Collection[int]
) -> Iterator[Payment]:
    fees = rules.fees_on(loan.principal_minor)
    yield Payment(loan.disbursed_on, fees.upfront)
    for portion in loan.portions:
        for part in portion.allocations:
            if part.component is Component.PENALTY and part.number in without:
                continue
            due_on = loan.installment(part.number).due_on
            day = due_on if portion.source == BROUGHT_SUM else max(portion.value_on, due_on)
            principal = part.minor if part.component is Component.PRINCIPAL else 0
            yield Payment(day, part.minor, principal)
    for item in loan.installments:
        if item.state is not State.CANCELLED:
            left = _left(item)
            if item.number in without:
                left = replace(left, penalty=0)
            yield Payment(max(item.due_on, through), left.total, left.principal)
            yield Payment(item.due_on, fees.each)


def _left(item: Installment) -> Amounts:
    """What the borrower has still to pay of an installment, to whomever."""
    if not item.fell_due:
        return item.scheduled
    return item.owed + item.written_off + item.subrogated
