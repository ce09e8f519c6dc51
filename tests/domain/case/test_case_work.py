"""Cases are worked on: taken, noted, put aside, handed up, resolved and opened again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.case import agenda
from domain.case.case import NOTES_MOST, ByHand, Case, Resolution
from domain.case.decide import resolved
from domain.case.guides import GUIDES
from domain.case.kinds import CASE_RULES, Blocks, CaseKind, Cause
from domain.case.lifecycle import CaseEvent, CaseState, advance
from domain.case.policy import CasePolicy, ServiceLevel
from domain.case.words import CASE_WORDS
from domain.errors import IllegalTransition
from domain.kernel.change import Done, Refusal, Superseded
from domain.kernel.command import Actor, Scope
from domain.kernel.subject import Subject
from domain.loan.change import Change
from domain.loan.decide.closing import close_out
from domain.loan.decide.work import Work
from domain.loan.lifecycle import State
from domain.registry import KINDS
from tests.support.doors import (
    ActOnCase,
    AssignCase,
    Hold,
    NoteCase,
    RaiseOperator,
    ReopenCase,
    ResolveCase,
    WaitCase,
)
from tests.support.memory import RULES, MemoryBooks, board
from tests.support.scene import DRIVER, Scene

KEY = "operator/L1/1"
ANN, BEN = Actor("operator", "ann"), Actor("operator", "ben")


def scene(kind: CaseKind | None = None) -> Scene:
    """A loan with one case: the driver asked for a person, or a case of a kind by hand."""
    s = Scene.boarded()
    s.order(RaiseOperator, reason="cannot go on")
    if kind is not None:
        s.books.cases[KEY] = replace(s.books.cases[KEY], kind=kind)
    return s


def case(s: Scene) -> Case:
    return s.books.cases.get(KEY) or s.books.resolved[KEY]


def give(s: Scene, kind: type, **values: Any) -> Change | Refusal:
    return s.give(kind, case=KEY, **{"actor": ANN, **values})


def act(s: Scene, **values: Any) -> Change | Refusal:
    """Do what comes next for the case, when its time has come."""
    action = agenda.next_action(case(s), s.books.rules.case_policy)
    assert action is not None
    s.books.at = max(s.books.at, action.not_before)
    values = {"action": action.key, "generation": case(s).generation, **values}
    return s.give(ActOnCase, case=KEY, actor=DRIVER, **values)


def test_every_kind_has_a_rule_a_guide_and_a_cause() -> None:
    """Whoever takes a case of any kind finds what it means and what to do."""
    assert set(GUIDES) == set(CASE_RULES) == set(CaseKind)
    assert all(len(text) > 40 and text.endswith(".") for text in GUIDES.values())
    assert {rule.cause for rule in CASE_RULES.values()} <= set(Cause)


def test_a_new_case_has_owner_clocks_and_a_move_in_the_journal() -> None:
    """The books add what whoever opens it does not know."""
    s = scene()
    found = case(s)
    assert (found.state, found.owner, found.tenant) == (CaseState.OPEN, "operations", "t1")
    assert (found.opened_at, found.generation) == (s.books.at, 1)
    moves = [move for move in s.books.transitions if move.subject == found.subject]
    assert [(move.source, move.target, move.event) for move in moves] == [
        ("", "OPEN", "case_opened")
    ]
    assert moves[0].loan_id == "L1"


def test_a_case_is_assigned_once_and_then_has_a_driver() -> None:
    """The first person to take it starts its driver; the same person again changes nothing."""
    s = scene()
    change = give(s, AssignCase, assignee="ann")
    assert isinstance(change, Change)
    assert change.subject == case(s).subject
    assert (case(s).state, case(s).assignee, case(s).acted_at) == ("ASSIGNED", "ann", s.books.at)
    assert [(m.topic, m.stream) for m in change.messages][-1] == ("open", f"case/t1/{KEY}")
    again = give(s, AssignCase, assignee="ann")
    assert isinstance(again, Change)
    assert again.cases == {}
    other = give(s, AssignCase, assignee="ben")
    assert isinstance(other, Change)
    assert case(s).assignee == "ben"
    assert not any(m.topic == "open" for m in other.messages)


def test_notes_are_kept_counted_and_limited() -> None:
    """A note stays in the case and is never in a view; a resolved case can still be noted."""
    s = scene()
    give(s, NoteCase, reason="called the bank")
    assert [(note.by, note.text) for note in case(s).notes] == [("operator/ann", "called the bank")]
    view = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    assert view.detail.notes == 1
    assert "called" not in str(view)
    give(s, ResolveCase, resolution=ByHand.CORRECTED)
    assert isinstance(give(s, NoteCase, reason="the bank wrote back"), Change)
    full = replace(case(s), notes=case(s).notes * (NOTES_MOST // 2))
    s.books.resolved[KEY] = full
    refused = give(s, NoteCase, reason="one more")
    assert isinstance(refused, Refusal)
    assert refused.rule == "case.notes"


def test_a_case_that_waits_comes_back_to_whoever_had_it() -> None:
    """Put aside, nothing else is asked for; on the day it is open again, or assigned as it was."""
    s = scene()
    for days in (0, 400):
        refused = give(s, WaitCase, until=s.books.at.date() + timedelta(days=days))
        assert isinstance(refused, Refusal)
        assert refused.rule == "case.wait"
    until = s.books.at.date() + timedelta(days=10)
    give(s, WaitCase, until=until)
    view = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    assert (view.state, view.detail.late_from) == ("WAITING", None)
    assert view.next_action is not None
    assert view.next_action.not_before == datetime(until.year, until.month, until.day, tzinfo=UTC)
    act(s)
    assert (case(s).state, case(s).waits_until) == (CaseState.OPEN, None)
    give(s, AssignCase, assignee="ann")
    give(s, WaitCase, until=s.books.at.date() + timedelta(days=1))
    act(s)
    assert (case(s).state, case(s).assignee) == (CaseState.ASSIGNED, "ann")
    give(s, WaitCase, until=s.books.at.date() + timedelta(days=1))
    give(s, AssignCase, assignee="ann")
    assert (case(s).state, case(s).waits_until) == (CaseState.ASSIGNED, None)


def test_the_clocks_of_a_case_stand_still_while_it_is_put_aside() -> None:
    """After ten days aside it has the days left that it had, and is handed to nobody at once."""
    s = scene()
    s.books.at += timedelta(days=1)
    aside = s.books.at
    give(s, WaitCase, until=aside.date() + timedelta(days=9))
    give(s, WaitCase, until=aside.date() + timedelta(days=10))
    action = agenda.next_action(case(s), RULES.case_policy)
    assert action is not None
    waited = action.not_before - aside
    s.books.at = action.not_before + timedelta(hours=7)  # the sweep comes late
    act(s)
    assert case(s).waits_since is None
    opened = case(s).opened_at
    assert opened is not None
    due = agenda.next_action(case(s), RULES.case_policy)
    assert due is not None
    assert due.not_before == opened + timedelta(days=5) + waited
    view = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    assert view.detail.late_from == view.detail.resolve_by == due.not_before
    give(s, ResolveCase, resolution=ByHand.CORRECTED)
    give(s, ReopenCase)
    assert case(s).waited_s == 0


def test_a_case_that_nobody_takes_is_reminded_once_then_handed_up() -> None:
    """First the clock of the first action, then that of the end, to each of the chain in turn."""
    s = scene()
    opened = s.books.at
    act(s)
    assert (s.books.at - opened, case(s).reminded) == (timedelta(hours=24), True)
    act(s)
    assert (s.books.at - opened, case(s).owner) == (timedelta(days=5), "team-lead")
    act(s)
    assert (s.books.at - opened, case(s).owner) == (timedelta(days=7), "head-of-operations")
    assert agenda.next_action(case(s), RULES.case_policy) is None
    late = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    assert late.detail.late_from == opened + timedelta(days=1)


def test_an_action_that_is_not_next_or_not_due_is_superseded() -> None:
    """A driver and a sweep that meet do one thing once."""
    s = scene()
    early = s.give(ActOnCase, case=KEY, actor=DRIVER, action="remind/1")
    assert isinstance(early, Change)
    assert early.answer == Superseded()
    act(s)
    for values in ({"action": "remind/1"}, {"action": "escalate/1/0", "generation": 2}):
        s.books.at += timedelta(days=9)
        moot = s.give(ActOnCase, case=KEY, actor=DRIVER, **values)
        assert isinstance(moot, Change)
        assert moot.answer == Superseded()
    assert case(s).escalation == 0


def test_a_moot_action_shows_a_swept_case_anew_and_none_that_has_a_driver() -> None:
    """A sweep reads the view that is written; a driver has the one in its answer."""
    s = scene()
    moot: dict[str, Any] = {"actor": DRIVER, "action": "remind/7"}
    swept = s.give(ActOnCase, case=KEY, **moot)
    assert isinstance(swept, Change)
    assert list(swept.cases) == [KEY]
    give(s, AssignCase, assignee="ann")
    driven = s.give(ActOnCase, case=KEY, **moot)
    assert isinstance(driven, Change)
    assert driven.cases == {}


def test_resolving_tells_the_installment_that_it_is_about() -> None:
    """Its version rises, and nobody is waited for any more."""
    s = scene()
    assert s.books.item().needs_operator == "cannot go on"
    version = s.books.item().version
    done = give(s, ResolveCase, resolution=ByHand.CORRECTED, cause=Cause.HUMAN)
    assert isinstance(done, Change)
    assert done.answer == Done(note="resolved: corrected")
    assert (case(s).state, case(s).resolution, case(s).cause) == (
        CaseState.RESOLVED,
        Resolution.CORRECTED,
        Cause.HUMAN,
    )
    assert s.books.item().version > version
    assert s.books.item().needs_operator == ""


@pytest.mark.parametrize("kind", [kind for kind, rule in CASE_RULES.items() if rule.ends])
def test_what_only_evidence_ends_cannot_be_resolved_by_hand(kind: CaseKind) -> None:
    """Money that is not explained would be there still, with nobody to see it."""
    refused = give(scene(kind), ResolveCase, resolution=ByHand.ACCEPTED, approver="ben")
    assert isinstance(refused, Refusal)
    assert refused.rule == "case.evidence"
    assert CASE_RULES[kind].ends in refused.reason


@pytest.mark.parametrize("approver", [None, "ann", " Ann\t", "\uff41nn", "", " "])
def test_a_case_that_keeps_a_gate_shut_needs_a_second_person(approver: str | None) -> None:
    """Opening a gate is an override: four eyes, and not the same two, however they are spelled."""
    s = scene(CaseKind.COMPLAINT)
    assert CASE_RULES[CaseKind.COMPLAINT].blocks is Blocks.BOTH
    refused = give(s, ResolveCase, resolution=ByHand.ACCEPTED, approver=approver)
    assert isinstance(refused, Refusal)
    own = bool(approver and approver.strip())
    assert refused.rule == "order.approver"
    assert refused.reason == (
        "nobody approves an order of their own"
        if own
        else "it keeps a gate shut: a second person must agree"
    )
    agreed = give(s, ResolveCase, resolution=ByHand.ACCEPTED, approver="ben")
    assert isinstance(agreed, Change)


def test_the_books_alone_say_that_a_case_has_cleared() -> None:
    """`cleared` is the evidence's word; a person says what was done."""
    assert set(Resolution) - {Resolution(how.value) for how in ByHand} == {Resolution.CLEARED}


