"""What is overdue when a loan is brought over waits for an order, or is debited at once."""

from dataclasses import replace
from datetime import date

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.loan.lifecycle import State
from domain.loan.opening import OpeningItem
from domain.pricing.amounts import Amounts
from tests.support import invariants
from tests.support.doors import ChangeDate, Past, RetryNow
from tests.support.memory import PRODUCT, MemoryBooks, board
from tests.support.openings import (
    APRIL,
    WHOLE,
    brought,
    opening,
    ordered,
    paid,
    states,
)


def test_nothing_of_the_past_is_debited_reminded_or_penalised() -> None:
    """What is overdue waits for a person; its penalty begins on the day after the opening."""
    s = brought(opening(payments=(paid((1, WHOLE)),)))
    assert states(s) == [State.CLOSED, State.DELINQUENT, State.SCHEDULED]
    assert s.books.item(2).owed == WHOLE
    assert s.books.messages == []
    assert s.books.view(2).next_action is None
    s.until(date(2026, 4, 30))
    # 100.00 at 18 % of 360 days for the ten days from the 20th to the 29th.
    assert s.books.item(2).owed == replace(WHOLE, penalty=50)
    assert not [m for m in s.books.messages if m.topic == "notice"]


def test_penalty_goes_on_from_what_is_stated() -> None:
    """The stated penalty is owed, not one that is computed for the days before."""
    s = brought(
        opening(
            payments=(paid((1, WHOLE)),),
            items=(OpeningItem(number=2, charged=Amounts(penalty=33)),),
        )
    )
    assert s.books.item(2).owed == replace(WHOLE, penalty=33)
    s.until(date(2026, 4, 30))
    assert s.books.item(2).owed == replace(WHOLE, penalty=83)


def test_overdue_installments_are_debited_at_once_where_the_loan_says_so() -> None:
    """They are due, and bear penalty for the day of the debit, the first that is ours."""
    s = brought(opening(payments=(paid((1, WHOLE)),)), past=Past.OWED)
    assert states(s) == [State.CLOSED, State.DUE, State.SCHEDULED]
    order = s.present(2)
    assert s.books.item(2).attempts[-1].amount_minor == 10105
    s.apply_outcome(order)
    assert s.books.item(2).state is State.CLEARING
    invariants.check(s.books)


def test_an_overdue_installment_is_debited_on_an_order() -> None:
    """What waits for a person goes on when one says so."""
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(ordered(2),)))
    assert states(s)[1] is State.DELINQUENT
    assert isinstance(s.order(RetryNow, 2), Change)
    assert s.present(2)
    invariants.check(s.books)


def test_overdue_installments_wait_for_an_order_whatever_comes_and_goes() -> None:
    """Money that paid one and went back, or an order of before that failed, changes nothing."""
    out = ordered(2, state=AttemptState.UNKNOWN, outcome_class=None, code="")
    s = brought(opening(attempts=(out,)))
    assert states(s) == [State.DELINQUENT, State.IN_DOUBT, State.SCHEDULED]
    s.apply_outcome("OLD-1", OutcomeClass.NSF)
    assert states(s)[1] is State.DELINQUENT
    payment = s.pay(10105)
    assert states(s)[0] is State.CLEARING
    s.credit(s.payment(payment).reference, 10105)
    s.return_line(s.payment(payment).reference, 10105)
    s.until(date(2026, 4, 24))
    assert states(s) == [State.DELINQUENT, State.DELINQUENT, State.SCHEDULED]
    assert isinstance(s.order(RetryNow, 1), Change)
    assert s.present(1)
    assert isinstance(s.order(ChangeDate, 2, due_on=date(2026, 5, 4)), Change)
    assert states(s)[1] is State.SCHEDULED
    assert s.present(2)
    invariants.check(s.books)


def test_stated_penalty_fills_the_caps_of_the_product() -> None:
    """A cap is for the whole life of an installment, wherever it was charged."""
    assert PRODUCT.penalty is not None
    capped = replace(PRODUCT, penalty=replace(PRODUCT.penalty, cap_minor=50))
    more = OpeningItem(number=2, charged=Amounts(penalty=40))
    s = brought(opening(payments=(paid((1, WHOLE)),), items=(more,)), capped)
    s.until(date(2026, 5, 9))
    assert s.books.item(2).owed.penalty == 50


def test_what_is_owed_for_more_than_five_years_is_not_debited_at_once() -> None:
    """One limit, whoever was owed it; what was paid, or waits for an order, has none."""
    loan = board()
    old = replace(loan.schedule[0], due_on=date(2021, 4, 15))
    late = replace(
        loan,
        disbursed_on=date(2021, 3, 10),
        schedule=(old, *loan.schedule[1:]),
        opening=opening(),
        past=Past.OWED,
    )
    answer = MemoryBooks(at=APRIL).apply(late)
    assert isinstance(answer, Refusal)
    assert answer.rule == "schedule.past"
    assert answer.reason.startswith("2 of 3 installments fell due before 2026-04-20")
    assert answer.reason.endswith("the first on 2021-04-15, before 2021-04-16")
    first = opening(payments=(paid((1, WHOLE)),))
    on_the_day = replace(
        late, schedule=(replace(old, due_on=date(2021, 4, 16)), *late.schedule[1:])
    )
    taken = (replace(late, past=Past.REFUSE), replace(late, opening=first), on_the_day)
    assert all(isinstance(MemoryBooks(at=APRIL).apply(it), Change) for it in taken)
