"""Every command ends with its loan at rest: penalty true, waiting money placed, nothing stuck."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from domain.debit.outcome import OutcomeClass
from domain.errors import InvariantBroken
from domain.kernel.change import Refusal
from domain.loan.change import Change, Ordered
from domain.loan.decide import closing
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.pricing.amounts import Component
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    ChangeDate,
    Charge,
    MatchLine,
    RecordPayment,
    RetryNow,
    Waive,
    WithdrawPayment,
    WriteOff,
)
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import Scene

QUIET = replace(PRODUCT, reminders=replace(PRODUCT.reminders, rules=()))
DAY = timedelta(days=1)
TRANSIENT = {State.DUE, State.RETRYING, State.CLEARING, State.SETTLED, State.RELEASED}


def overdue(days: int = 20, outcome_class: OutcomeClass = OutcomeClass.PAYER_STOP) -> Scene:
    """One installment of 100.00, refused on its due date and overdue for some days."""
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 0),)))
    s.apply_outcome(s.present(), outcome_class)
    s.until(date(2026, 3, 10) + days * DAY)
    return s


def waiting(s: Scene) -> int:
    """Minor units that wait in suspense for the loan's own money."""
    return -sum(minor for name, minor in s.balances.items() if name.startswith("suspense/"))


def test_waiving_the_overdue_principal_takes_its_penalty_along_and_closes() -> None:
    """100.00 waived, 0.80 of penalty reversed in the same command; the installment closes."""
    s = overdue()
    assert s.books.item().owed.penalty == 80
    mark = s.mark
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=10000)
    assert s.posted(mark) == [
        ("waived", {"owed/1/principal": -10000, "forgiven/funder-1/goodwill": 10000}),
        ("penalty_reversed", {"owed/1/penalty": -80, "claim/funder-1": 80}),
    ]
    assert s.state == "CLOSED", "no money has to be proven"
    invariants.check(s.books)


def test_a_penalty_that_was_paid_and_is_not_due_pays_what_is_owed() -> None:
    """Half the principal is waived: what 0.80 paid of a penalty that is not due pays principal."""
    s = overdue()
    s.pay(80)
    mark = s.mark
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=5000)
    assert [event for event, _ in s.posted(mark)] == [
        "waived",
        "unapplied",
        "penalty_reversed",
        "applied",
    ]
    assert dict(s.posted(mark))["applied"]["owed/1/principal"] == -37
    assert waiting(s) == 0
    assert s.books.item().owed.total == 4963
    s.order(Charge, component=Component.FEE, amount_minor=500)
    assert waiting(s) == 0
    assert s.books.item().owed.total == 5463
    invariants.check(s.books)


def test_money_that_a_waiver_sets_free_and_nothing_takes_is_a_case() -> None:
    """The whole principal is waived: 0.80 that paid the penalty waits, and a case says so."""
    s = overdue()
    reference = s.pay(80)
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=10000)
    assert waiting(s) == 80
    assert s.books.cases[f"surplus/{reference}/L1"].amount_minor == 80
    assert s.state == "CLOSED", "the surplus is the loan's, not the installment's"
    invariants.check(s.books)


def test_nothing_is_debited_that_waiting_money_covers() -> None:
    """A penalty that was paid is not due after a waiver: the order asks for 0.40 less."""
    s = overdue(5, OutcomeClass.NSF)
    s.pay(30)
    s.order(Waive, component=Component.PRINCIPAL, amount_minor=5000)
    order = s.present()
    owed = s.books.item().owed.total
    assert waiting(s) == 0
    assert s.books.item().attempts[-1].amount_minor == owed
    s.apply_outcome(order, minor=owed)
    assert s.state == "CLEARING"
    assert waiting(s) == 0


def test_a_value_date_in_the_future_bears_no_penalty_of_the_future() -> None:
    """Confirmed for a day a thousand days ahead: money counts from today, and 0.00 is charged."""
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 0),)))
    order = s.present()
    s.apply_outcome(order, minor=10000, executed_on=s.today + 1000 * DAY)
    assert s.portion(f"R-{order}").value_on == s.today
    assert s.books.item().charged.total == 10000
    assert s.state == "CLEARING"


def test_a_line_dated_ahead_is_money_of_today() -> None:
    """The same by a booked line that is the first news, and for an order that had been refused."""
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 0),)))
    order = s.present()
    s.apply_outcome(order, OutcomeClass.NSF)
    s.until(s.today + 10 * DAY)
    s.apply_outcome(order, minor=10000, source="webhook", executed_on=s.today + 900 * DAY)
    assert s.portion(f"R-{order}").value_on == s.today
    assert s.books.item().charged.penalty < 100


