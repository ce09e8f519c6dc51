"""Remittances from request to closure: the worked tables, and what happens when they go wrong."""

import runpy
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.calendar import local_instant
from domain.case.case import ByHand
from domain.debit.attempt import AttemptState
from domain.debit.outcome import NO_ANSWER, OutcomeClass
from domain.errors import InvariantBroken
from domain.kernel.change import Refusal
from domain.kernel.command import Actor, Scope
from domain.loan.change import Change
from domain.payout import lifecycle_doc
from domain.payout.agenda import next_action
from domain.payout.commands import Became
from domain.payout.items import ItemSum, PayoutItem, Summing
from domain.payout.lifecycle import PayoutState
from domain.payout.payout import PayoutOrdered
from domain.payout.view import PayoutView
from domain.payout.words import PAYOUT_WORDS
from domain.registry import KINDS, decide
from domain.statement.statement import LineItem
from tests.support.doors import (
    ApprovePayout,
    CancelPayout,
    InstructPayout,
    RaisePayout,
    RecordLearnt,
    RecordPayoutOutcome,
    RecordPayoutUnsent,
    RecordRemitted,
    RecordShortfall,
    RefusePayout,
    RequestPayout,
    ResolveCase,
    SettlePayout,
)
from tests.support.memory import SHANGHAI, MemoryBooks, later
from tests.support.payouts import CHANNEL, FA, PAYEE, PAYOUT_DRIVER, K, Paying, policy, pooled

_S = PayoutState


def one(**terms: object) -> Paying:
    """A loan of 150.00 at 90/8/2 that is paid and proven on K."""
    s = Paying.of(("L1", pooled(), 15000), policy=policy(replace(PAYEE, **terms)))  # type: ignore[arg-type]
    s.received(15000, "L1")
    return s


def out(s: Paying) -> str:
    """A payout to the funder whose order is out; its key."""
    key = s.requested()
    s.act(key)
    return key


def person(name: str) -> Actor:
    """An operator by this name."""
    return Actor("operator", name)


def rule(answer: Change | Refusal) -> str:
    """The rule of a refusal."""
    assert isinstance(answer, Refusal), answer
    return answer.rule


def state(s: Paying, key: str) -> PayoutState:
    """The state of a payout, with the whole of the books checked."""
    s.check()
    return s.payout(key).state


# --- worked tables -------------------------------------------------------------------------------


def test_two_loans_pooled_and_remitted() -> None:
    """250.00 on K for two funders: the platform holds its 20.00 there, all else is sent on."""
    s = Paying.of(("L1", pooled("funder-1"), 15000), ("L2", pooled("funder-2"), 10000))
    s.received(25000, "L1", "L2")
    due = {"payable/funder-1": -13500, "payable/funder-2": -9000, "payable/guarantor": -500}
    assert s.books.balances() == {"bank/ACCT-K": 25000, "held_by/platform": -2000, **due}
    for payee in ("funder-1", "funder-2", "guarantor"):
        assert state(s, s.paid(payee)) is _S.CLOSED
    assert s.books.balances() == {"bank/ACCT-K": 2000, "held_by/platform": -2000}
    s.roll(4)
    assert {s.books.item(1, name).state.value for name in ("L1", "L2")} == {"CLOSED"}
    s.check()


