"""One leg of a closure: asked for, asked about, refused, late, done; orders of people about it."""

from datetime import timedelta
from typing import Any

import pytest

from domain.case.codes import CASE_CODES
from domain.case.kinds import CaseKind
from domain.errors import IllegalTransition
from domain.kernel.change import Done, Refusal
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change
from domain.loan.closingnotice import bar
from domain.loan.notice import NOTICE
from domain.loanclosure.agenda import WAITS, ClosureAction
from domain.loanclosure.closure import LegOrdered
from domain.loanclosure.lifecycle import (
    LEG_MOVES,
    LEG_OVER,
    ClosureEvent,
    ClosureState,
    LegState,
    advance,
)
from domain.loanclosure.rules import LegKind
from tests.support.closures import ALL, ONE, ClosingScene, closing, only
from tests.support.doors import (
    Hold,
    HoldClosure,
    LegNews,
    LegStatus,
    RecordDeliveryReport,
    RecordLegNews,
    ResumeClosure,
    RetryLeg,
    WaiveLeg,
)
from tests.support.memory import later

_K, _L, _S = LegKind, LegState, ClosureState
BUREAU = _K.TELL_BUREAU


def scene(*kinds: LegKind) -> ClosingScene:
    """A released loan whose closure needs some legs."""
    return ClosingScene.released(only(*(kinds or (BUREAU,))))


def waits(s: ClosingScene) -> tuple[str, timedelta]:
    """Which action comes next, and how long after now."""
    action = s.view_now.next_action
    assert action is not None
    return action.kind, action.not_before - s.books.at


def test_a_request_has_one_reference_as_long_as_it_is_out() -> None:
    """Whoever gets it twice knows it; after a rejection it is another request."""
    s = scene()
    change = s.act()
    assert isinstance(change.answer, LegOrdered)
    first = s.leg(BUREAU).reference
    assert change.answer == LegOrdered(BUREAU, first)
    assert first.startswith("LC")
    assert len(first) == 24
    assert s.act().answer == LegOrdered(BUREAU, first)
    s.news(first, LegStatus.REJECTED, code="B01", may_retry=True)
    second = s.act().answer
    assert isinstance(second, LegOrdered)
    assert second.reference not in {"", first}


def test_it_is_asked_about_at_growing_intervals_and_late_once() -> None:
    """The last interval repeats; its deadline opens one case, and asking goes on."""
    s = scene()
    s.act()
    for expected in WAITS:
        assert waits(s) == (ClosureAction.ASK, expected)
        s.act()
    assert waits(s)[0] == ClosureAction.LATE
    s.act()
    assert s.leg_state(BUREAU) == _L.OVERDUE
    case = s.books.cases[f"closure_overdue/L1/{BUREAU}"]
    assert (case.kind, case.code, case.owner) == (
        CaseKind.CLOSURE_OVERDUE,
        "tell_bureau",
        "operations",
    )
    assert waits(s)[0] == ClosureAction.ASK
    s.act()
    assert waits(s) == (ClosureAction.ASK, WAITS[-1])
    s.news(s.leg(BUREAU).reference, LegStatus.ACKNOWLEDGED)
    assert s.leg_state(BUREAU) == _L.OVERDUE
    s.news(s.leg(BUREAU).reference, LegStatus.DONE, proof="receipt 9")
    assert case.key not in s.books.cases
    assert s.stands == _S.CLOSED
    s.check()


def test_news_of_another_request_or_without_content_changes_nothing() -> None:
    """Only the last request counts, and what cannot be read says nothing."""
    s = scene()
    change = s.news("LC-STRANGE", LegStatus.DONE)
    assert change.answer == Done(note="not its last request")
    reference = s.ask(BUREAU)
    s.news(reference, LegStatus.UNKNOWN)
    assert s.leg_state(BUREAU) == _L.REQUESTED
    s.news(reference, LegStatus.ACKNOWLEDGED)
    version = s.closure.version
    s.news(reference, LegStatus.ACKNOWLEDGED)
    assert (s.leg(BUREAU).state, s.closure.version) == (_L.ACKNOWLEDGED, version)
    s.news(reference, LegStatus.DONE, proof="receipt 1")
    s.news(reference, LegStatus.REJECTED, code="LATE")
    assert s.leg_state(BUREAU) == _L.DONE
    assert s.leg(BUREAU).proof == "receipt 1"