@pytest.mark.parametrize("reported", [date(1, 1, 1), date(2026, 2, 20)])
@pytest.mark.parametrize("by", ["line", "report"])
def test_money_cannot_have_moved_before_its_order_was_made(reported: date, by: str) -> None:
    """An empty date, or one before the order, says nothing: the return window is that of the order.

    Nor is a penalty taken back that the order has collected.
    """
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 0),)))
    order = s.present()
    made = s.books.item().attempts[-1].value_on
    if by == "line":
        s.line(LineItem(order, None, None, 10000), value_on=reported)
    else:
        s.apply_outcome(order, minor=10000, executed_on=reported)
        s.credit(order, 10000)
    assert s.portion(f"R-{order}").value_on == made
    assert s.state == "SETTLED"
    s.until(made + 20 * DAY)
    assert s.state == "CLOSED"


def test_a_matched_transfer_is_not_from_before_the_loan() -> None:
    """A line with an empty value date that a person matches counts from the day it was booked."""
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 0),)))
    s.until(date(2026, 3, 10))
    s.line(LineItem(None, None, None, 10000), value_on=date(1, 1, 1))
    (line,) = s.books.lines
    s.order(MatchLine, line=line, reference="T-1", amount_minor=10000)
    assert s.portion("T-1").value_on == s.today


def two_due() -> Scene:
    """Two installments of 101.00, both owed, no penalty; the first has an order out."""
    calm = replace(QUIET, penalty=None)
    s = Scene.boarded(product=calm, lines=schedule(((10000, 100),) * 2))
    s.apply_outcome(s.present(), OutcomeClass.NSF)
    s.order(ChangeDate, due_on=date(2026, 4, 10))
    s.until(date(2026, 4, 10))
    return s


def in_flight(s: Scene) -> int:
    """Minor units of orders that have no final outcome yet."""
    live = [item.live_attempt for item in s.books.loans["L1"].installments]
    return sum(attempt.amount_minor for attempt in live if attempt is not None)


def owed(s: Scene) -> int:
    """Minor units owed on the whole loan."""
    return sum(item.owed.total for item in s.books.loans["L1"].installments)


@pytest.mark.parametrize(("paid", "asked"), [(10100, 0), (5000, 5100), (0, 10100)])
def test_orders_out_and_money_that_waits_never_exceed_what_is_owed(paid: int, asked: int) -> None:
    """A transfer waits for the first outcome: the second order asks only for what it leaves."""
    s = two_due()
    s.present(1)
    if paid:
        s.pay(paid)
    if asked:
        s.present(2)
        assert s.books.item(2).attempts[-1].amount_minor == asked
    else:
        assert s.books.view(2).next_action is None
    assert in_flight(s) + waiting(s) <= owed(s) == 20200
    invariants.check(s.books)


@pytest.mark.parametrize("outcome_class", [OutcomeClass.SUCCESS, OutcomeClass.PAYER_STOP])
def test_the_final_outcome_frees_the_waiting_money_and_tells_the_other_driver(
    outcome_class: OutcomeClass,
) -> None:
    """Confirmed, the transfer pays the second; refused, the first, and the second is debited."""
    s = two_due()
    order = s.present(1)
    s.pay(10100)
    assert s.books.view(2).next_action is None
    change = s.apply_outcome(
        order, outcome_class, minor=10100 if outcome_class is OutcomeClass.SUCCESS else 0
    )
    assert isinstance(change, Change)
    first, second = (item.state for item in s.books.loans["L1"].installments)
    if outcome_class is OutcomeClass.SUCCESS:
        assert (first, second) == (State.CLEARING, State.CLEARING)
    else:
        assert (first, second) == (State.CLEARING, State.DUE)
        assert [m.stream for m in change.messages] == ["installment/t1/L1/2"]
        assert s.books.view(2).next_action is not None
    assert waiting(s) == 0


def test_withdrawing_what_was_paid_ahead_tells_the_driver() -> None:
    """Paid ahead, the driver waits; the payment was none: it is woken for the debit."""
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 100),)))
    assert s.books.item().driver.opened
    reference = s.pay(10100)
    assert s.books.item().state is State.SCHEDULED
    assert s.books.view().next_action is None
    change = s.order(WithdrawPayment, reference=reference)
    assert isinstance(change, Change)
    assert [(m.topic, m.stream) for m in change.messages] == [("wake", "installment/t1/L1/1")]