def test_a_resolved_case_takes_no_order_but_a_note_or_to_be_opened_again() -> None:
    """Opened again it keeps its notes, and its clocks begin anew under a higher generation."""
    s = scene()
    give(s, NoteCase, reason="looked into")
    give(s, AssignCase, assignee="ann")
    assert refused_by(give(s, ReopenCase)) == "case.open"
    give(s, ResolveCase, resolution=ByHand.NO_FAULT)
    assert refused_by(give(s, AssignCase, assignee="ben")) == "case.resolved"
    assert refused_by(give(s, ResolveCase, resolution=ByHand.NO_FAULT)) == "case.resolved"
    s.books.at += timedelta(days=1)
    give(s, ReopenCase)
    found = case(s)
    assert (found.state, found.generation, found.assignee) == (CaseState.OPEN, 2, "")
    assert (found.opened_at, found.resolution) == (s.books.at, None)
    assert len(found.notes) == 1
    assert not found.driver.opened
    change = give(s, AssignCase, assignee="ben")
    assert isinstance(change, Change)
    assert change.messages[-1].payload.view.generation == 2


@pytest.mark.parametrize("kind", [kind for kind, rule in CASE_RULES.items() if rule.ends])
def test_what_evidence_ended_is_not_opened_again_by_hand(kind: CaseKind) -> None:
    """Its evidence has come and comes no second time: the case could never end again."""
    s = scene(kind)
    s.books.resolved[KEY] = resolved(s.books.cases.pop(KEY), s.books.at, Resolution.CLEARED)
    assert refused_by(give(s, ReopenCase)) == "case.evidence"


