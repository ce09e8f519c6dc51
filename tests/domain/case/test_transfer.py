"""A case moves to another team's queue by order: its clocks go on, that team's chain applies."""

from dataclasses import replace
from datetime import timedelta

from domain.case import agenda
from domain.case.case import ByHand, Case
from domain.case.lifecycle import CaseEvent, CaseState
from domain.case.policy import CasePolicy
from domain.kernel.change import Refusal
from domain.kernel.message import Message
from tests.domain.case.test_case_work import ANN, KEY, act, case, give, scene
from tests.support.doors import (
    AssignCase,
    NoteCase,
    RaiseOperator,
    ReopenCase,
    ResolveCase,
    TransferCase,
    WaitCase,
)
from tests.support.memory import RULES
from tests.support.scene import Scene

POLICY = CasePolicy(
    chains={"treasury": ("head-of-treasury",), "desk": ()},
    addresses={"treasury": ("t@lender.example",)},
)


def policed() -> Scene:
    """The scene of `test_case_work` under a policy with chains of two teams."""
    s = scene()
    s.books.rules = replace(s.books.rules, case_policy=POLICY)
    return s


def clock(found: Case) -> tuple[object, ...]:
    """What its clocks are computed from."""
    return found.opened_at, found.acted_at, found.waited_s, found.generation


def notices(s: Scene) -> list[Message]:
    return [message for message in s.books.messages if message.topic == "case_notice"]


def test_a_transferred_case_is_in_the_queue_of_the_team_with_nobody_of_it() -> None:
    """Whoever had it has it no more; its clocks are what they were; the story says where to."""
    s = policed()
    give(s, AssignCase, assignee="ann")
    before = case(s)
    give(s, TransferCase, to="treasury", reason="theirs")
    after = case(s)
    assert (after.state, after.owner, after.assignee) == (CaseState.OPEN, "treasury", "")
    assert clock(after) == clock(before)
    move = s.books.transitions[-1]
    assert (move.event, move.detail) == (CaseEvent.TRANSFERRED, "treasury")
    assert [message.payload.to for message in notices(s)] == ["treasury"]


def test_a_case_that_is_put_aside_stays_so_and_comes_back_to_nobody() -> None:
    """Its wait is the new team's."""
    s = policed()
    give(s, AssignCase, assignee="ann")
    day = (s.books.at + timedelta(days=3)).date()
    give(s, WaitCase, until=day)
    give(s, TransferCase, to="treasury")
    assert (case(s).state, case(s).assignee) == (CaseState.WAITING, "")
    act(s)
    assert (case(s).state, case(s).owner) == (CaseState.OPEN, "treasury")


def test_late_it_is_handed_up_the_chain_of_that_team() -> None:
    """At the instant at which it would have been handed up before."""
    s = policed()
    give(s, NoteCase)
    was = agenda.next_action(case(s), POLICY)
    give(s, TransferCase, to="treasury")
    now = agenda.next_action(case(s), POLICY)
    assert was is not None
    assert now is not None
    assert (was.not_before, now.not_before) == (now.not_before, was.not_before)
    assert now.reason.endswith("goes to head-of-treasury")
    act(s)
    assert case(s).owner == "head-of-treasury"
    assert agenda.next_action(case(s), POLICY) is None


def test_a_team_without_a_chain_of_its_own_has_that_of_the_kind_from_its_beginning() -> None:
    """What was handed up before is not gone through again in the new team's chain."""
    s = policed()
    give(s, NoteCase)
    act(s)
    assert case(s).owner == "team-lead"
    give(s, TransferCase, to="complaints")
    assert (case(s).escalation, POLICY.next_of_chain(case(s))) == (1, "team-lead")
    act(s)
    assert (case(s).owner, case(s).escalation) == ("team-lead", 2)


def test_an_empty_chain_hands_nothing_up() -> None:
    """The team ends it, however late."""
    s = policed()
    give(s, NoteCase)
    give(s, TransferCase, to="desk")
    assert agenda.next_action(case(s), POLICY) is None


def test_each_transfer_is_told_once() -> None:
    """To and fro: every message has an id of its own."""
    s = policed()
    for to in ("treasury", "complaints", "treasury", "treasury"):
        give(s, TransferCase, to=to)
    ids = [message.payload.message_id for message in notices(s)]
    assert len(ids) == len(set(ids)) == 2
    assert case(s).transfers == 3


def test_a_team_that_nobody_knows_is_refused_by_name() -> None:
    """A mistake of typing would put the case where nobody looks."""
    refused = give(policed(), TransferCase, to="tresury")
    assert isinstance(refused, Refusal)
    assert (refused.rule, "treasury" in refused.reason) == ("case.team", True)
    assert set(POLICY.teams) > {"operations", "settlement", "team-lead", "head-of-treasury"}


def test_opened_again_it_is_with_the_team_of_its_kind() -> None:
    """By hand or by news: the transfer was of its last life."""
    s = policed()
    give(s, TransferCase, to="treasury")
    give(s, ResolveCase, resolution=ByHand.CORRECTED)
    give(s, ReopenCase, actor=ANN)
    assert (case(s).owner, case(s).team) == ("operations", "")
    assert POLICY.next_of_chain(case(s)) == "team-lead"


def test_a_resolved_case_is_not_transferred() -> None:
    """It is opened again first."""
    s = policed()
    give(s, ResolveCase, resolution=ByHand.CORRECTED)
    refused = give(s, TransferCase, to="treasury")
    assert isinstance(refused, Refusal)
    assert refused.rule == "case.resolved"


def test_the_usual_rules_know_the_teams_of_the_table() -> None:
    """Without a policy file a case can go to every team that a kind names."""
    s = Scene.boarded()
    s.order(RaiseOperator, reason="x")
    assert RULES.case_policy.chains == {}
    give(s, TransferCase, to="settlement")
    assert s.books.cases[KEY].owner == "settlement"