def test_news_about_a_loan_that_is_not_closed_are_kept_as_seen() -> None:
    """Evidence is never refused, and an order about nothing is."""
    s = ClosingScene.boarded()
    news = LegNews(LegStatus.DONE)
    change = s.give(RecordLegNews, loan_id="L1", reference="LC", news=news)
    assert isinstance(change, Change)
    assert change.answer == Done(note="the loan is not being closed")
    refused = s.order_leg("waive_leg", BUREAU)
    assert isinstance(refused, Refusal)
    assert refused.rule == "closure.unknown"
    gone = s.give(RecordLegNews, loan_id="L-none", reference="LC", news=news)
    assert isinstance(gone, Change)


def test_a_rejection_is_a_case_and_a_machine_asks_again_only_where_it_may() -> None:
    """A reason that can pass is asked again after an hour, as often as the product says."""
    s = scene()
    s.news(s.ask(BUREAU), LegStatus.REJECTED, code="B01", may_retry=True)
    key = f"closure_rejected/L1/{BUREAU}"
    assert s.books.cases[key].text == "tell_bureau of loan L1 is refused: B01"
    assert s.view_now.detail.rejected == {"tell_bureau": "B01"}
    assert s.view_now.labels.code == "B01"
    assert waits(s) == (ClosureAction.REQUEST, timedelta(hours=1))
    s.act()
    assert s.leg(BUREAU).tries == 2
    assert key not in s.books.cases
    s.news(s.leg(BUREAU).reference, LegStatus.REJECTED, code="B01", may_retry=True)
    assert s.view_now.next_action is None
    assert isinstance(s.order_leg("retry_leg", BUREAU), Change)
    s.act()
    s.news(s.leg(BUREAU).reference, LegStatus.REJECTED, code="B99")
    assert s.view_now.next_action is None
    assert key in s.books.cases


def test_a_mandate_that_others_need_is_not_ended() -> None:
    """The leg proves to have no object."""
    s = scene(_K.END_MANDATE)
    action = s.view_now.next_action
    assert action is not None
    assert action.kind == ClosureAction.END_MANDATE
    s.act()
    assert waits(s) == (ClosureAction.ASK_RAIL, WAITS[0])
    why = "3 loans are under it"
    s.news(s.leg(_K.END_MANDATE).reference, LegStatus.NOT_NEEDED, proof=why)
    assert (s.leg(_K.END_MANDATE).state, s.leg(_K.END_MANDATE).proof) == (_L.NOT_NEEDED, why)
    assert s.stands == _S.CLOSED


def test_a_certificate_is_signed_anew_where_no_signature_came() -> None:
    """Signing is asked for again; a second signature for one generation changes nothing."""
    s = scene(_K.ISSUE_CERTIFICATE)
    s.act()
    assert waits(s) == (ClosureAction.ISSUE, WAITS[0])
    s.act()
    s.certified()
    assert s.closure.certificate is not None
    assert s.view_now.detail.certificate == s.closure.certificate.code
    change = s.certified()
    assert change.answer == Done(note="it has a certificate")
    assert len(s.closure.certificates) == 1


def test_the_borrower_is_told_once_the_certificate_is_there_in_the_hours_allowed() -> None:
    """The message names its code; it leaves in no hour of quiet."""
    s = ClosingScene.released(only(_K.ISSUE_CERTIFICATE, _K.TELL_BORROWER))
    s.ask(_K.ISSUE_CERTIFICATE)
    assert s.leg(_K.TELL_BORROWER).due_at is None
    action = s.view_now.next_action
    assert action is not None
    assert action.kind == ClosureAction.ISSUE
    s.certified()
    action = s.view_now.next_action
    assert action is not None
    assert action.kind == ClosureAction.TELL
    assert action.not_before.hour == 0  # 08:00 in Shanghai: the release was at one in the morning
    s.act()
    sent = [one for one in s.books.messages if one.topic == NOTICE.name][-1].payload
    certificate = s.closure.certificate
    assert certificate is not None
    assert (sent.template, sent.channel) == ("closed", "sms")
    assert sent.values["certificate"] == certificate.code
    assert sent.values["closed_on"] == s.closure.value_on.isoformat()
    assert sent.message_id == s.leg(_K.TELL_BORROWER).reference
    assert bar(s.books.loans["L1"], sent.message_id) == ""
    s.told(_K.TELL_BORROWER)
    assert s.leg(_K.TELL_BORROWER).proof == "delivered over sms"
    assert s.stands == _S.CLOSED
    s.check()


