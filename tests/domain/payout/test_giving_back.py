"""Money that comes back after it was paid out: what parties owe, set off, and every item's sum."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.kernel.command import Actor
from domain.loan.change import Change
from domain.payout.lifecycle import PayoutState
from tests.support.doors import Scope, SetOff
from tests.support.payouts import K, Paying, policy, pooled, sole

_S = PayoutState


def two() -> Paying:
    """150.00 of one funder and 100.00 of another, paid by one transfer, proven and remitted."""
    s = Paying.of(
        ("L1", pooled("funder-1"), 15000),
        ("L2", pooled("funder-2"), 10000),
        ("L3", sole("funder-2"), 3000),
    )
    s.received(25000, "L1", "L2", ref="T1")
    for payee in ("funder-1", "funder-2", "guarantor"):
        s.paid(payee)
    return s


def test_two_loans_pooled_remitted_and_partly_returned() -> None:
    """100.00 go back after remittance: two parties owe their shares, and K is short of them."""
    s = two()
    s.went_back("T1", 10000)
    s.check()
    assert s.books.balances() == {
        "bank/ACCT-K": -8000,
        "held_by/platform": -1200,
        "receivable/funder-2": 9000,
        "receivable/guarantor": 200,
        "owed/L2/1/principal": 10000,
        "claim/funder-2": -9000,
        "claim/platform": -800,
        "claim/guarantor": -200,
    } | {"owed/L3/1/principal": 3000, "claim/funder-2": -12000}
    owed = {key for key, case in s.books.cases.items() if case.kind == "receivable"}
    payment = s.payment("T1").id
    assert owed == {f"give_back/{payment}/L2/{party}" for party in ("funder-2", "guarantor")}

    s.received(3000, "L3", ref="T2")
    assert s.set_off("funder-2") == "30.00 CNY set off"
    s.check()
    balances = s.books.balances()
    assert (balances["bank/ACCT-K"], balances["receivable/funder-2"]) == (-5000, 6000)
    assert s.books.cases[f"give_back/{payment}/L2/funder-2"].amount_minor == 6000
    refused = s.request("funder-2", 2)
    assert isinstance(refused, Refusal)
    assert refused.rule == "remittance.nothing"
    s.roll(4)
    assert s.books.item(1, "L3").state.value == "CLOSED", "what is set off has reached its party"


def test_what_goes_back_before_a_payout_leaves_only_lowers_what_is_due() -> None:
    """Nothing was taken yet: no receivable, and the next payout is of what is left."""
    s = Paying.of(("L1", pooled(), 15000))
    s.received(15000, "L1", ref="T1")
    s.went_back("T1", 5000)
    assert "receivable/funder-1" not in s.books.balances()
    assert s.payout(s.requested()).minor == 9000
    s.check()


def test_what_goes_back_while_a_payout_is_out_is_owed_and_a_failure_of_it_can_be_set_off() -> None:
    """The loan has learnt of no payout; the books know what is taken. Failed, it offsets itself."""
    s = Paying.of(("L1", pooled(), 15000))
    s.received(15000, "L1", ref="T1")
    key = s.requested()
    s.act(key)
    s.went_back("T1", 15000)
    s.check()
    assert s.books.balances()["receivable/funder-1"] == 13500
    s.said(key, OutcomeClass.DECLINED)
    s.check()
    assert s.books.balances()["payable/funder-1"] == -13500
    assert s.set_off("funder-1") == "135.00 CNY set off"
    s.check()
    balances = s.books.balances()
    assert not {"payable/funder-1", "receivable/funder-1"} & balances.keys()
    assert not [case for case in s.books.cases.values() if case.kind == "receivable"]


def test_the_same_loan_is_set_off_first_then_the_oldest() -> None:
    """A share of the loan that owes goes before an older one of another loan."""
    s = two()
    s.went_back("T1", 10000)
    s.received(3000, "L3", ref="T2")
    s.roll(1)
    s.received(2000, "L2", ref="T3")
    assert s.set_off("funder-2", "L2", "L3") == "48.00 CNY set off"
    off = [entry for entry in s.books.entries if entry.event == "set_off"]
    due = [(it.loan, it.minor) for it in off[0].postings if it.account == "payable/funder-2"]
    assert due == [("L2", 1800), ("L3", 3000)]
    s.check()


def test_nothing_is_set_off_where_nothing_is_owed_or_in_another_currency() -> None:
    """It is no fault to find nothing; a list that is too long is refused."""
    s = Paying.of(("L1", pooled(), 15000))
    s.received(15000, "L1")
    assert s.set_off("funder-1") == "0.00 CNY set off"
    many = tuple(f"L{number}" for number in range(101))
    terms = {"currency": "EUR", "account": K, "party": "funder-1"}
    answer = s.give(SetOff, loans=many, **terms)  # type: ignore[arg-type]
    assert isinstance(answer, Refusal)
    answer = s.give(SetOff, loans=("L1",), **terms)  # type: ignore[arg-type]
    assert isinstance(answer, Change)
    assert not [entry for entry in s.books.entries if entry.event == "set_off"]


def test_a_set_off_names_its_loans() -> None:
    """They are locked while it is decided, in whichever order."""
    command = SetOff(
        id="s",
        actor=Actor("system", "sweep"),
        reason="",
        party="funder-1",
        currency="CNY",
        account=K,
        loans=("L1", "L2"),
    )
    assert command.scope() == Scope(loans=("L1", "L2"))


def test_what_is_due_of_unproven_money_is_not_set_off() -> None:
    """A reported payment may never come."""
    s = two()
    s.went_back("T1", 10000)
    s.pay(3000, ref="T9", loan="L3")
    assert s.set_off("funder-2") == "0.00 CNY set off"


_STEPS = (
    "pay",
    "back",
    "request",
    "send",
    "paid",
    "failed",
    "left",
    "came",
    "learn",
    "off",
    "undo",
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(0, 999)), max_size=25))
def test_every_item_is_accounted_for_whatever_happens(steps: list[tuple[str, int]]) -> None:
    """Credited = open + in live payouts + remitted + set off + held, after each of many steps."""
    s = Paying.of(("L1", pooled("funder-1"), 15000), ("L2", pooled("funder-2"), 10000))
    s.received(20000, "L1", "L2", ref="R")
    s.paid("funder-1")
    s.act(s.requested("funder-2"))
    for number, (step, dice) in enumerate(steps):
        _step(s, step, dice, number)
        s.check()


def _step(s: Paying, step: str, dice: int, number: int) -> None:
    """One thing that happens, if it can happen now."""
    payee = ("funder-1", "funder-2", "guarantor")[dice % 3]
    keys = sorted(s.books.payouts)
    key = keys[dice % len(keys)] if keys else ""
    state = s.payout(key).state if key else None
    action = s.books.payout_view(key).next_action if key else None
    match step:
        case "pay":
            loan = ("L1", "L2")[dice % 2]
            s.received(100 + dice * 7, loan, ref=f"R{number}")
        case "back":
            refs = [it for it in s.books.payments.values() if it.returnable_minor]
            if refs:
                one = refs[dice % len(refs)]
                s.went_back(one.reference, 1 + dice % one.returnable_minor)
        case "request":
            s.request(payee, number + 1)
        case "send" if state is _S.APPROVED:
            s.act(key)
        case "paid" if state in {_S.INSTRUCTED, _S.IN_DOUBT}:
            s.said(key)
        case "failed" if state in {_S.INSTRUCTED, _S.IN_DOUBT}:
            s.said(key, OutcomeClass.DECLINED)
        case "left" if key:
            s.left(key)
        case "came" if key:
            s.came_back(key)
        case "learn" if action is not None and action.kind in {"LEARN", "UNLEARN"}:
            s.act(key)
        case "off":
            s.set_off(payee)
        case _:
            pass


@pytest.mark.parametrize("payee", ["funder-1", "guarantor"])
def test_a_policy_may_leave_a_party_out(payee: str) -> None:
    """What it is due stays where it lies."""
    s = two()
    rest = {name: one for name, one in policy().payees.items() if name != payee}
    s.books.rules = replace(s.books.rules, remittance=replace(policy(), payees=rest))
    answer = s.request(payee, 9)
    assert isinstance(answer, Refusal)
    assert answer.rule == "remittance.payee"
