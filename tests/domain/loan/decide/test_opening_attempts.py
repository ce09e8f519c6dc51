"""Debits that a former system ordered count here, come back here, and are inquired about."""

from dataclasses import replace
from datetime import date

import pytest

from domain.audit.orders import beyond_limits
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.decide.driving import order_number
from domain.loan.lifecycle import State
from domain.pricing.amounts import Amounts
from tests.support import invariants
from tests.support.doors import Past, RetryNow
from tests.support.openings import AS_OF, SHARED, WHOLE, brought, opening, ordered, paid, states
from tests.support.scene import ACCOUNT


@pytest.mark.parametrize("state", [AttemptState.ACCEPTED, AttemptState.UNKNOWN])
def test_an_order_without_an_outcome_is_inquired_about_and_never_given_again(
    state: AttemptState,
) -> None:
    """Its installment is in doubt until the rail says what became of it."""
    out = ordered(2, state=state, outcome_class=None, code="")
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(out,)), past=Past.OWED)
    assert states(s)[1] is State.IN_DOUBT
    action = s.books.view(2).next_action
    assert action is not None
    assert action.kind == "INQUIRE"
    assert [message.topic for message in s.books.messages][:1] == ["open"]
    s.apply_outcome("OLD-1")
    assert s.books.item(2).state is State.CLEARING
    assert s.books.balances()["clearing/simbank"] == 10100
    invariants.check(s.books)


def test_attempts_of_the_former_system_count_for_every_limit() -> None:
    """The plan goes on where it stood: two of four presentments are used up."""
    tries = (ordered(2, "OLD-1"), ordered(2, "OLD-2", value_on=date(2026, 4, 14)))
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=tries), past=Past.OWED)
    assert states(s)[1] is State.RETRYING
    assert s.present(2)
    assert [a.number for a in s.books.item(2).attempts] == [1, 2, 3]
    invariants.check(s.books)


def test_a_hard_refusal_of_the_former_system_bars_every_further_debit() -> None:
    """Its account is closed: not even an order may debit it under the same mandate."""
    closed = ordered(2, outcome_class=OutcomeClass.ACCOUNT, code="14")
    for past in (Past.OWED, Past.REFUSE):
        s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(closed,)), past=past)
        assert states(s)[1] is State.DELINQUENT
        assert isinstance(s.order(RetryNow, 2), Refusal)


def test_a_debit_that_comes_back_after_the_cut_over_opens_its_debt_again() -> None:
    """The holder owes what our account pays back; the parties have it no longer.

    The former system counted it as paid: penalty is due for its days as well.
    """
    taken = ordered(2, state=AttemptState.CONFIRMED, outcome_class=None, code="00")
    money = paid((2, WHOLE), order_no="OLD-1", on=date(2026, 4, 10))
    s = brought(opening(payments=(paid((1, WHOLE)), money), attempts=(taken,)), SHARED)
    assert states(s)[1] is State.CLOSED
    s.returned("OLD-1", 10100)
    assert s.books.item(2).state in {State.RETRYING, State.DELINQUENT}
    assert s.books.item(2).owed == replace(WHOLE, penalty=30)
    assert s.books.balances()["opening/oldbank"] == 10100
    invariants.check(s.books)
    s.return_line("OLD-1", 10100)
    assert s.books.balances()["opening/oldbank"] == 20200
    assert s.books.balances()[f"bank/{ACCOUNT}"] == -10100
    assert s.books.cases.keys() == {"after_closing/L1/2"}
    invariants.check(s.books)


def test_a_debit_within_its_return_window_stays_settled() -> None:
    """It is released and closed by the day on which it can usually come back no more."""
    taken = ordered(2, state=AttemptState.CONFIRMED, outcome_class=None, code="00", value_on=AS_OF)
    money = paid((2, WHOLE), order_no="OLD-1", on=AS_OF)
    s = brought(opening(payments=(paid((1, WHOLE)), money), attempts=(taken,)), SHARED)
    assert states(s)[1] is State.SETTLED
    s.until(date(2026, 4, 24))
    assert states(s)[1] is State.CLOSED


