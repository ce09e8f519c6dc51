"""Dead letters: a case for each, orders about them, and what becomes of an unsent reminder."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.case.case import Resolution
from domain.case.deadletter import letter_key, message_of
from domain.case.lifecycle import CaseState
from domain.case.notice import CASE_NOTICE, CaseNotice
from domain.kernel.change import LetterFate, Refusal
from domain.kernel.command import Actor, Scope
from domain.kernel.message import About, BackOff, Letter, MessageState
from domain.loan.aggregate import NoticeState
from domain.loan.change import Change
from domain.loan.notice import NOTICE
from domain.registry import TOPICS
from tests.support.doors import (
    DropMessage,
    QueueReminder,
    RecordDeadLetter,
    RecordRedelivery,
    ResolveCase,
    RetryMessage,
)
from tests.support.scene import DRIVER, Scene

KEY = letter_key(7)
ANN = Actor("operator", "ann")


def dead(s: Scene, death: int = 1, **values: Any) -> Change:
    given = {
        "message": 7, "death": death, "topic": "wake", "error": "RPCError", "tries": 250,
        "meaning": "a driver was not told",
    }  # fmt: skip
    s.books.letters[7] = Letter(MessageState.DEAD, has_died=True)
    change = s.give(RecordDeadLetter, **{**given, **values})
    assert isinstance(change, Change)
    return change


def order(s: Scene, kind: type, case: str = KEY, **values: Any) -> Change | Refusal:
    return s.give(kind, case=case, actor=ANN, **{"reason": "mended", **values})


def test_waits_between_tries_double_to_a_limit_and_are_spread() -> None:
    """Half of each wait is fixed, the other half is drawn; after the last try there is none."""
    back_off = BackOff(timedelta(seconds=1), timedelta(seconds=60), tries=9)
    assert [back_off.wait(n, 1.0) for n in (1, 2, 3)] == [timedelta(seconds=n) for n in (1, 2, 4)]
    assert back_off.wait(3, 0.0) == timedelta(seconds=2)
    assert back_off.wait(10_000, 1.0) == timedelta(seconds=60)
    assert (back_off.is_last(8), back_off.is_last(9)) == (False, True)


def test_every_topic_says_how_long_it_is_tried_and_what_a_dead_letter_means() -> None:
    """Each goes on for hours and not for ever; each tells people what was lost."""
    assert set(TOPICS) == {"open", "wake", "notice", "case_notice"}
    for name, topic in TOPICS.items():
        waits = [topic.back_off.wait(n, 0.5) for n in range(1, topic.back_off.tries)]
        whole = sum(waits, timedelta())
        assert timedelta(hours=6) < whole < timedelta(days=3)
        assert (topic.name, len(topic.when_dead) > 40) == (name, True)


def test_messages_say_what_they_are_about() -> None:
    """A view is about its loan, a reminder about its installment, one to a team about no loan."""
    s = Scene.boarded()
    opened = s.books.messages[0]
    assert TOPICS[opened.topic].about(opened.payload) == About("L1", 1)
    s.books.at = datetime(2026, 3, 7, 2, tzinfo=UTC)
    s.give(QueueReminder, actor=DRIVER, loan_id="L1", number=1, action="remind/0/0")
    [sent] = [message for message in s.books.messages if message.topic == "notice"]
    assert NOTICE.about(sent.payload) == About("L1", 1, sent.payload.message_id)
    told = CASE_NOTICE.message("case_notice/1", CaseNotice("case/1", "operations", {"case": KEY}))
    assert TOPICS[told.topic].about(told.payload) == About()


def test_a_dead_letter_is_a_case_that_ends_with_its_delivery() -> None:
    """About the loan of the message; it shuts no gate, and only evidence or `drop` ends it."""
    s = Scene.boarded()
    dead(s, loan_id="L1", number=1)
    case = s.books.cases[KEY]
    assert (case.kind, case.loan_id, case.number) == ("dead_letter", "L1", 1)
    assert "250 tries, RPCError: a driver was not told" in case.text
    refused = order(s, ResolveCase, resolution=Resolution.ACCEPTED)
    assert isinstance(refused, Refusal)
    assert refused.rule == "case.evidence"
    s.give(RecordRedelivery, message=7)
    assert s.books.resolved[KEY].resolution is Resolution.CLEARED
    dead(s, 2, loan_id="L1", number=1)
    assert s.books.cases[KEY].generation == 2


@pytest.mark.parametrize("loan_id", ["", "L9"])
def test_a_dead_letter_about_no_known_loan_has_a_case_as_well(loan_id: str) -> None:
    """Such as one that cannot be read at all."""
    s = Scene.boarded()
    dead(s, loan_id=loan_id)
    assert (s.books.cases[KEY].loan_id, s.books.cases[KEY].number) == (None, None)


def test_a_dead_letter_is_tried_again_by_order_and_may_die_again() -> None:
    """The case stays until it is delivered; that it failed anew is in its story."""
    s = Scene.boarded()
    dead(s)
    change = order(s, RetryMessage)
    assert isinstance(change, Change)
    assert change.letters == {7: LetterFate.RETRIED}
    first = s.books.cases[KEY].acted_at
    assert first is not None
    change = dead(s, 2, error="Conflict")
    assert [move.event for move in change.transitions] == ["case_amended"]
    assert "Conflict" in s.books.cases[KEY].text
    s.books.at += timedelta(hours=1)
    assert isinstance(order(s, RetryMessage), Change)
    assert (s.books.cases[KEY].state, s.books.cases[KEY].acted_at) == (CaseState.OPEN, first)


def test_a_dropped_dead_letter_is_at_an_end() -> None:
    """Its case is resolved in the name of who ordered it; no further order is taken."""
    s = Scene.boarded()
    dead(s)
    change = order(s, DropMessage)
    assert isinstance(change, Change)
    assert change.letters == {7: LetterFate.DROPPED}
    assert s.books.resolved[KEY].resolution is Resolution.ACCEPTED
    again = order(s, RetryMessage)
    assert isinstance(again, Refusal)
    assert again.rule == "message.ended"


@pytest.mark.parametrize("kind", [RetryMessage, DropMessage])
def test_orders_are_taken_of_a_dead_letter_that_has_no_case_yet(kind: type) -> None:
    """Of very many each gets its case in turn; nobody has to wait for that."""
    s = Scene.boarded()
    s.books.letters[7] = Letter(MessageState.DEAD, has_died=True)
    change = order(s, kind)
    assert isinstance(change, Change)
    assert list(change.letters) == [7]
    assert KEY not in s.books.cases


@pytest.mark.parametrize("kind", [RetryMessage, DropMessage])
@pytest.mark.parametrize(
    ("letter", "rule", "why"),
    [
        (None, "message.unknown", "message 7 is not in the outbox"),
        (Letter(MessageState.WAITING, has_died=False), "message.waiting", "message 7 is waiting"),
        (Letter(MessageState.DELIVERED, has_died=False), "message.ended", "message 7 was deliv"),
        (Letter(MessageState.DELIVERED, has_died=True), "message.ended", "message 7 was deliv"),
        (Letter(MessageState.DROPPED, has_died=True), "message.ended", "message 7 was dropped"),
    ],
)
def test_an_order_about_a_message_that_is_no_dead_letter_is_refused(
    kind: type, letter: Letter | None, rule: str, why: str
) -> None:
    """The refusal names the message, how far it has come, and the rule."""
    s = Scene.boarded()
    if letter is not None:
        s.books.letters[7] = letter
    refused = order(s, kind)
    assert isinstance(refused, Refusal)
    assert (refused.rule, refused.reason[: len(why)]) == (rule, why)


def test_a_message_that_is_being_tried_again_can_be_dropped_and_not_retried() -> None:
    """Its tries have begun anew already; its case is open, and ends with the drop."""
    s = Scene.boarded()
    dead(s)
    order(s, RetryMessage)
    again = order(s, RetryMessage)
    assert isinstance(again, Refusal)
    assert again.rule == "message.waiting"
    change = order(s, DropMessage)
    assert isinstance(change, Change)
    assert change.letters == {7: LetterFate.DROPPED}
    assert KEY not in s.books.cases


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"case": "operator/L1/1"}, "message.unknown"),
        ({"approver": " ANN "}, "order.approver"),
        ({"reason": " "}, "order.reason"),
    ],
)
def test_orders_about_dead_letters_are_refused_by_name(values: dict[str, Any], rule: str) -> None:
    """One about something else, one that its giver approves, and one without a reason."""
    refused = order(Scene.boarded(), DropMessage, **values)
    assert isinstance(refused, Refusal)
    assert refused.rule == rule


def test_the_key_of_a_case_names_the_message() -> None:
    """And no other case's key does."""
    assert message_of(letter_key(12)) == 12
    assert [message_of(key) for key in ("outbox/x", "outbox/", "line/12")] == [None] * 3
    assert [message_of(key) for key in ("outbox/01", f"outbox/{10**19}")] == [None] * 2


