"""Orders: each does one thing, and each is refused by a named rule where it may not."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.debit.mandate import Mandate
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change
from domain.loan.lifecycle import State
from domain.pricing.amounts import Amounts, Component
from tests.support import invariants
from tests.support.doors import (
    Cancel,
    ChangeDate,
    Charge,
    Hold,
    RaiseOperator,
    RecordPayment,
    RetryNow,
    Unhold,
    Waive,
    WriteOff,
)
from tests.support.memory import PRODUCT, TESTER, board
from tests.support.scene import Scene

PAYMENT: dict[str, Any] = {"reference": "T-1", "amount_minor": 100, "currency": "CNY"}


def rule(answer: Change | Refusal) -> str:
    """The rule that refused."""
    assert isinstance(answer, Refusal), answer
    return answer.rule


def declined(outcome_class: OutcomeClass = OutcomeClass.NSF) -> Scene:
    """A first debit that failed."""
    s = Scene.boarded()
    s.apply_outcome(s.present(), outcome_class)
    return s


def at_state(state: State) -> Scene:
    """A scene whose first installment stands in a state."""
    s = Scene.boarded()
    if state is State.SCHEDULED:
        return s
    if state is State.DUE:
        s.until(s.books.item().due_on, hour=1)
        return s
    if state is State.CANCELLED:
        s.order(Cancel)
        return s
    order = s.present()
    match state:
        case State.IN_DOUBT:
            s.apply_outcome(order, OutcomeClass.TECH)
        case State.RETRYING:
            s.apply_outcome(order, OutcomeClass.NSF)
        case State.DELINQUENT | State.WRITTEN_OFF:
            s.apply_outcome(order, OutcomeClass.ACCOUNT)
            if state is State.WRITTEN_OFF:
                s.order(WriteOff)
        case State.CLEARING | State.SETTLED | State.CLOSED:
            s.apply_outcome(order, minor=10100)
            if state is not State.CLEARING:
                s.settle()
            if state is State.CLOSED:
                s.until(s.today + timedelta(days=5))
        case _:
            pass
    return s


REACHED: list[State] = [state for state in State if state not in {State.RELEASED, State.SUBROGATED}]
ALLOWED: dict[type, set[State]] = {
    Hold: set(REACHED) - {State.CLOSED, State.CANCELLED},
    Unhold: set[State](),
    RetryNow: {State.DUE, State.RETRYING},
    ChangeDate: {State.SCHEDULED, State.DUE, State.RETRYING, State.DELINQUENT},
    Waive: {State.DUE, State.RETRYING, State.DELINQUENT},
    Charge: {State.DUE, State.RETRYING, State.DELINQUENT},
    Cancel: {State.SCHEDULED, State.DUE, State.RETRYING, State.DELINQUENT},
    WriteOff: {State.DELINQUENT},
    RecordPayment: set(REACHED),
    RaiseOperator: set(REACHED),
}
TERMS: dict[type, dict[str, Any]] = {
    ChangeDate: {"due_on": date(2026, 4, 1)},
    Waive: {"component": Component.INTEREST, "amount_minor": 100},
    Charge: {"component": Component.COST, "amount_minor": 100},
    RecordPayment: PAYMENT | {"value_on": date(2026, 3, 1)},
}


@pytest.mark.parametrize("state", REACHED)
@pytest.mark.parametrize("kind", ALLOWED)
def test_every_order_in_every_state_is_applied_or_refused_with_a_reason(
    kind: type, state: State
) -> None:
    """No order raises, whatever the state; a refusal names its rule and changes nothing."""
    s = at_state(state)
    assert s.books.item().state is state
    before = (s.books.loans["L1"], s.mark)
    answer = s.order(kind, **TERMS.get(kind, {}))
    assert isinstance(answer, Change) == (state in ALLOWED[kind]), answer
    if isinstance(answer, Refusal):
        assert answer.rule
        assert answer.reason
        assert (s.books.loans["L1"], s.mark) == before
    invariants.check(s.books)


def test_an_order_says_why() -> None:
    """Without a reason nothing is ordered."""
    assert rule(Scene.boarded().order(Hold, reason=" ")) == "order.reason"


def test_nobody_approves_an_order_of_their_own() -> None:
    """Four eyes are two people: the same name twice is one."""
    for same in (TESTER.id, f" {TESTER.id.upper()}"):
        assert rule(Scene.boarded().order(Hold, approver=same)) == "order.approver"
    assert isinstance(Scene.boarded().order(Hold, approver="somebody-else"), Change)


def test_an_unknown_installment_is_refused_and_evidence_about_it_is_not() -> None:
    """Orders name what exists; evidence has no effect where nothing exists."""
    s = Scene.boarded()
    assert rule(s.order(Hold, 9)) == "installment.unknown"
    assert rule(s.order(Hold, 1, loan="nobody")) == "installment.unknown"
    assert isinstance(s.order(RaiseOperator, 9), Change)


def test_a_hold_stops_debits_and_contact_by_kind_and_is_let_go_once() -> None:
    """DEBIT leaves reminders, CONTACT leaves debits, ALL leaves neither."""
    s = Scene.boarded()
    kinds = {}
    for what in HoldKind:
        s.order(Hold, what=what)
        action = s.books.view().next_action
        kinds[what] = action.kind if action else None
    assert kinds == {HoldKind.DEBIT: "REMIND", HoldKind.CONTACT: "PRESENT", HoldKind.ALL: None}
    assert isinstance(s.order(Unhold), Change)
    assert rule(s.order(Unhold)) == "hold.none"


def test_a_hold_of_all_keeps_a_settled_installment_from_being_released() -> None:
    """A complaint about it stands in the way; letting go releases it at once."""
    s = at_state(State.SETTLED)
    s.order(Hold)
    s.until(s.today + timedelta(days=5))
    assert s.state == "SETTLED"
    assert s.books.view().missing == ("hold",)
    s.order(Unhold)
    assert s.state == "CLOSED"


def test_a_hold_never_stops_money_that_waits() -> None:
    """While held, the end of an attempt still applies what waited."""
    s = Scene.boarded()
    order = s.present()
    s.order(Hold)
    s.pay(10100)
    s.apply_outcome(order, OutcomeClass.NSF)
    assert s.state == "CLEARING"


def test_an_ordered_retry_goes_out_at_the_next_slot() -> None:
    """Also from delinquency, where only the plan was spent."""
    s = Scene.boarded(product=replace(PRODUCT, retry=replace(PRODUCT.retry, attempts_max=1)))
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert s.state == "DELINQUENT"
    assert isinstance(s.order(RetryNow), Change)
    assert s.state == "DUE"
    assert s.books.item().retries_reset_at == 1, "a person begins a spent plan anew"
    order = s.present()
    assert s.books.item().retry_ordered_at is None
    s.apply_outcome(order, minor=s.books.item().attempts[-1].amount_minor)
    assert s.state == "CLEARING"


def test_a_retry_is_refused_beside_a_live_order_on_hold_and_past_every_limit() -> None:
    """Each refusal names its rule."""
    s = Scene.boarded()
    s.present()
    assert rule(s.order(RetryNow)) == "attempt.live"
    s = declined()
    s.order(Hold, what=HoldKind.DEBIT)
    assert rule(s.order(RetryNow)) == "hold"
    assert rule(declined(OutcomeClass.ACCOUNT).order(RetryNow)) == "class.ACCOUNT"
    mandate = Mandate("M-L1", "simbank", "m", "a", date(2026, 1, 1), attempts_max=1)
    s = Scene.boarded(mandate=mandate)
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    assert rule(s.order(RetryNow)) == "mandate.attempts_max"
    ended = replace(mandate, ended_on=date(2026, 3, 1))
    assert rule(Scene.boarded(mandate=ended).order(RetryNow)) == "mandate.ended"
    assert rule(Scene.boarded().order(RetryNow)) == "lifecycle.retry_ordered"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"currency": "EUR"}, "payment.currency"),
        ({"amount_minor": 0}, "payment.amount"),
        ({"amount_minor": 10**16}, "payment.amount"),
        ({"amount_minor": 10 * 30_300 + 1}, "payment.amount"),
        ({"value_on": date(1, 1, 1)}, "payment.value_on"),
        ({"value_on": date(2026, 2, 9)}, "payment.value_on"),
        ({"value_on": date(2026, 3, 3)}, "payment.value_on"),
    ],
)
def test_a_payment_that_cannot_be_is_refused(change: dict[str, Any], expected: str) -> None:
    """Currency, amount and value date have their limits."""
    terms = PAYMENT | {"value_on": date(2026, 3, 1)} | change
    assert rule(Scene.boarded().order(RecordPayment, **terms)) == expected


def test_a_payment_is_reported_once() -> None:
    """The same reference, amount and day are refused, also from another loan."""
    s = Scene.boarded()
    s.books.apply(board("L2"))
    s.pay(100, ref="T-1", value_on=date(2026, 3, 1))
    terms = PAYMENT | {"value_on": date(2026, 3, 1)}
    assert rule(s.order(RecordPayment, **terms)) == "payment.reference"
    assert rule(s.order(RecordPayment, loan="L2", **terms)) == "payment.reference"
    assert isinstance(s.order(RecordPayment, **PAYMENT, value_on=s.today), Change)


def test_a_moved_date_is_presented_on_its_new_day() -> None:
    """What had fallen due stays owed; a new plan of retries begins."""
    s = declined()
    assert isinstance(s.order(ChangeDate, due_on=date(2026, 3, 20)), Change)
    assert (s.state, s.books.item().due_on) == ("SCHEDULED", date(2026, 3, 20))
    assert s.books.item().owed == Amounts(principal=10000, interest=100)
    order = s.present()
    assert s.today == date(2026, 3, 20)
    s.apply_outcome(order, minor=10100)
    assert s.state == "CLEARING"
    invariants.check(s.books)


def test_a_transfer_pays_an_installment_whose_date_was_moved() -> None:
    """Part first, then the rest: no debit on the new day."""
    s = declined()
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    s.pay(5000)
    assert s.state == "SCHEDULED"
    s.pay(5100)
    assert s.state == "CLEARING"
    assert len(s.books.item().attempts) == 1


def test_a_partial_debit_that_comes_back_after_the_date_was_moved_raises_what_is_owed() -> None:
    """The new date stands and the whole is presented on it."""
    s = Scene.boarded()
    first = s.present()
    s.apply_outcome(first, OutcomeClass.PARTIAL, 4000)
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    s.returned(first, 4000)
    assert s.state == "SCHEDULED"
    assert s.books.item().owed.total == 10100
    s.present()
    assert s.books.item().attempts[1].amount_minor == 10100


def test_a_date_is_moved_within_a_year_from_today_and_never_beside_a_live_order() -> None:
    """Neither into the past nor out of sight."""
    s = Scene.boarded()
    assert rule(s.order(ChangeDate, due_on=date(2026, 3, 1))) == "due_on.range"
    assert rule(s.order(ChangeDate, due_on=date(2028, 3, 1))) == "due_on.range"
    s.present()
    assert rule(s.order(ChangeDate, due_on=date(2026, 4, 1))) == "attempt.live"


def test_a_hard_refusal_outlives_a_moved_date() -> None:
    """Under the same mandate a closed account is not debited again: delinquent on the new day."""
    s = declined(OutcomeClass.ACCOUNT)
    s.order(ChangeDate, due_on=date(2026, 3, 20))
    assert s.books.view().next_action is None
    s.until(date(2026, 3, 20))
    assert s.state == "DELINQUENT"


def test_a_waiver_takes_at_most_what_is_owed_of_a_component() -> None:
    """A part leaves the rest owed; too much, and beside a live order, it is refused."""
    s = declined()
    assert rule(s.order(Waive, component=Component.FEE, amount_minor=1)) == "waive.amount"
    assert isinstance(s.order(Waive, component=Component.INTEREST, amount_minor=40), Change)
    assert s.books.item().owed == Amounts(principal=10000, interest=60)
    s.present()
    terms: dict[str, Any] = {"component": Component.INTEREST, "amount_minor": 10}
    assert rule(s.order(Waive, **terms)) == "attempt.live"


def test_a_charge_besides_the_schedule_is_a_fee_or_a_cost() -> None:
    """It is owed at once; interest and penalty follow the product's rules and nobody's order."""
    s = declined()
    before = s.mark
    assert isinstance(s.order(Charge, component=Component.COST, amount_minor=2_500), Change)
    assert s.posted(before) == [("charged", {"owed/1/cost": 2500, "claim/funder-1": -2500})]
    assert s.books.item().owed == Amounts(principal=10000, interest=100, cost=2500)
    for component in (Component.PENALTY, Component.INTEREST, Component.PRINCIPAL):
        assert rule(s.order(Charge, component=component, amount_minor=1)) == "charge.component"
    most = 10 * 30_300  # what the whole loan asks for, ten times
    for minor in (0, -1, most + 1, 10**15):
        wrong = s.order(Charge, component=Component.FEE, amount_minor=minor)
        assert rule(wrong) == "charge.amount"
    assert isinstance(s.order(Charge, component=Component.FEE, amount_minor=most), Change)


def test_nothing_is_charged_beside_a_live_order() -> None:
    """What was announced to the borrower stays what is owed until the final outcome."""
    s = declined()
    s.present()
    terms: dict[str, Any] = {"component": Component.FEE, "amount_minor": 10}
    assert rule(s.order(Charge, **terms)) == "attempt.live"


def test_a_cancelled_installment_gives_its_charge_back() -> None:
    """Dr claim, Cr owed; money applied to it has to be undone first."""
    s = declined()
    before = s.mark
    assert isinstance(s.order(Cancel), Change)
    assert s.posted(before) == [
        (
            "cancelled",
            {"owed/1/principal": -10000, "owed/1/interest": -100, "claim/funder-1": 10100},
        )
    ]
    assert s.balances == {}
    assert s.books.view().is_final
    s = declined()
    s.pay(100)
    assert rule(s.order(Cancel)) == "cancel.paid"
    s.present()
    assert rule(s.order(Cancel)) == "attempt.live"


def test_money_paid_ahead_for_a_cancelled_last_installment_becomes_a_surplus() -> None:
    """Nothing is left to wait for: it stands in suspense with a case."""
    s = Scene.boarded()
    s.pay(100, value_on=date(2026, 3, 1))
    assert s.balances["advance/L1"] == -100
    for number in (1, 2, 3):
        s.order(Cancel, number)
    assert "advance/L1" not in s.balances
    assert any(key.startswith("surplus/") for key in s.books.cases)
    invariants.check(s.books)


def test_an_order_ends_the_task_of_a_person() -> None:
    """Whoever acts has looked."""
    s = declined()
    s.order(RaiseOperator, reason="look")
    assert s.books.item().needs_operator == "look"
    s.order(RaiseOperator, reason="look again")
    assert s.books.item().needs_operator == "look"
    s.order(RetryNow)
    assert s.books.item().needs_operator == ""
    assert "operator/L1/1" not in s.books.cases