def test_a_fee_and_mixed_routing() -> None:
    """50.00 on the funder's own account, 48.00 and a fee of 2.00 on K: K is short of the fee."""
    s = Paying.of(("L1", pooled(funder_1=FA), 10000))
    s.pay(10000, ref="T1")
    s.line(LineItem("T1", None, None, 5000), account=FA)
    s.line(LineItem("T1", None, None, 5000, 200), account=K)
    assert s.books.balances() == {
        "bank/ACCT-FA": 5000,
        "bank/ACCT-K": 4800,
        "held_by/funder-1": -5000,
        "payable/funder-1": -4000,
        "payable/guarantor": -200,
        "payable/platform": -800,
        "rail_fees/transfer": 200,
    }
    key = s.requested("funder-1")
    s.act(key)
    assert (state(s, key), s.payout(key).minor) == (_S.APPROVED, 4000)
    assert s.books.cases[f"shortage/CNY/{K}"].amount_minor == 200
    s.line(LineItem("TOP-UP", None, None, 200), account=K, id="top-up")
    s.act(key)
    s.left(key)
    s.act(key)
    s.paid("guarantor")
    assert s.books.balances() == {
        "bank/ACCT-FA": 5000,
        "bank/ACCT-K": 800,
        "held_by/funder-1": -5000,
        "payable/platform": -800,
        "rail_fees/transfer": 200,
        "suspense/line/top-up": -200,
    }
    s.check()


# --- requests ------------------------------------------------------------------------------------


def test_a_request_fixes_items_amount_and_digest() -> None:
    """What is in it is in the journal by its digest, and the same items are not taken twice."""
    s = one()
    key = s.requested()
    payout = s.payout(key)
    assert key == f"funder-1/CNY/{K}/{s.today:%Y%m%d}/1"
    assert (payout.minor, payout.items.count, payout.state) == (13500, 1, _S.APPROVED)
    requested = next(m for m in s.books.transitions if m.event == "payout_requested")
    assert requested.detail == f"1 items, 13500 CNY, {payout.items.digest}"
    assert rule(s.request(number=2)) == "remittance.nothing"
    assert rule(s.request()) == "remittance.known"
    s.check()


def test_only_what_is_proven_is_requested() -> None:
    """A share of reported money, and of money whose return no line shows yet, stays."""
    s = Paying.of(("L1", pooled(), 15000))
    s.pay(15000, ref="T1")
    assert rule(s.request()) == "remittance.nothing"
    s.line(LineItem("T1", None, None, 15000), account=K)
    assert isinstance(s.request(), Change)


def test_what_is_not_to_be_paid_is_refused_by_a_rule() -> None:
    """A payee without policy, an account that is not ours to pay from, another currency."""
    s = one()
    assert rule(s.request("platform")) == "remittance.payee"
    assert rule(s.request(account=FA)) == "remittance.account"
    assert rule(s.request(account="NONE")) == "remittance.account"
    assert rule(s.request(currency="EUR")) == "remittance.account"


def test_a_small_amount_waits_until_it_has_waited_long_enough() -> None:
    """Below the minimum nothing is sent, until the oldest item is so many banking days old."""
    s = one(minimum_minor=20000, wait_banking_days=2)
    assert rule(s.request()) == "remittance.minimum"
    s.roll(2)
    assert isinstance(s.request(), Change)
    assert not PAYEE.is_too_little(0, None, s.today, s.books.rules.calendar("PLAIN"))
    strict = replace(PAYEE, minimum_minor=1)
    assert strict.is_too_little(0, None, s.today, s.books.rules.calendar("PLAIN"))


def test_a_cut_off_is_of_the_last_banking_day_whose_time_has_passed() -> None:
    """Before 16:00 of a Tuesday it is Monday's, after it Tuesday's; of a Sunday, Friday's."""
    s = one()
    plain = s.books.rules.calendar("PLAIN")
    tuesday = s.books.at - timedelta(days=1)
    assert (s.today.isoformat(), s.today.weekday()) == ("2026-03-11", 2)
    assert PAYEE.cut_off_before(tuesday, plain).isoformat() == "2026-03-09"
    assert PAYEE.cut_off_before(tuesday + timedelta(hours=7), plain).isoformat() == "2026-03-10"
    assert PAYEE.cut_off_before(tuesday - timedelta(days=2), plain).isoformat() == "2026-03-06"
    assert (
        policy().version
        == policy().version
        != policy(replace(PAYEE, cut_off=CHANNEL.opens)).version
    )


# --- approval ------------------------------------------------------------------------------------