def test_commands_about_dead_letters_name_what_they_touch() -> None:
    """The case, and the loan and reminder where the message is about one."""
    given: Any = {"id": "d", "actor": ANN, "message": 7}
    died: Any = {**given, "death": 1, "topic": "wake", "error": "", "tries": 1, "meaning": ""}
    assert RecordDeadLetter(**died).scope() == Scope(cases=(KEY,))
    about = RecordDeadLetter(**died, loan_id="L1", number=1, notice="N")
    assert about.scope() == Scope(loans=("L1",), messages=("N",), cases=(KEY,))
    assert RecordRedelivery(**given).scope() == Scope(cases=(KEY,))
    given = {"id": "d", "actor": ANN, "reason": "mended"}
    assert DropMessage(**given, case=KEY).scope() == Scope(cases=(KEY,), letters=(7,))
    assert RetryMessage(**given, case="line/12").scope() == Scope(cases=("line/12",))


def test_a_reminder_that_could_not_be_sent_counts_as_failed() -> None:
    """The next channel of the plan follows; one that is known to have arrived stays so."""
    s = Scene.boarded()
    s.books.at = datetime(2026, 3, 7, 2, tzinfo=UTC)
    s.give(QueueReminder, actor=DRIVER, loan_id="L1", number=1, action="remind/0/0")
    [notice] = s.books.item().notices
    dead(s, topic="notice", loan_id="L1", number=1, notice=notice.message_id)
    assert s.books.item().notices[0].state is NoticeState.FAILED
    item = s.books.item()
    arrived = (replace(item.notices[0], state=NoticeState.DELIVERED),)
    loan = s.books.loans["L1"]
    items = (replace(item, notices=arrived), *loan.installments[1:])
    s.books.loans["L1"] = replace(loan, installments=items)
    dead(s, 2, topic="notice", loan_id="L1", number=1, notice=notice.message_id)
    assert s.books.item().notices[0].state is NoticeState.DELIVERED


def test_a_reminder_that_the_books_do_not_know_changes_nothing_but_its_case() -> None:
    """Its row is older than the books, or of others."""
    s = Scene.boarded()
    change = dead(s, topic="notice", notice="N-unknown")
    assert (list(change.loans), list(change.cases)) == ([], [KEY])
