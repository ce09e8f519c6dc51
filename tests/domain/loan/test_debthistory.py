"""What a former system did to a debt adds up, fact by fact or as an opening, to the same sums."""

from collections.abc import Callable
from datetime import date

import pytest

from domain.errors import InvalidInput
from domain.loan.debthistory import DebtHistory, DebtSums
from domain.loan.openingrules import debt_history
from domain.pricing.amounts import Amounts
from tests.support.memory import board
from tests.support.openings import AS_OF, WHOLE, opening, paid

LOAN = board()


def history() -> DebtHistory:
    """The debt of the loan of three installments, without a fact."""
    return DebtHistory(LOAN.schedule, LOAN.currency, LOAN.disbursed_on, AS_OF)


def told() -> DebtHistory:
    """The first is paid with a penalty, of the second a part; the third is never collected."""
    debt = history()
    debt.charge(1, Amounts(penalty=30))
    debt.charge(2, Amounts(cost=5))
    debt.pay(1, Amounts(10000, 80, 0, 30), "p", date(2026, 3, 12))
    debt.waive(1, Amounts(interest=20))
    debt.pay(2, Amounts(4000), "q", None)
    debt.cancel(3)
    return debt


def test_what_is_left_is_what_was_asked_and_neither_paid_nor_waived() -> None:
    """A covered or cancelled installment owes nothing; the rest of the second is owed."""
    debt = told()
    assert [debt.is_covered(number) for number in (1, 2, 3)] == [True, False, True]
    assert debt.left(2) == Amounts(6000, 100, 0, 0, 5)
    assert [(line.number, left) for line, left in debt.owed()] == [(2, debt.left(2))]
    assert debt.sums() == DebtSums(
        paid=Amounts(14000, 80, 0, 30), waived=Amounts(interest=20), owed=debt.left(2)
    )
    debt.write_off(2, AS_OF)
    assert debt.sums().written_off == Amounts(6000, 100, 0, 0, 5)
    assert debt.sums().owed == Amounts()


def test_an_opening_is_the_same_debt_as_its_facts() -> None:
    """Whoever takes it whole finds what was told one by one."""
    debt = told()
    parts = paid((1, Amounts(10000, 80, 0, 30)), (2, Amounts(4000)))
    whole = debt_history(LOAN, opening(payments=(parts,), items=debt.items()))
    assert [item.number for item in debt.items()] == [1, 2, 3]
    assert (whole.sums(), whole.items()) == (debt.sums(), debt.items())
    debt.write_off(2, AS_OF)
    assert debt_history(LOAN, opening(items=debt.items())).written_off == {2: AS_OF}


def test_a_fact_that_breaks_a_rule_is_not_taken() -> None:
    """A fault names the column of a history file and the rule, and changes no sum."""
    debt = told()
    before = debt.sums()
    facts: list[tuple[Callable[[], None], str]] = [
        (lambda: debt.pay(2, WHOLE, "r", None), "principal"),
        (lambda: debt.waive(4, WHOLE), "installment"),
        (lambda: debt.write_off(1, AS_OF), "installment"),
        (lambda: debt.cancel(2), "installment"),
        (lambda: debt.check_day(date(2026, 4, 20)), "on"),
    ]
    for fact, field in facts:
        with pytest.raises(InvalidInput) as fault:
            fact()
        assert fault.value.field == field
    debt.check_day(date(2026, 4, 20), ahead_days=1)
    assert debt.sums() == before