def test_above_the_limit_two_people_approve_and_neither_requested_it() -> None:
    """One person is not enough, and whoever asked for it never approves it."""
    s = one(approve_within_minor=13499)
    key = s.requested()
    assert (state(s, key), s.books.payout_view(key).needs_operator) == (_S.REQUESTED, "approval")
    assert s.books.payout_view(key).next_action is None

    def approve(who: str, approver: str | None) -> Change | Refusal:
        return s.give(ApprovePayout, actor=person(who), payout=key, approver=approver)

    assert rule(approve("other", None)) == "payout.approver"
    assert rule(approve("other", " OTHER ")) == "order.approver"
    assert rule(approve("other", "t1")) == "payout.requester"
    assert rule(approve("t1", "other")) == "payout.requester"
    assert isinstance(approve("other", "third"), Change)
    assert s.payout(key).approved_by == ("other", "third")
    assert rule(approve("other", "third")) == "payout.state"
    assert state(s, key) is _S.APPROVED


@pytest.mark.parametrize("order", [RefusePayout, CancelPayout])
def test_what_is_refused_or_cancelled_is_open_again(order: type) -> None:
    """Its items go into the next request, under a new number."""
    s = one(approve_within_minor=0)
    key = s.requested()
    assert isinstance(s.give(order, payout=key), Change)
    assert state(s, key) in {_S.REFUSED, _S.CANCELLED}
    assert s.payout(s.requested(number=2)).minor == 13500
    assert rule(s.give(order, payout=key)) == "payout.state"
    assert rule(s.give(order, payout="nobody")) == "payout.unknown"
    assert rule(s.give(order, payout=key, reason=" ")) == "order.reason"


# --- instructing ---------------------------------------------------------------------------------


def test_the_intent_is_booked_before_the_order_leaves() -> None:
    """The answer is the order; the money is under way, and no longer payable."""
    s = one()
    key = s.requested()
    answer = s.act(key)
    assert isinstance(answer, Change)
    assert isinstance(answer.answer, PayoutOrdered)
    order = answer.answer.order
    assert (order.amount_minor, order.order_no) == (13500, s.payout(key).order_no)
    assert order.beneficiary == "acct-of-funder-1"
    assert s.books.balances()["paying/funder-1"] == -13500
    assert "payable/funder-1" not in s.books.balances()
    assert state(s, key) is _S.INSTRUCTED


def test_a_payout_that_missed_its_hours_leaves_when_the_channel_opens() -> None:
    """Never outside of the channel's hours, however late its driver comes."""
    s = one()
    key = s.requested()
    evening = local_instant(s.today, time(20), SHANGHAI)
    later(s.books, evening)
    action = s.books.payout_view(key).next_action
    assert action is not None
    assert action.not_before == local_instant(s.today + timedelta(days=1), CHANNEL.opens, SHANGHAI)


def test_an_action_that_is_not_next_changes_nothing() -> None:
    """Another key, another generation, or too early: the view says what is to be done instead."""
    s = one()
    key = s.requested()
    for terms in ({"action": "review"}, {"action": "instruct/0", "generation": 2}):
        answer = s.give(InstructPayout, actor=PAYOUT_DRIVER, payout=key, **terms)
        assert isinstance(answer, Change)
        assert answer.answer.kind == "superseded"  # type: ignore[attr-defined]
    s.act(key)
    early = s.give(RecordLearnt, actor=PAYOUT_DRIVER, payout=key, action="inquire/0")
    assert isinstance(early, Change)
    assert early.answer.kind == "superseded"  # type: ignore[attr-defined]


def test_a_payout_waits_for_money_on_its_account() -> None:
    """It leaves other payees theirs: a fee that nobody bears is lacking, until it is topped up."""
    s = Paying.of(("L1", pooled(), 15000))
    s.pay(15000, ref="T1")
    s.line(LineItem("T1", None, None, 15000, 100), account=K)
    key = s.requested()
    s.act(key)
    case = s.books.cases[f"shortage/CNY/{K}"]
    assert (state(s, key), case.amount_minor) == (_S.APPROVED, 100)
    assert s.books.payout_view(key).needs_operator == "shortage"
    s.line(LineItem("TOP-UP", None, None, 100), account=K)
    s.act(key)
    assert state(s, key) is _S.INSTRUCTED
    assert f"shortage/CNY/{K}" not in s.books.cases


