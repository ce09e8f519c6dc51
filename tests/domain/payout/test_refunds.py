"""Refunds from request to line: what goes back to a payer, and what happens when it goes wrong."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.case.case import ByHand
from domain.case.codes import CASE_CODES
from domain.case.kinds import CaseKind
from domain.case.links import Link, LinkTo
from domain.debit.outcome import OutcomeClass
from domain.errors import InvariantBroken
from domain.kernel.change import Refusal
from domain.kernel.command import Actor
from domain.ledger.bankaccount import US
from domain.loan.change import Aggregates, Change, Lacks
from domain.loan.decide import decide, payoutwork
from domain.loan.duplicates import twins
from domain.payment.portion import RefundStage
from domain.payout.commands import Became
from domain.payout.lifecycle import PayoutState
from domain.payout.payout import order_number, refund_key, refunded_payment
from domain.payout.refundstatus import STATUS
from domain.payout.view import RefundStatus
from domain.payout.words import PAYOUT_WORDS
from domain.statement.statement import LineItem
from tests.support.doors import (
    Also,
    ApprovePayout,
    CancelPayout,
    MatchLine,
    RecordPayment,
    RecordReturn,
    RecordShortfall,
    RefusePayout,
    RequestRefund,
    ResolveCase,
    Scope,
    SettlePayout,
    UndoMatch,
)
from tests.support.memory import board, schedule
from tests.support.payouts import FA, PAYOUT_DRIVER, REFUNDS, K, Paying, policy, pooled, sole

_S, _R = PayoutState, RefundStatus
PERSON = Actor("operator", "ops-1")


def twice(**terms: object) -> Paying:
    """A loan of 150.00 that was paid twice by transfer, T1 and T2, both proven on K."""
    refunds = replace(REFUNDS, **terms)  # type: ignore[arg-type]
    s = Paying.of(("L1", sole("funder-1"), 15000), policy=policy(refunds=refunds))
    s.received(15000, "L1", ref="T1")
    s.roll(1)
    s.received(15000, "L1", ref="T2")
    return s


def second(s: Paying) -> str:
    """The id of the second payment."""
    return s.payment("T2").id


def rule(answer: Change | Refusal) -> str:
    """The rule of a refusal."""
    assert isinstance(answer, Refusal), answer
    return answer.rule


def surplus(s: Paying, payment: str, loan: str = "L1") -> int:
    """What the case of a surplus says, zero where none is open."""
    case = s.books.cases.get(f"surplus/{payment}/{loan}")
    return case.amount_minor if case else 0


def view_status(s: Paying, key: str) -> RefundStatus:
    """What the payer is told."""
    detail = s.books.payout_view(key).detail.refund
    assert detail is not None
    return detail.status


def test_a_duplicate_is_refunded_to_where_it_came_from() -> None:
    """Paid twice: one allocation, one case that names the twin, one refund, and nothing is left."""
    s = twice()
    payment = second(s)
    case = s.books.cases[f"surplus/{payment}/L1"]
    twin = s.payment("T1").id
    assert (case.code, Link(LinkTo.PAYMENT, twin) in case.links) == ("paid_twice", True)
    key = s.refunding(payment)
    s.check()
    assert (s.payout(key).minor, s.payout(key).state) == (15000, _S.APPROVED)
    assert s.payout(key).beneficiary == f"line:{s.payment('T2').lines[-1]}"
    assert s.payout(key).refunded.twins == (twin,)
    assert surplus(s, payment) == 15000
    s.act(key)
    s.check()
    balances = s.books.balances()
    assert balances[f"paying/{s.payout(key).payee}"] == -15000
    assert f"suspense/{payment}" not in balances
    s.said(key)
    assert surplus(s, payment) == 15000
    s.left(key)
    s.check()
    assert s.payout(key).state is _S.CLOSED
    assert s.books.balances() == {"bank/ACCT-K": 15000, "payable/funder-1": -15000}
    assert not s.books.cases
    assert rule(s.refund(payment, 2)) == "refund.nothing"
    assert rule(s.refund(payment)) == "refund.known"


def test_the_status_that_a_payer_reads() -> None:
    """Each step has a word, and every state has one."""
    assert set(STATUS) == set(PayoutState)
    s = twice(approve_within_minor=0)
    key = s.refunding(second(s))
    seen = [view_status(s, key)]
    s.give(ApprovePayout, payout=key, actor=PERSON, approver="ops-2")
    seen.append(view_status(s, key))
    s.act(key)
    seen.append(view_status(s, key))
    s.left(key)
    seen.append(view_status(s, key))
    assert seen == [_R.REQUESTED, _R.PREPARED, _R.SENT, _R.PAID]
    words = " ".join(PAYOUT_WORDS.parts(s.books.payout_view(key)))
    assert "paid" in words
    assert "duplicate of" in words


def test_the_last_cent_after_a_loan_is_closed() -> None:
    """A surplus of 0.01 of a closed loan goes back, and nothing of its installments changes."""
    s = Paying.of(("L1", sole("funder-1"), 15000))
    s.received(15000, "L1", ref="T1")
    s.paid("funder-1")
    s.roll(5)
    assert s.books.item(1, "L1").state.value == "CLOSED"
    s.received(1, "L1", ref="T2")
    before, moves = s.books.item(1, "L1"), len(s.books.transitions)
    assert s.payout(s.refunded(second(s))).state is _S.CLOSED
    s.check()
    after = s.books.item(1, "L1")
    assert replace(after, version=before.version, driver=before.driver) == before
    assert {move.subject.kind for move in s.books.transitions[moves:]} == {"payout", "case"}
    assert not s.books.balances()


def test_a_debit_goes_back_to_the_account_that_was_debited() -> None:
    """A debit that a transfer had paid for is the surplus, and its mandate's account gets it."""
    s = Paying.of(("L1", sole("funder-1"), 15000))
    order = s.present()
    s.received(15000, "L1", ref="T1")
    assert rule(s.refund(s.payment("T1").id)) == "refund.debit"
    s.apply_outcome(order)
    debit = next(p.id for p in s.books.loans["L1"].portions if p.is_debit)
    surplus_of = next(p.id for p in s.books.loans["L1"].portions if p.waiting_minor)
    assert surplus_of == s.payment("T1").id
    assert rule(s.refund(surplus_of)) == "refund.twin"
    s.line(LineItem(order, None, None, 15000), account=K)
    key = s.refunding(surplus_of)
    assert s.payout(key).refunded.twins == (debit,)
    s.check()