def test_a_message_missed_by_night_leaves_the_next_morning() -> None:
    """A driver that comes back at night waits for the hours in which it may tell."""
    s = scene(_K.TELL_BORROWER)
    first = s.view_now.next_action
    assert first is not None
    later(s.books, first.not_before + timedelta(hours=14))  # 22:00
    action = s.view_now.next_action
    assert action is not None
    assert action.not_before == first.not_before + timedelta(days=1)
    later(s.books, action.not_before + timedelta(hours=1))
    again = s.view_now.next_action
    assert again is not None
    assert again.not_before < s.books.at


@pytest.mark.parametrize("said", [True, False], ids=["failed", "unanswered"])
def test_the_next_channel_follows_one_that_fails_or_says_nothing(*, said: bool) -> None:
    """After the last one a person tells the borrower otherwise."""
    s = scene(_K.TELL_BORROWER)
    leg = _K.TELL_BORROWER
    s.act()
    if said:
        s.told(leg, delivered=False)
    else:
        s.act_until(ClosureAction.LATE, leg)
    assert s.leg_state(leg) == _L.PENDING
    s.act()
    sent = [one for one in s.books.messages if one.topic == NOTICE.name][-1].payload
    assert sent.channel == "email"
    if said:
        s.told(leg, delivered=False)
        assert (s.leg(leg).state, s.leg(leg).code) == (_L.REJECTED, "not_delivered")
    else:
        s.act_until(ClosureAction.LATE, leg)
        assert s.leg_state(leg) == _L.OVERDUE
    assert s.view_now.next_action is None
    s.told(leg)
    assert s.leg_state(leg) == _L.DONE
    s.told(leg)
    assert s.leg_state(leg) == _L.DONE


def test_reports_of_other_messages_concern_no_leg() -> None:
    """A reminder that arrives after all, before and after the release, moves nothing of it."""
    s = ClosingScene.boarded(product=closing(only(_K.TELL_BORROWER)), lines=ONE)
    s.action()
    reminder = s.books.item().notices[0].message_id
    s.give(RecordDeliveryReport, message_id=reminder, channel="", delivered=False)
    s.paid()
    version = s.closure.version
    s.give(RecordDeliveryReport, message_id=reminder, channel="", delivered=True)
    assert s.closure.version == version


def test_a_late_failure_of_a_message_that_was_given_up_changes_nothing() -> None:
    """A leg that is overdue stays so until somebody knows more."""
    s = scene(_K.TELL_BORROWER)
    leg = _K.TELL_BORROWER
    s.act()
    s.told(leg, delivered=False)
    s.act()
    s.act_until(ClosureAction.LATE, leg)
    s.told(leg, delivered=False)
    assert s.leg_state(leg) == _L.OVERDUE


def test_a_hold_of_contact_keeps_the_borrower_untold() -> None:
    """The message does not leave: a person decides, once its time has passed."""
    s = ClosingScene.boarded(product=closing(only(_K.TELL_BORROWER)), lines=ONE)
    assert bar(s.books.loans["L1"], "N-1") == "the closure of the loan has moved on"
    s.order(Hold, what=HoldKind.CONTACT)
    s.paid()
    assert bar(s.books.loans["L1"], "N-1") == "on hold (contact)"
    assert waits(s)[0] == ClosureAction.LATE
    s.act()
    assert s.leg_state(_K.TELL_BORROWER) == _L.OVERDUE
    assert not [one for one in s.books.messages if one.topic == NOTICE.name and one.payload.template
                == "closed"]  # fmt: skip
    s.order_leg("waive_leg", _K.TELL_BORROWER)
    assert s.stands == _S.CLOSED


