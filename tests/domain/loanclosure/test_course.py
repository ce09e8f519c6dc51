"""The closure of a loan from its last release to its seal, and what a return does to it."""

from dataclasses import replace
from typing import Any

import pytest

from domain.case.case import ByHand, Case
from domain.case.kinds import CaseKind
from domain.errors import InvariantBroken
from domain.kernel.change import Superseded
from domain.loan.change import Aggregates, Change
from domain.loan.closing import view_of
from domain.loan.decide.closing import close_out
from domain.loan.decide.work import Work
from domain.loanclosure.agenda import ClosureAction
from domain.loanclosure.lifecycle import ClosureState, LegState
from domain.loanclosure.rules import ClosingRules, LegKind
from domain.payment.portion import ShareFate, ShareItem, ShareMove
from domain.statement.statement import LineItem
from tests.support.closures import ALL, ONE, ClosingScene, closing, only
from tests.support.doors import NoteCase, RaiseClosure, RecordSealed, ResolveCase
from tests.support.memory import PRODUCT, board, schedule
from tests.support.payouts import pooled
from tests.support.scene import Scene

_K, _L, _S = LegKind, LegState, ClosureState
BY_HAND = only(_K.STOP_CHARGES, _K.STOP_COLLECTION)
"""Nothing that anybody else has to do."""


def events(scene: Scene) -> list[str]:
    """The events of the closure in the journal."""
    return [
        str(move.event) for move in scene.books.transitions if move.subject.kind == "loan_closure"
    ]


def test_the_last_release_begins_the_closure_in_the_same_commit() -> None:
    """Nothing lies between them: the driver is started by the message of that commit."""
    s = ClosingScene.boarded(product=closing(), lines=schedule(((10000, 100),) * 2))
    order = s.present()
    s.apply_outcome(order)
    s.credit(order, 10100)
    s.until(s.books.item(2).due_on)
    assert s.state == "CLOSED"
    assert s.books.loans["L1"].closing is None
    order = s.present(2)
    s.apply_outcome(order)
    s.credit(order, 10100)
    while s.books.item(2).state != "CLOSED":
        assert s.books.loans["L1"].closing is None
        s.until(s.today.replace(day=s.today.day + 1))
    assert s.stands == _S.RUNNING
    assert s.closure.version == 1
    opened = [one for one in s.books.messages if one.topic == "open"]
    assert opened[-1].payload.view.subject == s.closure.subject
    assert opened[-1].payload.view == replace(s.view_now, as_of=opened[-1].payload.view.as_of)


def test_a_product_that_says_nothing_has_no_closure() -> None:
    """Which legs are needed is never inferred, and no driver is started for nothing."""
    s = ClosingScene.boarded(lines=ONE)
    s.paid()
    assert s.state == "CLOSED"
    assert s.books.loans["L1"].closing is None
    with pytest.raises(InvariantBroken, match="does not say how it is closed"):
        _work(s).closure_facts("L1")


def _work(scene: Scene) -> Work:
    return Work(
        Aggregates(scene.books.at, scene.books.rules, loans=scene.books.loans),
        close_out=close_out,
    )


def test_legs_of_a_closure_are_those_of_its_product() -> None:
    """What the books do is done at once, and what the product does not name is not needed."""
    s = ClosingScene.released(only(_K.STOP_CHARGES, _K.STOP_COLLECTION, _K.TELL_BUREAU))
    states = {leg.kind: leg.state for leg in s.closure.legs}
    assert states == {
        _K.STOP_CHARGES: _L.DONE,
        _K.END_MANDATE: _L.NOT_NEEDED,
        _K.STOP_COLLECTION: _L.DONE,
        _K.RELEASE_GUARANTOR: _L.NOT_NEEDED,
        _K.TELL_BUREAU: _L.PENDING,
        _K.ISSUE_CERTIFICATE: _L.NOT_NEEDED,
        _K.TELL_BORROWER: _L.NOT_NEEDED,
    }
    assert s.leg(_K.STOP_CHARGES).proof == f"no charge after {s.closure.value_on}"
    assert s.view_now.missing == ("tell_bureau",)


