"""Rules that open cases by themselves, and the messages that leave about cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.case.case import CASE, Case
from domain.case.kinds import CaseKind
from domain.case.lifecycle import CaseEvent
from domain.case.notice import level_of
from domain.case.policy import CasePolicy, ServiceLevel
from domain.case.threshold import (
    MEASURES,
    Figure,
    Measure,
    RecordFigure,
    Threshold,
    ThresholdAction,
    Waits,
    threshold_key,
    threshold_of,
)
from domain.kernel.message import Message
from domain.kernel.subject import Subject
from domain.loan.change import Change
from tests.support.doors import ActOnCase, RaiseOperator
from tests.support.memory import RULES, TESTER, MemoryBooks, board, later

RULE = Threshold("too-many", Waits.LINES, Measure.COUNT, 10)
KEY = "threshold/too-many"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def books_of(*rules: Threshold, **policy: Any) -> MemoryBooks:
    held = CasePolicy(thresholds={rule.name: rule for rule in rules}, **policy)
    return MemoryBooks(rules=replace(RULES, case_policy=held))


def look(books: MemoryBooks, value: int, name: str = "too-many") -> Case | None:
    """A sweep has counted; the case of the rule as it is then."""
    books.at += timedelta(minutes=5)
    command = RecordFigure(
        id=f"look/{name}/{books.at}", actor=TESTER, reason="swept", threshold=name, value=value
    )
    assert command.about() == Subject(CASE, f"threshold/{name}")
    assert command.scope().cases == (f"threshold/{name}",)
    assert isinstance(books.apply(command), Change)
    return books.cases.get(KEY) or books.resolved.get(KEY)


def test_a_broken_rule_is_a_case_as_long_as_it_is_broken() -> None:
    """Opened at the limit, once; ended below it with the reason; opened again at it."""
    books = books_of(RULE)
    assert look(books, 9) is None
    opened = look(books, 10)
    assert opened is not None
    assert (opened.is_open, opened.kind, opened.generation) == (True, CaseKind.THRESHOLD, 1)
    assert "lines: count 10, limit 10" in opened.text
    assert look(books, 12) == opened
    ended = look(books, 9)
    assert ended is not None
    assert (ended.is_open, ended.resolution) == (False, "cleared")
    assert "count 9, limit 10" in books.transitions[-1].detail
    again = look(books, 11)
    assert again is not None
    assert (again.is_open, again.generation) == (True, 2)


def test_the_case_of_a_rule_that_is_gone_ends() -> None:
    """Whatever the figure is: nobody asks for it any more."""
    books = books_of(RULE)
    look(books, 10)
    books.rules = replace(RULES, case_policy=CasePolicy())
    ended = look(books, 10)
    assert ended is not None
    assert not ended.is_open
    assert "no such rule any more" in books.transitions[-1].detail
    assert look(books, 10) == ended


@pytest.mark.parametrize(("chain", "owner"), [(("lead", "head"), "lead"), ((), "operations")])
def test_a_rule_may_hand_its_case_up_at_once(chain: tuple[str, ...], owner: str) -> None:
    """To the first of the chain, if there is one; the next deadline is that of the second."""
    rule = replace(RULE, action=ThresholdAction.ESCALATE)
    books = books_of(rule, usual=ServiceLevel(chain=chain))
    found = look(books, 10)
    assert found is not None
    assert (found.owner, found.escalation) == (owner, min(len(chain), 1))


def test_the_key_of_a_case_names_its_rule() -> None:
    """The name of a rule, whatever is in it, comes back from the key of its case."""
    assert [threshold_of(threshold_key(name)) for name in ("lines", "a/b")] == ["lines", "a/b"]
    assert threshold_key(RULE.name) == RULE.case


def test_an_amount_stands_with_its_currency() -> None:
    """A case and its text name the currency of their amount."""
    rule = replace(RULE, measure=Measure.AMOUNT, at_least=5_000, currency="CNY")
    found = look(books_of(rule), 12_345)
    assert found is not None
    assert (found.amount_minor, found.currency) == (12_345, "CNY")
    assert "123.45 CNY, limit 50.00 CNY" in found.text
    of_kind = Threshold("x", Waits.CASES, Measure.COUNT, 1, CaseKind.SURPLUS)
    assert of_kind.words(3) == "cases of kind surplus: count 3, limit 1"


def test_a_figure_is_measured_by_count_sum_and_whole_hours() -> None:
    """Nothing has no age, and what was noted ahead of the clock has none either."""
    figure = Figure(3, 700, NOON - timedelta(minutes=119))
    assert [figure.value(measure, NOON) for measure in Measure] == [3, 700, 1]
    assert Figure().value(Measure.AGE, NOON) == 0
    assert Figure(1, 0, NOON + timedelta(hours=2)).value(Measure.AGE, NOON) == 0
    assert set(MEASURES) == set(Waits)


# --- messages to the team ------------------------------------------------------------------------

ADDRESSES = {"operations": ("a@x.example",), "lead": ("b@x.example",), "head": ("c@x.example",)}


def told(books: MemoryBooks) -> list[Message]:
    return [message for message in books.messages if message.topic == "case_notice"]


def act(books: MemoryBooks, key: str) -> None:
    from domain.case import agenda  # noqa: PLC0415

    action = agenda.next_action(books.cases[key], books.rules.case_policy)
    assert action is not None
    later(books, action.not_before)
    command = ActOnCase(
        id=f"act/{books.at}",
        actor=TESTER,
        case=key,
        action=action.key,
        generation=books.cases[key].generation,
    )
    assert isinstance(books.apply(command), Change)


def test_a_team_is_notified_of_a_case_that_is_opened_late_and_handed_up() -> None:
    """Each once, to whom it is with then; the content says nothing of a person."""
    usual = ServiceLevel(chain=("lead", "head"))
    books = books_of(
        RULE, usual=usual, addresses=ADDRESSES, announced=frozenset({CaseKind.THRESHOLD})
    )
    look(books, 10)
    look(books, 11)
    for _ in range(3):
        act(books, KEY)
    assert [(m.payload.to, m.payload.message_id.split("/")[2:]) for m in told(books)] == [
        ("operations", ["1", "opened"]),
        ("operations", ["1", "late"]),
        ("lead", ["1", "escalated-1"]),
        ("head", ["1", "escalated-2"]),
    ]
    assert len({m.stream for m in told(books)}) == 4
    assert told(books)[1].payload.values == {
        "case": KEY,
        "kind": "threshold",
        "level": "late",
        "owner": "operations",
        "age_hours": "24",
        "amount_minor": "",
        "currency": "",
        "link": f"acquit case {KEY}",
    }


def test_a_case_that_comes_again_is_notified_again() -> None:
    """Under another id: it is another generation."""
    books = books_of(RULE, addresses=ADDRESSES, announced=frozenset({CaseKind.THRESHOLD}))
    for value in (10, 1, 10):
        look(books, value)
    ids = [m.payload.message_id for m in told(books)]
    assert len(ids) == len(set(ids)) == 2


def test_nobody_is_notified_where_no_address_is_or_the_kind_does_not_ask_for_it() -> None:
    """A case of a kind that is not announced is first notified when it is late."""
    books = books_of(RULE, addresses={"lead": ("b@x.example",)}, announced=frozenset(CaseKind))
    look(books, 10)
    act(books, KEY)
    assert told(books) == []
    books = books_of(addresses=ADDRESSES, announced=frozenset({CaseKind.SURPLUS}))
    books.apply(board())
    ask = RaiseOperator(id="ask", actor=TESTER, reason="cannot", loan_id="L1", number=1)
    books.apply(ask)
    assert told(books) == []
    act(books, "operator/L1/1")
    [message] = told(books)
    assert message.payload.values["level"] == "late"


def test_nobody_is_notified_over_the_outbox_of_what_the_outbox_could_not_deliver() -> None:
    """A message about a dead letter could die as well, and so on without an end."""
    policy = CasePolicy(addresses=ADDRESSES, announced=frozenset(CaseKind))
    dead = Case("outbox/7", CaseKind.DEAD_LETTER, "not delivered", owner="operations")
    other = replace(dead, kind=CaseKind.SURPLUS)
    for event in (CaseEvent.OPENED, CaseEvent.REMINDED, CaseEvent.ESCALATED):
        assert level_of(dead, event, policy) == ""
        assert level_of(other, event, policy) != ""


@pytest.mark.parametrize("action", sorted(ThresholdAction))
def test_a_rule_may_notify_its_owner_at_once(action: ThresholdAction) -> None:
    """A message over the outbox when its case is opened, and again when it comes again."""
    rule = replace(RULE, action=action)
    books = books_of(rule, addresses={"operations": ("ops@lender.example",)})
    for value in (10, 3, 12):
        look(books, value)
    told = [one for one in books.messages if one.topic == "case_notice"]
    levels = [one.payload.values["level"] for one in told]
    assert levels == (["opened", "opened"] if action is ThresholdAction.NOTIFY else [])
    assert len({one.payload.message_id for one in told}) == len(told)


def test_a_case_of_another_kind_with_the_key_of_a_rule_is_not_announced_by_it() -> None:
    """Only cases of rules are."""
    rule = replace(RULE, name="k", action=ThresholdAction.NOTIFY)
    policy = CasePolicy(thresholds={"k": rule}, addresses={"operations": ("a@lender.example",)})
    case = Case("threshold/k", CaseKind.THRESHOLD, "x", owner="operations")
    assert level_of(case, CaseEvent.OPENED, policy) == "opened"
    other = replace(case, kind=CaseKind.SURPLUS)
    assert level_of(other, CaseEvent.OPENED, policy) == ""