def test_a_double_debit_names_the_token_of_its_account() -> None:
    """Of an order that was executed twice the second execution goes back to the debited account."""
    s = Paying.of(("L1", sole("funder-1"), 15000))
    order = s.present()
    s.apply_outcome(order, bank_ref="B1")
    s.apply_outcome(order, bank_ref="B2")
    twice_executed = next(p.id for p in s.books.loans["L1"].portions if p.waiting_minor)
    assert rule(s.refund(twice_executed)) == "refund.unproven"
    for ref in ("B1", "B2"):
        s.line(LineItem(order, None, ref, 15000), account=K)
    key = s.refunding(twice_executed)
    token = s.books.loans["L1"].mandate.account_token
    assert s.payout(key).beneficiary == f"account:{token}"
    loan = s.books.loans["L1"]
    s.books.loans["L1"] = replace(loan, mandate=replace(loan.mandate, ref="another"))
    again = s.refund(twice_executed, 2)
    assert rule(again) == "refund.nothing"
    s.give(CancelPayout, payout=key)
    later = s.refunding(twice_executed, 2)
    assert s.payout(later).beneficiary.startswith("line:")


def test_a_return_cancels_a_refund_that_was_not_instructed() -> None:
    """The first payment comes back before the second is refunded: the second pays the loan."""
    s = twice()
    key = s.refunding(second(s))
    s.went_back("T1", 15000)
    s.check()
    assert (s.payout(key).state, view_status(s, key)) == (_S.CANCELLED, _R.WITHDRAWN)
    assert s.portion("T2", "L1").allocations[0].minor == 15000
    assert not s.books.item(1, "L1").owed.total
    assert surplus(s, second(s)) == 0


