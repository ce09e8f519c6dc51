"""Approvals: by another person that is present, of exactly what would happen, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.access.approval import (
    HOLDS,
    SECOND_FACTOR_HOLDS,
    Presence,
    Request,
    RequestEvent,
    RequestState,
    approve,
    barred,
    command_digest,
    ended,
    is_due,
    refuse,
    request_of,
)
from domain.access.person import Grant, Person, PersonState, Role
from domain.access.rights import Denied, Right
from domain.errors import IllegalTransition
from domain.kernel.command import Actor
from domain.loan.commands import WriteOff

AT = datetime(2026, 3, 2, tzinfo=UTC)
SEEN = "5" * 64
OPS = Person("ops", grants=(Grant(Role.OPERATOR, "north"),))
ANN = Person("ann", grants=(Grant(Role.APPROVER, "north"), Grant(Role.OPERATOR, "north")))
ORDER = WriteOff(id="1", actor=Actor("operator", "ops"), reason="why", loan_id="L1", number=1)


def _asked(requester: str = "ops") -> Request:
    return request_of("r1", ORDER, requester, "write_off.four_eyes", "north", SEEN, AT)


def _approved() -> Request:
    found = approve(_asked(), Presence(ANN, AT), SEEN, AT)
    assert isinstance(found, Request)
    return found


def test_another_person_approves_what_it_has_seen() -> None:
    """The request then says who and when."""
    found = _approved()
    assert found.state is RequestState.APPROVED
    assert (found.approver, found.decided_at) == ("ann", AT)
    assert barred(found, OPS, ANN, "north", Right.ORDER) is None


@pytest.mark.parametrize(
    ("rule", "request_", "by", "seen", "at"),
    [
        ("approval.own", _asked("ann"), Presence(ANN, AT), SEEN, AT),
        ("approval.own", _asked(" ANN"), Presence(ANN, AT), SEEN, AT),
        ("role.none", _asked(), Presence(OPS, AT), SEEN, AT),
        (
            "person.disabled",
            _asked(),
            Presence(replace(ANN, state=PersonState.DISABLED), AT),
            SEEN,
            AT,
        ),
        ("portfolio.other", replace(_asked(), portfolio="south"), Presence(ANN, AT), SEEN, AT),
        (
            "approval.second_factor",
            _asked(),
            Presence(ANN, AT),
            SEEN,
            AT + SECOND_FACTOR_HOLDS + timedelta(seconds=1),
        ),
        ("approval.second_factor", _asked(), Presence(ANN, AT + timedelta(1)), SEEN, AT),
        ("approval.expired", _asked(), Presence(ANN, AT + HOLDS), SEEN, AT + HOLDS),
        ("approval.preview", _asked(), Presence(ANN, AT), "6" * 64, AT),
        (
            "approval.decided",
            replace(_asked(), state=RequestState.REFUSED),
            Presence(ANN, AT),
            SEEN,
            AT,
        ),
    ],
)
def test_nobody_else_and_nothing_else_is_approved(
    rule: str, request_: Request, by: Presence, seen: str, at: datetime
) -> None:
    """Each attempt is denied by the rule that it breaks."""
    denied = approve(request_, by, seen, at)
    assert isinstance(denied, Denied)
    assert denied.rule == rule


def test_a_refusal_says_why() -> None:
    """It is a decision like an approval, with a reason, and by another person too."""
    found = refuse(_asked(), Presence(ANN, AT), " no evidence ", AT)
    assert isinstance(found, Request)
    assert (found.state, found.why, found.approver) == (RequestState.REFUSED, "no evidence", "ann")
    silent = refuse(_asked(), Presence(ANN, AT), " ", AT)
    assert isinstance(silent, Denied)
    assert silent.rule == "approval.reason"
    own = refuse(_asked("ann"), Presence(ANN, AT), "no", AT)
    assert isinstance(own, Denied)
    assert own.rule == "approval.own"


@pytest.mark.parametrize(
    ("rule", "request_", "requester", "approver", "portfolio"),
    [
        (
            "approval.command",
            replace(_approved(), order=replace(ORDER, number=2)),
            OPS,
            ANN,
            "north",
        ),
        ("approval.command", replace(_approved(), requester="bob"), OPS, ANN, "north"),
        ("approval.portfolio", _approved(), OPS, ANN, "south"),
        ("person.disabled", _approved(), OPS, replace(ANN, state=PersonState.DISABLED), "north"),
        ("person.disabled", _approved(), replace(OPS, state=PersonState.DISABLED), ANN, "north"),
        ("role.none", _approved(), OPS, OPS, "north"),
        ("role.none", _approved(), replace(OPS, grants=()), ANN, "north"),
        ("approval.own", _approved(), ANN, ANN, "north"),
    ],
)
def test_what_changed_since_the_approval_bars_it(
    rule: str, request_: Request, requester: Person, approver: Person, portfolio: str
) -> None:
    """Persons, roles, portfolio and the command are checked again when it is carried out."""
    denied = barred(request_, requester, approver, portfolio, Right.ORDER)
    assert denied is not None
    assert denied.rule == rule


def test_the_digest_of_a_command_holds_what_an_approver_reads() -> None:
    """Content, id, reason and requester; who approves is not in it."""
    mine = command_digest(ORDER, "ops")
    assert command_digest(replace(ORDER, approver="ann"), "ops") == mine
    others = {
        command_digest(replace(ORDER, reason="other"), "ops"),
        command_digest(replace(ORDER, id="2"), "ops"),
        command_digest(replace(ORDER, loan_id="L2"), "ops"),
        command_digest(ORDER, "bob"),
    }
    assert len(others | {mine}) == 5


def test_a_request_is_used_once() -> None:
    """What is done, refused, void or expired is not decided or carried out again."""
    done = ended(_approved(), RequestEvent.CARRIED_OUT, AT)
    assert done.state is RequestState.DONE
    void = ended(_asked(), RequestEvent.VOIDED, AT, "changed")
    assert (void.state, void.why, void.decided_at) == (RequestState.VOID, "changed", AT)
    with pytest.raises(IllegalTransition):
        ended(done, RequestEvent.CARRIED_OUT, AT)
    with pytest.raises(IllegalTransition):
        ended(_asked(), RequestEvent.CARRIED_OUT, AT)


def test_a_request_expires_where_nobody_decides() -> None:
    """One that was approved in time does not."""
    late = AT + HOLDS
    assert is_due(_asked(), late)
    assert not is_due(_asked(), late - timedelta(seconds=1))
    assert not is_due(_approved(), late)