def test_a_payment_for_another_installment_that_is_withdrawn_tells_the_driver_too() -> None:
    """The advance was recorded on the second installment and had covered the first as well."""
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 100),) * 2))
    reference = s.pay(20200, number=2)
    assert s.books.view(1).next_action is None
    change = s.order(WithdrawPayment, 2, reference=reference)
    assert isinstance(change, Change)
    assert "installment/t1/L1/1" in [m.stream for m in change.messages]


def test_an_intent_after_the_money_came_is_moot() -> None:
    """A driver with an old view asks for the debit that waiting money covers: nothing is sent."""
    s = two_due()
    s.present(1)
    known = s.books.view(2)
    s.pay(10100)
    assert known.next_action is not None
    s.books.at = max(s.books.at, known.next_action.not_before)
    change = s.action_of(known)
    assert isinstance(change, Change)
    assert not isinstance(change.answer, Ordered)
    assert s.books.item(2).attempts == ()


def test_a_loan_that_never_comes_to_rest_is_a_broken_invariant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rounds are bounded: a step that always changes something is a fault of ours."""
    s = overdue()

    def restless(work: Work, loan_id: str) -> None:
        work.put_loan(replace(work.loan(loan_id), version=work.loan(loan_id).version))

    monkeypatch.setattr(closing, "place_waiting", restless)
    with pytest.raises(InvariantBroken, match="does not come to rest"):
        s.order(Charge, component=Component.FEE, amount_minor=500)


def history(s: Scene, random: Random) -> None:
    """A dozen of any news and orders about two installments, days passing between them."""
    for _ in range(random.randint(6, 14)):
        number = random.randint(1, 2)
        item = s.books.item(number)
        step = random.choice(["days", "pay", "waive", "charge", "order", "retry", "off", "return"])
        if step == "days":
            s.until(s.today + random.randint(1, 20) * DAY)
        elif step == "pay":
            terms: dict[str, Any] = {"currency": "CNY", "reference": f"T{s.count}"}
            on = max(date(2026, 3, 2), s.today - random.randint(0, 9) * DAY)
            minor = random.choice([1, 80, 4000, 10100, 20300])
            s.order(RecordPayment, number, amount_minor=minor, value_on=on, **terms)
        elif step == "waive":
            component = random.choice([Component.PRINCIPAL, Component.PENALTY, Component.INTEREST])
            minor = random.choice([item.owed.of(component), item.owed.of(component) // 2])
            s.order(Waive, number, component=component, amount_minor=minor)
        elif step == "charge":
            s.order(Charge, number, component=Component.FEE, amount_minor=random.randint(1, 900))
        elif step == "retry":
            s.order(RetryNow, number)
        elif step == "off":
            s.order(WriteOff, number)
        elif step == "return":
            taken = [r for r in s.books.loans["L1"].portions if r.order_no and r.net_minor]
            if taken:
                one = random.choice(taken)
                s.returned(str(one.order_no), one.net_minor, bank_ref=s.payment(one.id).bank_ref)
        elif s.books.view(number).next_action is not None and item.live_attempt is None:
            s.action(number)
        live = s.books.item(number).live_attempt
        if live is not None:
            kinds = [OutcomeClass.SUCCESS, OutcomeClass.NSF, OutcomeClass.PARTIAL]
            outcome_class = random.choice(kinds)
            minor = {OutcomeClass.SUCCESS: live.amount_minor, OutcomeClass.PARTIAL: 1}.get(
                outcome_class, 0
            )
            s.apply_outcome(live.order_no, outcome_class, minor)
        invariants.check(s.books)


@pytest.mark.parametrize("seed", range(60))
def test_when_all_news_is_in_nothing_stays_transient_without_a_case(seed: int) -> None:
    """Lines come and the calendar runs: each installment ends, or somebody is asked about it."""
    s = Scene.boarded(product=QUIET, lines=schedule(((10000, 100),) * 2))
    history(s, Random(seed))
    for _ in range(60):
        s.settle()
        for number in (1, 2):
            action = s.books.view(number).next_action
            if action is not None and action.not_before <= s.books.at + DAY:
                assert not isinstance(s.action(number), Refusal)
            live = s.books.item(number).live_attempt
            if live is not None:
                s.apply_outcome(live.order_no, OutcomeClass.NSF)
        s.until(s.today + 2 * DAY)
    for item in s.books.loans["L1"].installments:
        cased = any(case.is_about("L1", item.number) for case in s.books.cases.values())
        assert item.state not in TRANSIENT or cased, (item, s.books.view(item.number))
        assert item.owed.total or item.state in {State.CLOSED, State.WRITTEN_OFF} or cased, item