def test_a_return_of_the_duplicate_itself_leaves_nothing_to_refund() -> None:
    """The second payment comes back by itself: its refund is cancelled, and none is taken again."""
    s = twice()
    key = s.refunding(second(s))
    s.went_back("T2", 15000)
    s.check()
    assert s.payout(key).state is _S.CANCELLED
    assert rule(s.refund(second(s), 2)) == "refund.nothing"
    assert not s.books.cases


def test_a_return_that_the_books_have_not_named_the_refund_of_is_decided_again() -> None:
    """A decision that must cancel a refund which it was not given asks for it."""
    s = twice()
    key = s.refunding(second(s))
    found = replace(s.books._aggregates(), payouts={})
    command = UndoMatch(
        id="u1", actor=PERSON, reason="wrong", loan_id="L1", number=1,
        line=s.payment("T1").lines[0], reference="T1",
    )  # fmt: skip
    with pytest.raises(Lacks) as lacks:
        decide(found, command)
    assert lacks.value.payouts == {key}


def test_refunded_and_charged_back_is_owed_by_the_payer() -> None:
    """The refund is out when the same payment comes back: the payer owes it, with a case."""
    s = twice()
    key = s.refunded(second(s))
    s.went_back("T2", 10000)
    s.check()
    payer = s.payout(key).payee
    balances = s.books.balances()
    assert balances[f"receivable/{payer}"] == 10000
    assert balances["bank/ACCT-K"] == 5000
    case = s.books.cases[f"owed_back/{second(s)}/L1"]
    assert (case.kind, case.amount_minor, case.code) == (
        CaseKind.RECEIVABLE, 10000, "refunded_and_returned",
    )  # fmt: skip
    assert case.code in CASE_CODES[case.kind].words
    s.came_back(key)
    s.check()
    assert f"receivable/{payer}" not in s.books.balances()
    assert s.portion("T2", "L1").waiting_minor == 5000
    assert s.payout(key).state is _S.REVERSED


def test_a_return_undone_pays_what_the_payer_owes_first() -> None:
    """A return that never happened ends what the payer owed back, and nothing waits besides."""
    s = twice()
    s.refunded(second(s))
    s.went_back("T2", 15000)
    line = s.payment("T2").lines[-1]
    refused = s.order(UndoMatch, 1, "L1", line=line, reference=second(s))
    assert rule(refused) == "match.refunded"
    s.check()


def test_a_match_is_not_undone_once_its_money_was_refunded() -> None:
    """What a line proved and was sent back stays proven; before it left, its refund ends."""
    s = twice()
    key = s.refunding(second(s))
    line = s.payment("T2").lines[0]
    undone = s.order(UndoMatch, 1, "L1", line=line, reference="T2")
    assert isinstance(undone, Change)
    s.check()
    assert s.payout(key).state is _S.CANCELLED
    assert rule(s.refund(second(s), 2)) == "refund.unproven"
    again = s.order(
        MatchLine, 1, "L1", line=line, reference=second(s), amount_minor=15000, approver="ops-2"
    )
    assert isinstance(again, Change), again
    s.refunded(second(s), 2)
    assert rule(s.order(UndoMatch, 1, "L1", line=line, reference="T2")) == "match.refunded"


# --- requests that are not taken -----------------------------------------------------------------


def test_a_refund_waits_while_a_return_is_reported() -> None:
    """A reported return that no line shows keeps every refund of the loan back."""
    s = Paying.of(("L1", sole("funder-1"), 15000))
    order = s.present()
    s.apply_outcome(order)
    s.line(LineItem(order, None, None, 15000), account=K)
    s.received(15000, "L1", ref="T2")
    s.received(7000, "L1", ref="T3")
    s.give(
        RecordReturn, rail="simbank", order_no=order, bank_ref=None, amount_minor=4000,
        outcome_class=OutcomeClass.LATE_RETURN, code="MD06", returned_on=s.today,
    )  # fmt: skip
    s.check()
    assert rule(s.refund(s.payment("T3").id)) == "refund.return"