def test_an_order_that_never_left_is_sent_again_or_taken_back() -> None:
    """The same number under a new lease; a person may take it back meanwhile."""
    s = one()
    key = out(s)
    for _ in range(2):
        s.give(RecordPayoutUnsent, actor=PAYOUT_DRIVER, payout=key, sends=1)
    assert s.payout(key).sending.never_left  # type: ignore[union-attr]
    answer = s.act(key)
    assert isinstance(answer, Change)
    assert isinstance(answer.answer, PayoutOrdered)
    assert s.payout(key).sending.sends == 2  # type: ignore[union-attr]
    assert rule(s.give(CancelPayout, payout=key)) == "payout.state"
    s.give(RecordPayoutUnsent, actor=PAYOUT_DRIVER, payout=key, sends=2)
    assert isinstance(s.give(CancelPayout, payout=key), Change)
    assert state(s, key) is _S.FAILED
    assert not s.books.cases
    assert s.payout(s.requested(number=2)).minor == 13500


def test_an_order_that_cannot_be_sent_becomes_a_persons_task() -> None:
    """After as many tries as the channel allows inquiries."""
    s = one()
    key = out(s)
    for sends in range(1, CHANNEL.inquiries_before_operator + 1):
        s.give(RecordPayoutUnsent, actor=PAYOUT_DRIVER, payout=key, sends=sends)
        if sends < CHANNEL.inquiries_before_operator:
            s.act(key)
    assert s.books.payout_view(key).needs_operator == "the order cannot be sent"


# --- outcomes ------------------------------------------------------------------------------------


def test_an_accepted_order_is_asked_after_when_it_is_overdue() -> None:
    """It is with the channel until then, and executed when the channel says so."""
    s = one()
    key = out(s)
    s.said(key, OutcomeClass.PENDING)
    action = s.books.payout_view(key).next_action
    assert action is not None
    assert (action.kind, action.not_before) == ("INQUIRE", s.books.at + CHANNEL.expected_by)
    s.said(key)
    assert state(s, key) is _S.PAID
    s.said(key)
    s.said(key, OutcomeClass.PENDING)
    assert state(s, key) is _S.PAID


def test_a_declined_payout_opens_its_items_and_a_case_keeps_the_next_back() -> None:
    """Corrected first, then requested anew under a new number."""
    s = one()
    key = out(s)
    s.said(key, OutcomeClass.ACCOUNT, code="AC04")
    assert state(s, key) is _S.FAILED
    assert s.books.balances()["payable/funder-1"] == -13500
    assert rule(s.request(number=2)) == "remittance.case"
    case = f"payout_failed/funder-1/CNY/{K}"
    s.give(ResolveCase, case=case, resolution=ByHand.CORRECTED)
    again = s.requested(number=2)
    assert s.payout(again).order_no != s.payout(key).order_no
    s.check()


def test_not_found_is_proof_only_after_the_window_and_unacknowledged() -> None:
    """Before it, it is asked again; of an acknowledged order it is a contradiction."""
    s = one()
    key = out(s)
    s.said(key, OutcomeClass.NOT_FOUND, "inquiry")
    assert state(s, key) is _S.IN_DOUBT
    later(s.books, s.books.at + CHANNEL.lease + CHANNEL.query_window)
    s.said(key, OutcomeClass.NOT_FOUND, "answer")
    assert state(s, key) is _S.IN_DOUBT
    s.said(key, OutcomeClass.NOT_FOUND, "inquiry")
    assert state(s, key) is _S.FAILED

    s = one()
    key = out(s)
    s.said(key, OutcomeClass.PENDING)
    later(s.books, s.books.at + CHANNEL.lease + CHANNEL.query_window)
    s.said(key, OutcomeClass.NOT_FOUND, "inquiry")
    assert state(s, key) is _S.IN_DOUBT
    assert f"payout_in_doubt/{s.payout(key).order_no}" in s.books.cases


