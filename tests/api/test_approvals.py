"""Approvals against those who would get round them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from adapters.sql.schema.tables import order_requests
from api.orderdoor import Decision
from domain.access.approval import HOLDS, Presence, RequestEvent, RequestState, ended
from domain.access.person import Grant, PersonState, Role
from domain.access.rights import Denied
from domain.access.totp import STEP_S, code_at
from domain.kernel.command import Actor
from domain.loan.commands import Cancel, ChangeDate, Hold
from domain.loan.view import installment
from ports.access import NewLogin
from ports.orderrequests import Asked
from tests.support.apistage import ApiStage
from tests.support.booksbench import NOON

BOTH = (Grant(Role.OPERATOR, "main"), Grant(Role.APPROVER, "main"))


def _cancel(number: int = 1) -> Cancel:
    return Cancel(
        id=f"api:ops/L1/{number}/k", actor=Actor("operator", "ops"), reason="agreed",
        loan_id="L1", number=number,
    )  # fmt: skip


async def _asked(stage: ApiStage) -> Asked:
    """A request of `ops` to cancel an installment, with `ann` and `bob` to approve it."""
    ops = await stage.person("ops", *BOTH)
    await stage.person("ann", *BOTH)
    await stage.person("bob", *BOTH)
    asked = await stage.orders.give(_cancel(), ops, "main")
    assert isinstance(asked, Asked), asked
    return asked


async def _approve(stage: ApiStage, asked: Asked, by: str = "ann") -> Decision | Denied:
    digest = asked.request.preview_digest
    return await stage.orders.approve(asked.request.id, await stage.here(by), digest)


async def _state(stage: ApiStage) -> str:
    view = await stage.queries.view(installment("L1", 1))
    assert view is not None
    return view.state


async def test_nobody_approves_its_own_request(stage: ApiStage) -> None:
    """However many accounts somebody has, they are one person; the database says so too."""
    asked = await _asked(stage)
    denied = await _approve(stage, asked, "ops")
    assert isinstance(denied, Denied)
    assert denied.rule == "approval.own"
    forged = update(order_requests).values(approver="ops", state="approved")
    with pytest.raises(IntegrityError):
        async with stage.engine.begin() as conn:
            await conn.execute(forged)
    assert await _state(stage) == "SCHEDULED"


async def test_of_two_simultaneous_approvals_one_counts(stage: ApiStage) -> None:
    """The order is carried out once, and the other one is told."""
    asked = await _asked(stage)
    found = await asyncio.gather(_approve(stage, asked, "ann"), _approve(stage, asked, "bob"))
    assert sorted(type(one).__name__ for one in found) == ["Decision", "Denied"]
    assert await _state(stage) == "CANCELLED"


@pytest.mark.parametrize("who", ["ann", "ops"])
async def test_a_person_disabled_between_approval_and_execution_voids_it(
    stage: ApiStage, who: str
) -> None:
    """Requester and approver are looked at again when it is carried out."""
    asked = await _asked(stage)
    by = await stage.here("ann")
    approved = replace(asked.request, state=RequestState.APPROVED, approver="ann")
    event = stage.event("approve", asked.request.id)
    assert await stage.requests.decide(asked.request, approved, event)
    await stage.persons.change(who, stage.event("disable", who), state=PersonState.DISABLED)
    found = await stage.orders.approve(asked.request.id, by, asked.request.preview_digest)
    assert isinstance(found, Decision)
    assert (found.request.state, found.request.why.split(":")[0]) == ("void", "person.disabled")
    assert await _state(stage) == "SCHEDULED"


async def test_a_loan_moved_to_another_portfolio_voids_it(stage: ApiStage) -> None:
    """What was approved was about a loan of the portfolio in which both have their roles."""
    asked = await _asked(stage)
    await stage.portfolios.put("test", "north", stage.event("portfolio", "test"))
    found = await _approve(stage, asked)
    assert isinstance(found, Decision)
    assert found.request.why.startswith("approval.portfolio")
    assert await _state(stage) == "SCHEDULED"


async def test_another_effect_than_was_shown_voids_it(stage: ApiStage) -> None:
    """The due date was moved since: what would happen now is not what was approved."""
    asked = await _asked(stage)
    moved = ChangeDate(
        id="d", actor=Actor("test", "t"), reason="r", loan_id="L1", number=1,
        due_on=(NOON + timedelta(days=60)).date(),
    )  # fmt: skip
    await stage.books.apply(moved)
    found = await _approve(stage, asked)
    assert isinstance(found, Decision)
    assert found.request.why.startswith("approval.preview_changed")
    assert await _state(stage) == "SCHEDULED"


async def test_an_unrelated_event_does_not_void_it(stage: ApiStage) -> None:
    """Another installment is held meanwhile; the approval stands."""
    asked = await _asked(stage)
    hold = Hold(id="h", actor=Actor("test", "t"), reason="r", loan_id="L1", number=2)
    await stage.books.apply(hold)
    found = await _approve(stage, asked)
    assert isinstance(found, Decision)
    assert found.request.state == "done"


async def test_a_changed_field_of_an_approved_command_is_not_carried_out(stage: ApiStage) -> None:
    """Whoever can write the table still has the digest against them."""
    asked = await _asked(stage)
    forged = text("UPDATE order_requests SET body = replace(body, :was, :now)")
    async with stage.engine.begin() as conn:
        changed = await conn.execute(forged, {"was": '"number":1', "now": '"number":2'})
        assert changed.rowcount == 1
    found = await _approve(stage, asked)
    assert isinstance(found, Decision)
    assert found.request.why.startswith("approval.command")
    assert await _state(stage) == "SCHEDULED"


async def test_an_approval_that_was_cut_off_is_carried_on_with(stage: ApiStage) -> None:
    """The books had done it when the process died: it is not done twice, and ends as done."""
    asked = await _asked(stage)
    approved = replace(asked.request, state=RequestState.APPROVED, approver="ann")
    event = stage.event("approve", asked.request.id)
    assert await stage.requests.decide(asked.request, approved, event)
    digest = asked.request.preview_digest
    await stage.books.apply_as_previewed(replace(_cancel(), approver="ann"), digest)
    found = await _approve(stage, asked)
    assert isinstance(found, Decision)
    assert found.request.state == "done"
    counts = await stage.queries.counts()
    assert counts["commands"]["cancel"] == 1


async def test_nobody_decides_too_late(stage: ApiStage) -> None:
    """After a day the request has expired, and counts against no limit."""
    asked = await _asked(stage)
    stage.wall.ahead(HOLDS)
    denied = await _approve(stage, asked)
    assert isinstance(denied, Denied)
    known = await stage.requests.request(asked.request.id)
    assert known is not None
    assert known.request.state == "expired"


async def test_a_refusal_is_kept_with_its_reason(stage: ApiStage) -> None:
    """The requester reads it; the order is not carried out under this id any more."""
    asked = await _asked(stage)
    found = await stage.orders.refuse(asked.request.id, await stage.here("ann"), "no evidence")
    assert isinstance(found, Decision)
    again = await stage.orders.give(_cancel(), (await stage.here("ops")).person, "main")
    assert isinstance(again, Asked)
    assert (again.request.state, again.request.why) == ("refused", "no evidence")
    decided = [one for one in (await stage.log.events("", 100)).items if one.outcome == "decided"]
    assert [(one.who, one.what) for one in decided] == [("ann", "request refused")]


async def test_a_decision_on_an_old_state_is_not_kept(stage: ApiStage) -> None:
    """Whoever decides names the state that was decided on."""
    asked = await _asked(stage)
    void = ended(asked.request, RequestEvent.VOIDED, stage.wall.now(), "x")
    assert await stage.requests.decide(asked.request, void, stage.event("void", "x"))
    assert not await stage.requests.decide(asked.request, void, stage.event("void", "x"))


async def test_a_login_needs_password_and_a_fresh_code(stage: ApiStage) -> None:
    """A code is used once; five failures make the next one wait; nothing says what was wrong."""
    secret = b"12345678901234567890"
    await stage.person("ann", *BOTH, login=NewLogin("open sesame", secret))
    now = stage.wall.now()
    step = int(now.timestamp() // STEP_S)
    code = code_at(secret, step)
    wrong = [
        await stage.persons.prove("ann", "open sesame", "000000", now),
        await stage.persons.prove("ann", "other", code, now),
        await stage.persons.prove("eve", "open sesame", code, now),
    ]
    assert {one.rule for one in wrong if isinstance(one, Denied)} == {"login.refused"}
    proven = await stage.persons.prove("ann", "open sesame", code, now)
    assert not isinstance(proven, Denied)
    Presence(proven, now)
    used = await stage.persons.prove("ann", "open sesame", code, now)
    assert isinstance(used, Denied)
    for _ in range(4):
        await stage.persons.prove("ann", "other", "000000", now)
    fresh = code_at(secret, step + 1)
    locked = await stage.persons.prove("ann", "open sesame", fresh, now)
    assert isinstance(locked, Denied)
    assert locked.rule == "login.throttled"
    later = now + timedelta(minutes=2)
    code = code_at(secret, int(later.timestamp() // STEP_S))
    assert not isinstance(await stage.persons.prove("ann", "open sesame", code, later), Denied)