def test_what_cannot_be_refunded() -> None:
    """No policy, no payment, no such amount, and an account that we may not pay from."""
    s = twice()
    assert rule(s.refund("P-NONE")) == "refund.payment"
    for minor in (15001, 0, -1):
        assert rule(s.refund(second(s), amount_minor=minor)) == "refund.amount"
    none = Paying.of(("L1", sole("funder-1"), 100), policy=policy(refunds=None))
    assert rule(none.refund("P-NONE")) == "refund.policy"
    held = Paying.of(("L1", replace(sole("funder-1"), account=FA), 15000))
    held.received(15000, "L1", account=FA, ref="T1")
    held.roll(1)
    held.received(15000, "L1", account=FA, ref="T2")
    assert rule(held.refund(held.payment("T2").id)) == "refund.nothing"
    held.received(15000, "L1", account="ELSEWHERE", ref="T3")
    assert rule(held.refund(held.payment("T3").id)) == "refund.nothing"


def test_a_payer_who_owes_is_refunded_by_a_person_only() -> None:
    """A double debit while another amount is owed: the machine waits for a person."""
    s = Paying.of(("L1", sole("funder-1"), 15000), ("L2", sole("funder-1"), 5000))
    s.received(15000, "L1", ref="T1")
    s.received(20000, "L1", "L2", ref="T2")
    payment = second(s)
    assert not s.books.item(1, "L2").owed.total
    assert surplus(s, payment) == 15000
    s.received(4000, "L2", ref="T3")
    s.went_back("T2", 5000)
    s.check()
    assert s.books.item(1, "L2").owed.total == 1000
    assert rule(s.refund(payment)) == "refund.owed"
    key = s.refunding(payment, actor=PERSON, amount_minor=9000)
    assert s.payout(key).refunded.parts == (("L1", 9000),)
    assert s.payout(key).state is _S.APPROVED


def test_another_account_than_the_money_came_from_takes_two_people() -> None:
    """Whoever names a beneficiary is not one of the two who approve it, whatever the amount."""
    s = twice()
    key = s.refunding(second(s), actor=PERSON, beneficiary="vault:new")
    assert (s.payout(key).state, s.payout(key).beneficiary) == (_S.REQUESTED, "vault:new")
    own = s.give(ApprovePayout, payout=key, actor=PERSON, approver="ops-2")
    assert rule(own) == "payout.requester"
    taken = s.give(ApprovePayout, payout=key, actor=Actor("operator", "ops-2"), approver="ops-3")
    assert isinstance(taken, Change)
    assert s.payout(key).state is _S.APPROVED


def test_a_refund_above_the_limit_may_be_refused() -> None:
    """A person refuses it: the money waits again, the payer is told, and it is requested anew."""
    s = twice(approve_within_minor=14999)
    key = s.refunding(second(s))
    assert s.payout(key).state is _S.REQUESTED
    s.give(RefusePayout, payout=key)
    s.check()
    assert (view_status(s, key), surplus(s, second(s))) == (_R.WITHDRAWN, 15000)
    assert s.payout(s.refunding(second(s), 2)).state is _S.REQUESTED


def test_two_requests_never_take_the_same_money() -> None:
    """What one refund has set aside no other takes, and both together stay within the payment."""
    s = twice()
    first = s.refunding(second(s), amount_minor=9000)
    rest = s.refunding(second(s), 2)
    s.check()
    assert (s.payout(first).minor, s.payout(rest).minor) == (9000, 6000)
    assert rule(s.refund(second(s), 3)) == "refund.nothing"
    s.act(first)
    s.check()
    stages = [part.stage for part in s.portion("T2", "L1").refunds]
    assert stages == [RefundStage.ORDERED, RefundStage.RESERVED]


def test_one_transfer_for_two_loans_goes_back_as_one() -> None:
    """A surplus in two loans is one refund, and each loan has its own part of it."""
    s = Paying.of(("L1", sole("funder-1"), 15000), ("L2", sole("funder-2"), 10000))
    s.received(25000, "L1", "L2", ref="T1")
    s.received(15000, "L1", ref="T2")
    s.received(10000, "L2", ref="T3")
    loans = {p.id: p.loans for p in s.books.payments.values()}
    assert loans[s.payment("T1").id] == ("L1", "L2")
    s.went_back("T1", 25000)
    s.received(25000, "L1", "L2", ref="T4")
    key = s.refunded(s.payment("T4").id)
    s.check()
    assert sum(minor for _, minor in s.payout(key).refunded.parts) == 25000