def test_a_payout_in_doubt_is_asked_about_and_then_a_person_settles_it() -> None:
    """Never sent again: evidence or two people end it."""
    s = one()
    key = out(s)
    for _ in range(CHANNEL.inquiries_before_operator):
        s.said(key, OutcomeClass.TECH, "inquiry")
    doubt = f"payout_in_doubt/{s.payout(key).order_no}"
    assert (state(s, key), s.books.payout_view(key).needs_operator) == (_S.IN_DOUBT, "in doubt")
    assert doubt in s.books.cases
    assert rule(s.give(SettlePayout, payout=key, became=Became.EXECUTED)) == "payout.approver"
    s.give(SettlePayout, payout=key, became=Became.EXECUTED, approver="second")
    assert (state(s, key), doubt in s.books.cases) == (_S.PAID, False)
    assert (
        rule(s.give(SettlePayout, payout=key, became=Became.EXECUTED, approver="x"))
        == "payout.state"
    )


def test_a_person_may_say_that_it_was_not_executed() -> None:
    """Its items are open again, and the case of the failed payout says why."""
    s = one()
    key = out(s)
    s.said(key, OutcomeClass.TECH)
    s.give(SettlePayout, payout=key, became=Became.NOT_EXECUTED, approver="second")
    assert state(s, key) is _S.FAILED
    assert f"payout_failed/funder-1/CNY/{K}" in s.books.cases


def test_an_answer_that_cannot_be_true_is_not_believed() -> None:
    """Another amount, another currency: a case, and it is asked about."""
    s = one()
    for index, terms in enumerate(({"minor": 13400}, {"currency": "EUR"})):
        key = s.requested(number=index + 1)
        s.act(key)
        s.said(key, **terms)  # type: ignore[arg-type]
        assert state(s, key) is _S.IN_DOUBT
        assert f"payout_in_doubt/{s.payout(key).order_no}" in s.books.cases
        s.said(key, OutcomeClass.DECLINED)
        s.give(ResolveCase, case=f"payout_failed/funder-1/CNY/{K}", resolution=ByHand.CORRECTED)


def test_a_success_taken_back_and_a_failure_taken_back_are_cases() -> None:
    """Declined after executed is asked about; executed after failed is never paid twice."""
    s = one()
    key = out(s)
    s.said(key)
    s.said(key, OutcomeClass.DECLINED)
    assert state(s, key) is _S.IN_DOUBT
    s.said(key, OutcomeClass.DECLINED)
    assert state(s, key) is _S.FAILED
    s.said(key)
    assert state(s, key) is _S.FAILED
    assert f"payout_in_doubt/{s.payout(key).order_no}" in s.books.cases


def test_news_of_payouts_that_nobody_knows_changes_nothing() -> None:
    """Evidence is never refused."""
    s = Paying(MemoryBooks())
    key = "a/b/c/d/1"
    answers = (
        s.give(RecordPayoutUnsent, payout=key, sends=1),
        s.give(RaisePayout, payout="a"),
        s.give(RecordRemitted, loan_id="L", payout="p", party="x", place="y", items=()),
        s.give(RecordPayoutOutcome, payout=key, outcome=NO_ANSWER, source="answer"),
    )
    notes = [answer.answer.note for answer in answers]  # type: ignore[union-attr]
    assert notes == ["unknown payout", "unknown payout", "unknown loan", "unknown payout"]


def test_a_driver_that_cannot_go_on_asks_once() -> None:
    """The first reason stays until somebody has answered."""
    s = one()
    key = s.requested()
    s.give(RaisePayout, payout=key, reason="stuck")
    s.give(RaisePayout, payout=key, reason="stuck again")
    assert s.books.payout_view(key).needs_operator == "stuck"