def test_every_leg_done_closes_the_loan_and_a_signed_head_seals_it() -> None:
    """The order of the legs is free; the last of them completes the closure."""
    s = ClosingScene.released()
    s.finished()
    assert s.view_now.missing == ("release_guarantor",)
    s.order_leg("state_leg_done", _K.RELEASE_GUARANTOR, proof="letter of 20 March")
    assert s.stands == _S.UNSEALED
    assert s.closure.closed_at == s.books.at
    s.act()
    assert s.stands == _S.CLOSED
    assert s.closure.sealed_by == f"12 {'ab' * 32}"
    assert s.view_now.is_final
    assert s.view_now.next_action is None
    assert [leg.state for leg in s.closure.legs] == [_L.DONE] * 7
    assert events(s)[0] == "closure_started"
    assert events(s)[-2:] == ["closure_completed", "closure_sealed"]
    s.check()


def test_without_a_seal_the_loan_is_closed_at_once() -> None:
    """A product that asks for no seal waits for none."""
    s = ClosingScene.released(BY_HAND)
    assert s.stands == _S.CLOSED
    assert events(s) == ["closure_started", "closure_completed_unsealed"]


def test_the_value_date_is_the_one_of_the_last_money() -> None:
    """A loan that closes late is settled as of the day on which the money came."""
    s = ClosingScene.boarded(product=closing(BY_HAND), lines=ONE)
    s.until(s.books.item().due_on)
    day = s.today
    s.until(day.replace(day=day.day + 6))
    s.pay(10100, value_on=day, ref="T-1")
    s.credit("T-1", 10100)
    s.until(day.replace(day=day.day + 12))
    assert (s.closure.value_on, s.closure.state) == (day, _S.CLOSED)
    s.check()


def test_a_waived_loan_is_settled_on_its_last_due_date() -> None:
    """No money paid it: there is no value date of any."""
    s = ClosingScene.boarded(product=closing(BY_HAND), lines=ONE)
    s.until(s.books.item().due_on)
    s.waived()
    s.until(s.today.replace(day=s.today.day + 6))
    assert s.closure.value_on == s.books.item().due_on


@pytest.mark.parametrize(
    ("kind", "waits"), [(CaseKind.SURPLUS, True), (CaseKind.UNKNOWN_CODE, False)]
)
def test_a_case_that_keeps_the_loan_open_is_waited_for(kind: CaseKind, *, waits: bool) -> None:
    """Its end completes the closure in the same commit, though the loan itself does not change."""
    s = ClosingScene.boarded(product=closing(BY_HAND), lines=ONE)
    s.books.cases["C"] = Case("C", kind, "a case", loan_id="L1", currency="CNY")
    s.paid()
    assert s.stands == (_S.RUNNING if waits else _S.CLOSED)
    assert s.view_now.missing == (("case",) if waits else ())
    s.books.cases["C"] = replace(s.books.cases["C"], kind=CaseKind.LATE_SUCCESS)
    s.give(NoteCase, case="C", reason="looked at")
    s.give(ResolveCase, case="C", resolution=ByHand.CORRECTED, reason="done", approver="ops-9")
    assert s.stands == _S.CLOSED


def test_money_that_waits_keeps_the_loan_open() -> None:
    """What came too much lies in suspense until it is given back."""
    s = ClosingScene.boarded(product=closing(BY_HAND), lines=ONE)
    s.until(s.books.item().due_on)
    s.pay(10200, ref="T-1")
    s.credit("T-1", 10200)
    s.until(s.today.replace(day=s.today.day + 6))
    assert s.stands == _S.RUNNING
    assert set(s.view_now.missing) == {"suspense", "case"}