def test_one_cent_too_much_is_no_duplicate() -> None:
    """What was paid beyond the debt goes back; it names no twin, and its case says not owed."""
    s = Paying.of(("L1", sole("funder-1"), 15000))
    payment = s.payment(s.received(15001, "L1")).id
    assert s.books.cases[f"surplus/{payment}/L1"].code == "not_owed"
    key = s.refunding(payment)
    assert (s.payout(key).minor, s.payout(key).refunded.twins) == (1, ())
    assert "duplicate" not in " ".join(PAYOUT_WORDS.parts(s.books.payout_view(key)))
    s.check()


def test_a_part_of_what_waits_in_two_loans_is_taken_of_the_first() -> None:
    """A refund of less than all takes it of the loans in their order, and leaves the rest."""
    s = Paying.of(("L1", sole("funder-1"), 15000), ("L2", sole("funder-2"), 10000))
    s.received(15000, "L1", ref="T1")
    s.received(10000, "L2", ref="T2")
    s.roll(1)
    answer = s.order(
        RecordPayment, 1, "L1", reference="T3", amount_minor=9000, currency="CNY",
        value_on=s.today, also=(Also("L2", 4000),),
    )  # fmt: skip
    assert isinstance(answer, Change), answer
    s.line(LineItem("T3", None, None, 9000), account=K)
    payment = s.payment("T3").id
    key = s.refunding(payment, amount_minor=5000)
    s.check()
    assert s.payout(key).refunded.parts == (("L1", 5000),)
    assert surplus(s, payment, "L2") == 4000


def test_what_was_paid_ahead_is_refunded_when_a_person_asks() -> None:
    """Money paid ahead is no surplus: it goes back only where the request says so."""
    s = Paying.of(("L1", sole("funder-1"), 15000))
    command = board("L9", sole("funder-1"), schedule(((5000, 0), (6000, 0))))
    assert isinstance(s.books.apply(command), Change)
    s.received(20000, "L9", ref="T9")
    paid, ahead = s.portion("T9", "L9").id, s.portion("T9", "L9").advance_minor
    assert ahead
    assert rule(s.refund(paid)) == "refund.nothing"
    key = s.refunding(paid, actor=PERSON, advance=True)
    s.check()
    assert s.payout(key).minor == ahead


# --- what goes wrong on the way ------------------------------------------------------------------


def test_a_refund_that_fails_waits_for_another_account() -> None:
    """It is in suspense again with a case; the machine asks for no other until that is ended."""
    s = twice()
    key = s.refunding(second(s))
    s.act(key)
    s.said(key, OutcomeClass.ACCOUNT, code="AC04")
    s.check()
    assert (s.payout(key).state, view_status(s, key)) == (_S.FAILED, _R.UNREACHABLE)
    case = next(c for c in s.books.cases.values() if c.kind is CaseKind.REFUND_UNREACHABLE)
    assert (case.loan_id, case.amount_minor) == ("L1", 15000)
    assert s.portion("T2", "L1").waiting_minor == 15000
    assert rule(s.refund(second(s), 2)) == "refund.case"
    again = s.refunding(second(s), 2, actor=PERSON, beneficiary="vault:new")
    assert s.payout(again).order_no != s.payout(key).order_no
    s.give(CancelPayout, payout=again)
    assert rule(s.refund(second(s), 3)) == "refund.case"
    s.give(ResolveCase, case=case.key, resolution=ByHand.CORRECTED, approver="ops-2")
    assert s.payout(s.refunding(second(s), 3)).state is _S.APPROVED


def test_a_refund_that_comes_back() -> None:
    """A line shows that it came back, less a fee: the money waits again, with a case."""
    s = twice()
    key = s.refunded(second(s))
    s.came_back(key, fee=100)
    s.check()
    assert s.payout(key).state is _S.REVERSED
    assert s.payout(key).generation == 2
    assert s.portion("T2", "L1").waiting_minor == 15000
    assert s.books.balances()["rail_fees/bank-k"] == 100
    assert surplus(s, second(s)) == 15000
    assert [c.kind for c in s.books.cases.values() if "refund" in c.key] == [
        CaseKind.REFUND_UNREACHABLE
    ]