# --- lines ---------------------------------------------------------------------------------------


def test_a_line_alone_proves_a_payout_in_doubt() -> None:
    """The line is confirmation and proof in one; the doubt ends."""
    s = one()
    key = out(s)
    s.said(key, OutcomeClass.TECH)
    s.left(key)
    assert state(s, key) is _S.PROVEN
    assert s.payout(key).sending.state is AttemptState.CONFIRMED  # type: ignore[union-attr]
    assert s.books.balances().get("paying/funder-1") is None
    s.act(key)
    assert state(s, key) is _S.CLOSED
    assert s.books.payout_view(key).is_final


@pytest.mark.parametrize(
    ("bearer", "account"), [("us", "rail_fees/bank-k"), ("funder-1", "receivable/funder-1")]
)
def test_what_the_bank_keeps_is_borne_by_whom_the_policy_names(bearer: str, account: str) -> None:
    """The line takes amount and fee; the payee still got its whole share."""
    s = one(fees_borne_by=bearer)
    key = out(s)
    s.left(key, fee=30)
    assert state(s, key) is _S.PROVEN
    assert s.books.balances()[account] == 30
    assert s.books.balances()["bank/ACCT-K"] == 15000 - 13530


def test_a_line_of_another_amount_or_account_waits_with_a_case() -> None:
    """It proves nothing; two cases say so, and the payout stays as it is."""
    s = one()
    key = out(s)
    s.left(key, 13000, id="odd")
    s.left(key, account=FA, id="else")
    assert state(s, key) is _S.INSTRUCTED
    order_no = s.payout(key).order_no
    for line in ("odd", "else"):
        assert {f"payout_line/{order_no}/{line}", f"line/{line}"} <= s.books.cases.keys()


def test_a_line_of_a_failed_payout_waits_with_a_case() -> None:
    """Money left though we thought it had not: nobody is believed before a person has looked."""
    s = one()
    key = out(s)
    s.said(key, OutcomeClass.DECLINED)
    s.left(key, id="late")
    assert state(s, key) is _S.FAILED
    assert f"payout_line/{s.payout(key).order_no}/late" in s.books.cases


def test_no_line_in_time_is_a_case() -> None:
    """Said to be executed, and no line: a person looks; the line ends it."""
    s = one()
    key = out(s)
    s.said(key)
    s.act(key)
    view = s.books.payout_view(key)
    assert (view.state, view.next_action) == ("PAID", None)
    assert view.needs_operator == "no bank line has come that shows it"
    s.left(key)
    assert state(s, key) is _S.PROVEN
    assert not s.books.cases
    assert not s.books.payout_view(key).needs_operator


def test_a_payee_that_the_policy_names_no_more_has_a_deadline_all_the_same() -> None:
    """The rules of a payout under way do not vanish with its payee."""
    s = one()
    key = out(s)
    s.said(key)
    s.books.rules = replace(s.books.rules, remittance=policy())
    rules = replace(s.books.rules.payouts, policy=replace(policy(), payees={}))
    action = next_action(s.payout(key), rules, s.books.at)
    assert action is not None
    assert action.kind == "REVIEW"


# --- returns -------------------------------------------------------------------------------------


def test_a_payout_that_comes_back_after_closing_is_reversed_and_requested_anew() -> None:
    """A higher generation, the same loans; items open, installments stay closed."""
    s = one()
    s.paid("guarantor")
    key = s.paid()
    s.roll(4)
    assert s.books.item().state.value == "CLOSED"
    s.came_back(key, fee=20)
    view = s.books.payout_view(key)
    assert (view.state, view.generation, view.is_final) == ("RETURNED", 2, False)
    s.act(key)
    assert state(s, key) is _S.REVERSED
    assert s.books.balances()["rail_fees/bank-k"] == 20
    assert rule(s.request(number=2)) == "remittance.case"
    s.give(ResolveCase, case=f"remittance_returned/funder-1/CNY/{K}", resolution=ByHand.CORRECTED)
    again = s.requested(number=2)
    assert s.payout(again).minor == 13500
    assert s.books.item().state.value == "CLOSED"