def test_a_return_revokes_the_closure_and_tells_whoever_was_told() -> None:
    """Certificate, bureau, guarantor and borrower learn it; then the loan may be settled anew."""
    s = ClosingScene.released()
    order = s.books.item().attempts[-1].order_no
    s.finished()
    s.order_leg("state_leg_done", _K.RELEASE_GUARANTOR, proof="letter of 20 March")
    s.act()
    code = s.view_now.detail.certificate
    s.returned(order, 10100)
    assert s.stands == _S.REVOKING
    assert (s.closure.generation, s.closure.revoked) == (2, 1)
    assert s.view_now.detail.certificate == ""
    assert s.closure.certificates[0].revoked_at == s.books.at
    legs = {leg.kind: leg.state for leg in s.closure.legs}
    assert legs == {
        _K.RECALL_GUARANTOR: _L.PENDING,
        _K.CORRECT_BUREAU: _L.PENDING,
        _K.REVOKE_CERTIFICATE: _L.DONE,
        _K.TELL_REVOKED: _L.PENDING,
    }
    assert s.leg(_K.REVOKE_CERTIFICATE).proof == f"certificate {code} revoked"
    s.finished()
    s.order_leg("state_leg_done", _K.RECALL_GUARANTOR, proof="letter of 2 April")
    assert s.stands == _S.REVOKED
    assert s.view_now.is_final
    s.return_line(order, 10100)
    s.pay(10100, ref="T-2")
    s.credit("T-2", 10100)
    s.until(s.today.replace(day=s.today.day + 5))
    assert s.stands == _S.RUNNING
    assert s.closure.generation == 3
    s.finished()
    s.order_leg("state_leg_done", _K.RELEASE_GUARANTOR, proof="letter of 9 April")
    s.act()
    assert s.stands == _S.CLOSED
    assert [one.revoked_at is None for one in s.closure.certificates] == [False, True]
    s.check()


def test_a_return_before_anybody_was_told_is_told_to_nobody() -> None:
    """The closure is revoked at once, and begins anew once the loan is paid again."""
    s = ClosingScene.released()
    s.returned(s.books.item().attempts[-1].order_no, 10100)
    assert s.stands == _S.REVOKED
    assert s.closure.legs == ()
    assert s.closure.generation == 1


def test_a_loan_paid_again_while_it_is_revoked_waits_for_that() -> None:
    """Who was told that it is settled learns first that it was not: news never cross."""
    s = ClosingScene.released(only(_K.TELL_BUREAU))
    s.done(_K.TELL_BUREAU)
    assert s.stands == _S.CLOSED
    order = s.books.item().attempts[-1].order_no
    s.returned(order, 10100)
    s.return_line(order, 10100)
    s.pay(10100, ref="T-2")
    s.credit("T-2", 10100)
    s.until(s.today.replace(day=s.today.day + 5))
    assert s.stands == _S.REVOKING
    s.done(_K.CORRECT_BUREAU)
    assert s.stands == _S.RUNNING
    assert (s.closure.generation, s.leg(_K.TELL_BUREAU).state) == (3, _L.PENDING)
    names = events(s)
    assert names[-2:] == ["closure_consequences_done", "closure_restarted"]


def test_a_certificate_signed_while_the_closure_is_revoked_is_revoked_as_well() -> None:
    """It left our hands, so it is kept, and it verifies as revoked."""
    s = ClosingScene.released(only(_K.ISSUE_CERTIFICATE))
    s.ask(_K.ISSUE_CERTIFICATE)
    s.returned(s.books.item().attempts[-1].order_no, 10100)
    assert s.stands == _S.REVOKED
    assert s.closure.legs == ()
    s.certified(generation=1)
    assert s.closure.certificate is None
    assert len(s.closure.certificates) == 1
    s.certified(generation=1)
    assert len(s.closure.certificates) == 1


def test_boarding_a_loan_that_was_closed_elsewhere_begins_nothing() -> None:
    """Only what we release is closed here."""
    s = Scene.boarded(product=closing(), lines=ONE)
    s.books.apply(board("L2", closing(), ONE))
    assert all(loan.closing is None for loan in s.books.loans.values())


def test_a_person_is_asked_once_and_the_seal_answers() -> None:
    """What the driver asked is shown until somebody, or the seal, has answered."""
    s = ClosingScene.released(only(_K.STOP_CHARGES, seals=True))
    assert s.stands == _S.UNSEALED
    s.give(RaiseClosure, loan_id="L1", reason="SEAL seal changes nothing")
    s.give(RaiseClosure, loan_id="L1", reason="another")
    assert s.view_now.needs_operator == "SEAL seal changes nothing"
    action = s.view_now.next_action
    assert action is not None
    assert action.kind == ClosureAction.SEAL
    s.act()
    assert s.view_now.needs_operator == ""


def test_an_action_that_is_no_longer_next_is_superseded() -> None:
    """One of another generation, with another key, or too early changes nothing."""
    s = ClosingScene.released(only(_K.STOP_CHARGES, seals=True))
    for more in ({"action": "seal", "generation": 9}, {"action": "request/x/0/0"}):
        given: dict[str, Any] = {"size": 1, "root": "ab", "loan_id": "L1", **more}
        change = s.give(RecordSealed, **given)
        assert isinstance(change, Change)
        assert isinstance(change.answer, Superseded)
    s.act()
    change = s.give(RecordSealed, loan_id="L1", action="seal", size=1, root="ab")
    assert isinstance(change, Change)
    assert isinstance(change.answer, Superseded)