def test_opened_again_by_hand_a_case_is_with_its_own_team() -> None:
    """Its clocks begin anew, and so does the way up: nobody above is handed it first."""
    s = scene()
    for _ in range(3):
        act(s)
    assert case(s).owner == "head-of-operations"
    give(s, ResolveCase, resolution=ByHand.CORRECTED)
    give(s, ReopenCase)
    assert (case(s).owner, case(s).escalation) == ("operations", 0)


def refused_by(change: Change | Refusal) -> str:
    assert isinstance(change, Refusal), change
    return change.rule


def test_a_case_that_comes_again_is_the_same_case() -> None:
    """Asked for a person once more: opened again with the new words, its notes still there."""
    s = scene()
    give(s, NoteCase, reason="first time")
    give(s, ResolveCase, resolution=ByHand.CORRECTED)
    s.order(RaiseOperator, reason="cannot go on again")
    found = case(s)
    assert (found.text, found.generation, len(found.notes)) == ("cannot go on again", 2, 1)
    assert [move.event for move in s.books.transitions if move.subject == found.subject] == [
        "case_opened",
        "case_noted",
        "case_resolved",
        "case_reopened",
    ]


def test_an_unknown_case_is_refused_by_name() -> None:
    """Nothing is opened by an order about it."""
    assert refused_by(Scene().give(NoteCase, case="nobody/knows", actor=ANN)) == "case.unknown"