def test_a_leg_by_hand_has_a_deadline_and_is_stated_by_two() -> None:
    """Nobody is asked; a person says what proves it, and a second one agrees."""
    s = scene(_K.RELEASE_GUARANTOR)
    assert waits(s)[0] == ClosureAction.LATE
    s.act()
    assert s.leg_state(_K.RELEASE_GUARANTOR) == _L.OVERDUE
    given: dict[str, Any] = {"leg": _K.RELEASE_GUARANTOR, "proof": "letter 7"}
    alone = s.order_leg("state_leg_done", approver=None, **given)
    assert isinstance(alone, Refusal)
    assert alone.rule == "order.approver"
    s.order_leg("state_leg_done", **given)
    assert s.leg(_K.RELEASE_GUARANTOR).proof == "by hand: letter 7"
    assert s.stands == _S.CLOSED


def test_orders_about_legs_are_refused_where_the_table_has_no_move() -> None:
    """What is done is not waived, what is not asked for is not retried, each with its rule."""
    s = scene()
    refused = [
        s.order_leg("retry_leg", BUREAU),
        s.order_leg("waive_leg", _K.STOP_CHARGES),
        s.order_leg("waive_leg", _K.CORRECT_BUREAU),
        s.order_leg("waive_leg", BUREAU, approver=None),
        s.order_leg("waive_leg", BUREAU, reason=" "),
    ]
    rules = [one.rule for one in refused if isinstance(one, Refusal)]
    assert rules == ["closure.leg"] * 3 + ["order.approver", "order.reason"]
    assert "no part of it" in refused[2].reason  # type: ignore[union-attr]
    change = s.order_leg("waive_leg", BUREAU, reason="the bureau has closed")
    assert isinstance(change, Change)
    assert s.leg(BUREAU).proof == "waived: the bureau has closed"
    assert s.stands == _S.CLOSED


def test_a_held_closure_takes_in_news_and_does_nothing_itself() -> None:
    """A person stops its actions and lets it go on; twice is refused."""
    s = scene()
    reference = s.ask(BUREAU)
    assert isinstance(s.give(HoldClosure, loan_id="L1"), Change)
    assert s.view_now.next_action is None
    assert s.view_now.detail.is_held
    assert isinstance(s.give(HoldClosure, loan_id="L1"), Refusal)
    s.news(reference, LegStatus.ACKNOWLEDGED)
    assert s.leg_state(BUREAU) == _L.ACKNOWLEDGED
    assert isinstance(s.give(ResumeClosure, loan_id="L1"), Change)
    assert isinstance(s.give(ResumeClosure, loan_id="L1"), Refusal)
    s.news(reference, LegStatus.DONE)
    assert isinstance(s.give(HoldClosure, loan_id="L1"), Refusal)


def test_what_is_revoked_ends_the_cases_of_its_legs() -> None:
    """Nobody looks for what is not asked any more."""
    s = scene()
    s.news(s.ask(BUREAU), LegStatus.REJECTED, code="B99")
    assert s.books.cases
    s.returned(s.books.item().attempts[-1].order_no, 10100)
    assert s.stands == _S.REVOKED
    assert not [one for one in s.books.cases.values() if one.kind == CaseKind.CLOSURE_REJECTED]


def test_the_tables_of_a_leg_and_of_a_closure_are_whole() -> None:
    """Nothing leaves a state in which nothing is missing, and pairs that are not there are refused.

    The words of cases name every leg.
    """
    assert not {source for source, _ in LEG_MOVES} & LEG_OVER
    assert {*LEG_MOVES.values()} | {source for source, _ in LEG_MOVES} == set(LegState)
    with pytest.raises(IllegalTransition):
        advance(_S.CLOSED, ClosureEvent.SEALED)
    for kind in (CaseKind.CLOSURE_OVERDUE, CaseKind.CLOSURE_REJECTED):
        assert set(CASE_CODES[kind].words) == {leg.value for leg in LegKind}
    assert ALL.legs
    assert WaiveLeg.story
    assert RetryLeg.story