def test_a_driver_that_asks_for_a_person_without_a_reason_is_heard() -> None:
    """The text says at least that it cannot go on."""
    s = ClosingScene.released(only(_K.STOP_CHARGES, seals=True))
    s.give(RaiseClosure, loan_id="L1", reason="")
    assert s.view_now.needs_operator == "the driver needs a person"


def test_rules_without_legs_close_a_loan_with_its_balances() -> None:
    """The payees and the balances of the loan are waited for even where nobody is told."""
    s = ClosingScene.released(ClosingRules())
    assert s.stands == _S.CLOSED
    assert {leg.state for leg in s.closure.legs} == {_L.NOT_NEEDED}
    assert ALL.seals
    assert PRODUCT.closing is None


@pytest.mark.parametrize(
    ("code", "portion"),
    [("advance", {"advance_minor": 5}), ("suspense", {"waiting_minor": 5})],
)
def test_money_of_the_loan_that_lies_about_keeps_it_open(
    code: str, portion: dict[str, int]
) -> None:
    """What was paid ahead, or waits, belongs to somebody."""
    s = ClosingScene.released(only(_K.TELL_BUREAU))
    loan = s.books.loans["L1"]
    changed = tuple(replace(one, **portion) for one in loan.portions)  # type: ignore[arg-type]
    s.books.loans["L1"] = replace(loan, portions=changed)
    assert s.view_now.missing == ("tell_bureau", code)


def test_a_loan_without_a_closure_has_no_view_of_one() -> None:
    """Neither before its last release, nor where the product says nothing."""
    s = ClosingScene.boarded(product=closing(), lines=ONE)
    assert view_of(s.books.loans["L1"], {}, s.books.at) is None


def test_an_unclosed_share_keeps_the_loan_open() -> None:
    """A payee that is not proven to have its share, or owes one, is waited for."""
    s = ClosingScene.boarded(product=closing(BY_HAND, pooled()), lines=ONE)
    order = s.present()
    s.apply_outcome(order)
    s.line(LineItem(order, None, None, 10100), account="ACCT-K")
    s.until(s.today.replace(day=s.today.day + 5))
    assert s.state == "RELEASED"
    assert s.view_now.missing == ("installments",)
    loan = s.books.loans["L1"]
    portion = loan.portions[0]
    share = ShareItem(1, "principal", "funder-1", "bank/ACCT-K")
    moved = replace(portion, moves=(ShareMove(ShareFate.TAKEN_BACK, "", share, 5),))
    s.books.loans["L1"] = replace(loan, portions=(moved,))
    assert s.view_now.missing == ("installments", "receivable")


def test_a_certificate_that_nobody_signed_is_not_revoked() -> None:
    """The leg was asked for, and no signature came: there is nothing to take back."""
    s = ClosingScene.released(only(_K.ISSUE_CERTIFICATE, _K.TELL_BUREAU))
    s.ask(_K.ISSUE_CERTIFICATE)
    s.ask(_K.TELL_BUREAU)
    s.returned(s.books.item().attempts[-1].order_no, 10100)
    assert [leg.kind for leg in s.closure.legs] == [_K.CORRECT_BUREAU]


def test_what_ends_at_once_starts_no_driver() -> None:
    """Nothing is left to do: a driver would only end. Once it is revoked it has one."""
    s = ClosingScene.released(BY_HAND)
    kinds = [one.payload.view.subject.kind for one in s.books.messages if one.topic == "open"]
    assert "loan_closure" not in kinds
    told = ClosingScene.released(only(_K.TELL_BUREAU))
    told.done(_K.TELL_BUREAU)
    told.returned(told.books.item().attempts[-1].order_no, 10100)
    opened = [one.payload.view for one in told.books.messages if one.topic == "open"]
    mine = [(one.subject.kind, one.generation) for one in opened]
    assert [one for one in mine if one[0] == "loan_closure"] == [
        ("loan_closure", 1),
        ("loan_closure", 2),
    ]