def test_a_refund_in_doubt_is_settled_by_two_people() -> None:
    """What the channel says in writing ends it: not executed, and its money waits again."""
    s = twice()
    key = s.refunding(second(s))
    s.act(key)
    s.said(key, OutcomeClass.TECH)
    assert s.payout(key).state is _S.IN_DOUBT
    s.give(SettlePayout, payout=key, approver="ops-2", became=Became.NOT_EXECUTED)
    s.check()
    assert s.payout(key).state is _S.FAILED
    assert s.portion("T2", "L1").waiting_minor == 15000


def test_a_deadline_that_passes_is_a_case_until_the_line_comes() -> None:
    """Nobody approves it in time: a case says so once, and the line that shows it ends the case."""
    s = twice(approve_within_minor=0, within_banking_days=2)
    key = s.refunding(second(s))
    action = s.books.payout_view(key).next_action
    assert action is not None
    assert action.kind == "ESCALATE"
    s.act(key)
    s.check()
    order_no = s.payout(key).order_no
    case = s.books.cases[f"refund_overdue/{order_no}"]
    assert (case.kind, case.loan_id) == (CaseKind.REFUND_OVERDUE, "L1")
    assert s.books.payout_view(key).next_action is None
    s.give(ApprovePayout, payout=key, actor=PERSON, approver="ops-2")
    s.act(key)
    s.left(key)
    s.check()
    assert f"refund_overdue/{order_no}" not in s.books.cases


def test_a_refund_waits_for_cash_with_a_case_of_its_own() -> None:
    """A refund never takes what payees are due on its account; cancelled, its case ends."""
    s = twice()
    s.paid("funder-1")
    key = s.refunding(second(s))
    s.line(LineItem("FEE", None, None, -4000), account=K)
    s.act(key)
    s.check()
    order_no = s.payout(key).order_no
    assert s.payout(key).needs_operator == "shortage"
    assert s.books.cases[f"shortage/{order_no}"].amount_minor == 4000
    s.give(CancelPayout, payout=key)
    s.check()
    assert f"shortage/{order_no}" not in s.books.cases


def test_the_fee_of_a_refund_is_borne_by_whom_the_policy_names() -> None:
    """What the bank keeps of a refund is a party's where the policy says so, and ours otherwise."""
    s = twice(fees_borne_by="platform")
    key = s.refunding(second(s))
    s.act(key)
    s.left(key, fee=150)
    s.check()
    assert s.books.balances()["receivable/platform"] == 150
    assert REFUNDS.fees_borne_by == US


def test_only_a_refund_says_what_it_refunds() -> None:
    """A remittance has no refund, no payment in its key, and nobody moves it as one."""
    s = twice()
    key = s.requested("funder-1")
    with pytest.raises(InvariantBroken, match="refunds nothing"):
        _ = s.payout(key).refunded
    assert refunded_payment(key) == ""
    with pytest.raises(InvariantBroken, match="nobody moves"):
        payoutwork.no_refund(None, s.payout(key), None)
    assert twins(s.books.loans["L1"], "P-NONE") == ()
    assert Aggregates(s.books.at, s.books.rules).payouts == {}
    assert s.books.at - timedelta(days=1) < s.books.at
    assert PAYOUT_DRIVER.kind == "workflow"
    assert pooled().account == K


def test_what_commands_about_refunds_name() -> None:
    """A refund is found with its payment, which brings its loans, and with the cases about it."""
    key = refund_key("P-1", 2)
    order_no = order_number(key)
    cases = ("payout_in_doubt", "shortage", "refund_overdue", "refund_unreachable")
    expected = Scope(
        payouts=(key,), payments=("P-1",), cases=tuple(f"{case}/{order_no}" for case in cases)
    )
    terms: dict[str, Any] = {"id": "r", "actor": PERSON, "reason": ""}
    assert RequestRefund(payment="P-1", number=2, **terms).scope() == expected
    assert CancelPayout(payout=key, **(terms | {"reason": "x"})).scope() == expected
    short = RecordShortfall(
        party="p", currency="CNY", account=K, cut_off_on=date(2026, 3, 10), minor=1, **terms
    )
    assert short.scope() == Scope(cases=(f"shortfall/p/CNY/{K}",))