def test_a_return_before_the_loans_have_learnt_is_learnt_in_order() -> None:
    """First that it was proven, then that it came back: no loan hears of a return alone."""
    s = one()
    key = out(s)
    s.left(key)
    s.came_back(key)
    kinds = []
    while (action := s.books.payout_view(key).next_action) is not None:
        kinds.append(action.kind)
        s.act(key)
    assert (kinds, state(s, key)) == (["LEARN", "UNLEARN"], _S.REVERSED)


def test_a_return_whose_line_comes_first_waits_for_the_line_of_leaving() -> None:
    """The order of lines does not change the result; no line is left open."""
    s = one()
    key = out(s)
    s.came_back(key, id="back")
    assert (state(s, key), s.books.lines["back"].open_minor) == (_S.INSTRUCTED, 13500)
    s.left(key)
    assert (state(s, key), s.books.lines["back"].is_open) == (_S.RETURNED, False)
    assert "line/back" not in s.books.cases
    s.came_back(key, id="twice")
    assert state(s, key) is _S.RETURNED
    assert s.books.lines["twice"].is_open


def test_a_waiting_line_that_does_not_fit_is_left_alone_when_the_payout_is_proven() -> None:
    """Of lines that name the order, only one of the whole amount is its return."""
    s = one()
    key = out(s)
    s.came_back(key, 500, id="part")
    order_no = s.payout(key).order_no
    others = (LineItem("ELSE", None, None, 5), LineItem(order_no, None, None, 13500))
    s.line(*others, account=K, id="whole")
    s.left(key)
    assert state(s, key) is _S.RETURNED
    assert (s.books.lines["part"].open_minor, s.books.lines["whole"].open_minor) == (500, 5)


def test_a_line_that_holds_a_return_and_more_keeps_the_rest_open() -> None:
    """What the payout explains is explained; the rest of the line waits on with its case."""
    s = one()
    key = out(s)
    order_no = s.payout(key).order_no
    both = (LineItem(order_no, None, None, 13500), LineItem("OTHER", None, None, 77))
    s.line(*both, account=K, id="both")
    s.left(key)
    assert state(s, key) is _S.RETURNED
    assert s.books.lines["both"].open_minor == 77
    assert s.books.cases["line/both"].amount_minor == 77


# --- words ---------------------------------------------------------------------------------------


def test_a_payout_says_what_it_is_and_what_changed() -> None:
    """Amount, payee, account, cut-off, order and approval; the summary has no amount."""
    s = one(approve_within_minor=0)
    key = s.requested()
    first = s.books.payout_view(key)
    s.give(ApprovePayout, actor=person("other"), payout=key, approver="third")
    approved = s.books.payout_view(key)
    assert list(PAYOUT_WORDS.changes(first, approved)) == ["approved by other, third"]
    s.act(key)
    sent = s.books.payout_view(key)
    assert list(PAYOUT_WORDS.changes(approved, sent)) == ["order intended"]
    assert list(PAYOUT_WORDS.changes(sent, sent)) == []
    s.said(key, code="00")
    paid = s.books.payout_view(key)
    assert list(PAYOUT_WORDS.changes(sent, paid)) == ["order confirmed (00)"]
    assert list(PAYOUT_WORDS.parts(first)) == [
        f"**REQUESTED**, 135.00 CNY to funder-1 from {K}",
        f"cut-off of {s.today}, request 1, 1 items",
    ]
    assert list(PAYOUT_WORDS.parts(sent))[-1].endswith("intended")
    assert list(PAYOUT_WORDS.parts(paid))[-1].endswith("confirmed (code 00)")
    bare: PayoutView = replace(first, detail=None)  # type: ignore[arg-type]
    assert PAYOUT_WORDS.summary(bare) == f"payout to funder-1, cut-off of {s.today}"


# --- what stands around it -----------------------------------------------------------------------