def test_the_driver_of_a_case_is_woken_by_its_end_and_not_by_its_own_acts() -> None:
    """What the driver did comes back as its answer; what a person does wakes it."""
    s = scene()
    give(s, AssignCase, assignee="ann")
    since = len(s.books.messages)
    act(s)
    assert [m for m in s.books.messages[since:] if m.stream.startswith("case/")] == []
    give(s, ResolveCase, resolution=ByHand.CORRECTED)
    woken = [m for m in s.books.messages[since:] if m.stream.startswith("case/")]
    assert [m.topic for m in woken] == ["wake"]


def test_a_policy_says_owner_and_clocks_by_kind() -> None:
    """A kind without a row has the usual ones."""
    level = ServiceLevel(timedelta(hours=1), timedelta(hours=2), chain=())
    policy = CasePolicy(
        levels={CaseKind.NEEDS_OPERATOR: level}, owners={CaseKind.NEEDS_OPERATOR: "night-shift"}
    )
    books = MemoryBooks(rules=replace(RULES, case_policy=policy))
    s = Scene(books=books)
    books.apply(board())
    s.order(RaiseOperator, reason="x")
    assert case(s).owner == "night-shift"
    act(s)
    assert s.books.at - case(s).opened_at == timedelta(hours=1)  # type: ignore[operator]
    assert agenda.next_action(case(s), policy) is None