def test_an_installment_that_is_to_come_may_have_its_order_out_already() -> None:
    """Rails that take orders days ahead have it; nothing else is ordered before its outcome."""
    out = ordered(
        3, value_on=date(2026, 5, 10), state=AttemptState.ACCEPTED, outcome_class=None, code=""
    )
    s = brought(opening(payments=(paid((1, WHOLE), (2, WHOLE)),), attempts=(out,)))
    assert states(s)[2] is State.IN_DOUBT
    s.apply_outcome("OLD-1")
    assert states(s)[2] is State.CLEARING
    invariants.check(s.books)


@pytest.mark.parametrize("state", [AttemptState.RETURNED, AttemptState.CONFIRMED])
def test_news_that_the_former_system_had_changes_nothing(state: AttemptState) -> None:
    """The rail repeats that it took the money of an old order: it came and went, or is placed."""
    old = ordered(2, state=state, outcome_class=None, code="00")
    money = (paid((2, WHOLE), order_no="OLD-1", on=date(2026, 4, 10)),)
    taken = money if state is AttemptState.CONFIRMED else ()
    s = brought(opening(payments=(paid((1, WHOLE)), *taken), attempts=(old,)))
    before = s.books.balances()
    s.apply_outcome("OLD-1", source="webhook")
    assert s.books.balances() == before
    assert states(s)[1] is (State.DELINQUENT if not taken else State.CLOSED)
    invariants.check(s.books)


def test_the_line_of_a_return_of_before_makes_the_holder_owe_it() -> None:
    """Our account paid back what the holder had; the debt is open as it was."""
    old = ordered(2, state=AttemptState.RETURNED, outcome_class=OutcomeClass.NSF, code="AM04")
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=(old,)))
    s.return_line("OLD-1", 10100)
    assert s.books.balances()["opening/oldbank"] == 20200
    assert states(s)[1] is State.DELINQUENT
    s.credit(s.payment(s.pay(10105, 2)).reference, 10105)
    s.until(date(2026, 4, 24))
    assert states(s)[1] is State.CLOSED
    invariants.check(s.books)


def test_the_line_of_an_old_debit_may_come_to_our_account() -> None:
    """It is the money that the opening states, and no second execution; it can come back."""
    taken = ordered(2, state=AttemptState.CONFIRMED, outcome_class=None, code="00")
    money = paid((2, WHOLE), order_no="OLD-1", on=date(2026, 4, 17))
    s = brought(opening(payments=(paid((1, WHOLE)), money), attempts=(taken,)))
    s.credit("OLD-1", 10100)
    assert s.books.balances()["opening/oldbank"] == 10100
    assert s.books.balances()[f"bank/{ACCOUNT}"] == 10100
    assert s.books.cases == {}
    invariants.check(s.books)
    s.returned("OLD-1", 10100)
    s.return_line("OLD-1", 10100)
    assert s.books.item(2).owed.principal == 10000
    assert s.books.balances()["opening/oldbank"] == 10100
    invariants.check(s.books)


def test_an_installment_that_is_to_come_is_debited_on_its_day_whatever_failed_before() -> None:
    """A debit that was tried too early does not make it due."""
    s = brought(
        opening(payments=(paid((1, WHOLE), (2, WHOLE)),), attempts=(ordered(3, value_on=AS_OF),))
    )
    assert states(s)[2] is State.SCHEDULED
    s.present(3)
    assert s.today == date(2026, 5, 11)
    part = opening(
        payments=(paid((1, WHOLE), (2, WHOLE), (3, Amounts(4000))),),
        attempts=(ordered(3, value_on=AS_OF),),
    )
    s = brought(part)
    assert states(s)[2] is State.DUE
    s.present(3)
    assert s.today == date(2026, 5, 11)


def test_an_order_number_that_the_former_system_used_is_not_used_again() -> None:
    """A number that ours would have as well is passed over."""
    ours = order_number("t1", "L1", 3, 1)
    said = opening(payments=(paid((1, WHOLE)),), attempts=(ordered(2, ours),))
    s = brought(said)
    assert s.present(3) != ours
    invariants.check(s.books)


def test_attempts_of_a_former_system_are_not_judged_by_our_limits() -> None:
    """Its limits were its own; they bar further debits here, and the audit has nothing to say."""
    tries = tuple(
        ordered(2, f"OLD-{day}", value_on=date(2026, 4, day)) for day in (10, 11, 12, 13, 14)
    )
    s = brought(opening(payments=(paid((1, WHOLE)),), attempts=tries), past=Past.OWED)
    assert states(s)[1] is State.DELINQUENT
    assert list(beyond_limits(s.books.loans["L1"], s.books.rules)) == []