def test_a_rule_book_without_what_a_payout_needs_is_a_fault() -> None:
    """A channel or a calendar that nobody has defined is said by name."""
    s = one()
    key = s.requested()
    rules = s.books.rules.payouts
    with pytest.raises(InvariantBroken, match="no payout channel 'bank-k'"):
        next_action(s.payout(key), replace(rules, channels={}), s.books.at)
    with pytest.raises(InvariantBroken, match="no calendar 'PLAIN'"):
        next_action(s.payout(key), replace(rules, calendars={}), s.books.at)


def test_an_account_that_nobody_has_looked_at_is_a_fault() -> None:
    """No payout is instructed on a guess of what lies there."""
    s = one()
    key = s.requested()
    command = InstructPayout(id="i", actor=PAYOUT_DRIVER, payout=key, action="instruct/0")
    with pytest.raises(InvariantBroken, match="nobody has looked"):
        decide(s.books._aggregates(), command)


def test_commands_name_the_payout_and_the_cases_about_it() -> None:
    """Whatever a decision may open or end is locked with the payout."""
    s = one()
    key = s.requested()
    command = InstructPayout(id="i", actor=PAYOUT_DRIVER, payout=key, action="instruct/0")
    scope = command.scope()
    assert scope.payouts == (key,)
    assert scope.cases == (
        f"payout_in_doubt/{s.payout(key).order_no}",
        f"payout_failed/funder-1/CNY/{K}",
        f"remittance_returned/funder-1/CNY/{K}",
        f"shortage/CNY/{K}",
    )
    assert replace(command, payout="none").scope() == Scope(payouts=("none",))
    ask = RequestPayout(
        id="r",
        actor=PAYOUT_DRIVER,
        payee="funder-1",
        currency="CNY",
        account=K,
        cut_off_on=s.today,
    )
    assert ask.scope() == scope
    assert command.about() == s.payout(key).subject
    assert KINDS["payout"].named(command.about()) == {"payout": key}


def test_items_are_summed_in_order_and_any_difference_shows() -> None:
    """Another order, amount or item is another digest; the oldest day is kept."""
    days = date(2026, 3, 4), date(2026, 3, 2), None

    def summed(*items: PayoutItem) -> ItemSum:
        summing = Summing()
        for item, day in zip(items, days, strict=False):
            summing.take(item, day)
        return summing.result()

    first, second = PayoutItem("L1", "P1", 1, "fee", 5), PayoutItem("L1", "P1", 2, "fee", 7)
    whole = summed(first, second, first)
    assert (whole.count, whole.minor, whole.oldest_on) == (3, 17, date(2026, 3, 2))
    others = [summed(second, first, first), summed(first, second), summed(first, first, second)]
    assert len({whole.digest, *(other.digest for other in others)}) == 4


def test_the_page_of_the_lifecycle_is_that_of_the_table(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """docs/payout-lifecycle.md is what the generator writes now."""
    with pytest.warns(RuntimeWarning, match="lifecycle_doc"):
        runpy.run_module("domain.payout.lifecycle_doc", run_name="__main__")
    page = Path(__file__).resolve().parents[3] / "docs" / "payout-lifecycle.md"
    assert capsys.readouterr().out == page.read_text(encoding="utf-8") == lifecycle_doc.page()


def test_a_shortfall_is_a_case_for_as_long_as_it_is() -> None:
    """What no payout has taken after a cut-off is a case that follows its amount and ends."""
    s = Paying.of()
    terms: dict[str, Any] = {"party": "funder-1", "currency": "CNY", "account": K}
    terms["cut_off_on"] = s.today
    key = f"shortfall/funder-1/CNY/{K}"
    s.give(RecordShortfall, minor=0, **terms)
    assert key not in s.books.cases
    for minor in (9000, 7000):
        s.give(RecordShortfall, minor=minor, **terms)
        assert s.books.cases[key].amount_minor == minor
    s.give(RecordShortfall, minor=0, **terms)
    assert key not in s.books.cases