def test_a_case_is_told_in_words() -> None:
    """What changed and what is, with the guide; the summary holds no amount."""
    s = scene()
    old = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    give(s, AssignCase, assignee="ann")
    give(s, NoteCase, reason="x")
    new = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    assert list(CASE_WORDS.changes(old, new)) == ["assigned to ann", "note 1"]
    assert list(CASE_WORDS.changes(new, old)) == ["with nobody", "note 0"]
    act(s)
    up = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    assert list(CASE_WORDS.changes(new, up)) == ["handed to team-lead"]
    give(s, ResolveCase, resolution=ByHand.ACCEPTED)
    end = agenda.view_of(case(s), RULES.case_policy, s.books.at)
    assert list(CASE_WORDS.changes(up, end)) == ["accepted"]
    parts = "; ".join(CASE_WORDS.parts(replace(new, labels=replace(new.labels, amount_minor=5))))
    assert (
        "**ASSIGNED**, needs_operator, cannot go on; about 0.05 CNY; with ann of operations"
        in parts
    )
    assert GUIDES[CaseKind.NEEDS_OPERATOR] in parts
    strange = replace(old, labels=replace(old.labels, code="of_tomorrow"))
    assert "of_tomorrow" in "; ".join(CASE_WORDS.parts(strange))
    assert CASE_WORDS.summary(old) == "case needs_operator about L1"
    alone = replace(old, labels=replace(old.labels, loan_id=""))
    assert CASE_WORDS.summary(alone) == "case needs_operator"


def test_a_move_that_the_table_does_not_hold_is_a_fault() -> None:
    """No code assigns a state by itself."""
    with pytest.raises(IllegalTransition):
        advance(CaseState.RESOLVED, CaseEvent.ASSIGNED)


def test_orders_about_the_installment_go_on_beside_a_case() -> None:
    """A case that blocks nothing holds up nothing."""
    s = scene()
    assert isinstance(s.order(Hold), Change)
    assert s.books.item().state is State.SCHEDULED
    assert date(2026, 3, 10) == s.books.item().due_on


def test_a_command_on_a_case_names_it_and_nothing_else() -> None:
    """Its scope is the case, from which the books find the loan."""
    order = NoteCase(id="n", actor=ANN, reason="x", case=KEY)
    assert order.scope() == Scope(cases=(KEY,))
    assert order.about() == Subject("case", KEY)
    assert KINDS["case"].named(order.about()) == {"case": KEY}


@pytest.mark.parametrize("kind", sorted(CaseKind))
def test_a_kind_may_demand_a_driver_from_the_opening_on(kind: CaseKind) -> None:
    """Its row says so; any other gets one once it is assigned."""
    s = Scene.boarded()
    work = Work(s.books._aggregates(), close_out=close_out)
    work.open_case(Case("k", kind, "a case", "L1", 1))
    change = work.finish(Done())
    assert change.cases["k"].driver.opened is CASE_RULES[kind].driven
    opened = [message.payload for message in change.messages if message.topic == "open"]
    assert len(opened) == CASE_RULES[kind].driven


def test_a_demanded_driver_is_not_opened_for_what_ends_in_the_same_command() -> None:
    """Nobody is to be asked; opened again it has one."""
    s = Scene.boarded()
    work = Work(s.books._aggregates(), close_out=close_out)
    work.open_case(Case("k", CaseKind.RETURN_OF_MORE, "a case", "L1", 1))
    work.close_case("k")
    change = work.finish(Done())
    assert not change.cases["k"].driver.opened
    s.books._keep(change)
    work = Work(s.books._aggregates(), close_out=close_out)
    work.open_case(Case("k", CaseKind.RETURN_OF_MORE, "a case", "L1", 1))
    assert work.finish(Done()).cases["k"].driver.opened
