"""The driver of a case on a real server, with the real decisions in memory."""

import asyncio

from temporalio.client import Client

from domain.case.lifecycle import CaseState
from domain.case.view import CaseView
from tests.support.casestage import CaseStage, quick
from tests.support.stage import counted, sent, until
from workflows import names
from workflows.case import CaseWorkflow
from workflows.messages import Closure


async def test_a_case_is_handed_up_by_its_driver_and_ends_by_an_order(
    temporal_client: Client,
) -> None:
    """Its clock runs out: the next owner. The order that resolves it ends the driver."""
    scene = CaseStage(temporal_client, quick(1.0))
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.case.owner == "team-lead")
        await handle.signal("note_case", sent("note_case", "n-1", "asked the bank"))
        await until(lambda: len(scene.books.case.notes) == 1)
        view = await handle.query("view", result_type=CaseView)
        assert (view.subject, view.detail.notes) == (scene.books.case.subject, 1)
        shown = (await handle.describe()).typed_search_attributes
        assert shown.get(names.KIND) == "case"
        assert shown.get(names.CODE) == "needs_operator"
        assert shown.get(names.OWNER) == "ann"
        order = sent("resolve_case", "r-1", "done", resolution="corrected")
        answer = await handle.execute_update("override", order, result_type=CaseView)
        assert answer.state == "RESOLVED"
        closure = await scene.ended(handle)
        tale = await handle.query(CaseWorkflow.story)
    assert closure == Closure(scene.books.case.subject, 1, "RESOLVED", answer.version)
    events = await counted(handle)
    assert events["TIMER_STARTED"] == 1
    assert tale.next == "nothing: the evidence is complete"


async def test_a_case_that_is_put_aside_comes_back(temporal_client: Client) -> None:
    """The driver sleeps until the day; a cancel request is a note, and it goes on."""
    scene = CaseStage(temporal_client, quick(3600.0))
    async with scene.workers():
        handle = await scene.open()
        tomorrow = scene.books.clock.now().date().isoformat()
        refused = sent("wait_case", "w-0", "too soon", until=tomorrow)
        await handle.signal("wait_case", refused)
        await handle.cancel()
        await until(lambda: bool(scene.books.case.notes))
        assert scene.books.case.notes[0].text == "workflow cancel requested"
        assert scene.books.case.state is CaseState.ASSIGNED
        await handle.signal("resolve_case", sent("resolve_case", "r", "x", resolution="no_fault"))
        await asyncio.wait_for(handle.result(), 30)


async def test_a_kind_may_demand_a_driver_that_nobody_was_assigned_to(
    temporal_client: Client,
) -> None:
    """The books open it with the case: its clock runs out there, and no sweep looks at it."""
    scene = CaseStage(temporal_client, quick(1.0), demanded=True)
    assert (scene.books.case.kind, scene.books.case.assignee) == ("return_of_more", "")
    async with scene.workers():
        handle = await scene.opened_by_books()
        await until(lambda: scene.books.case.owner == "team-lead")
        order = sent("transfer_case", "t-1", "a claim on the bank", to="settlement")
        view = await handle.execute_update("override", order, result_type=CaseView)
        assert (view.detail.owner, view.labels.owner) == ("settlement", "settlement")
        shown = (await handle.describe()).typed_search_attributes
        assert shown.get(names.CODE) == "return_of_more"
        order = sent("resolve_case", "r-1", "paid back", resolution="corrected")
        order["approver"] = "second"
        await handle.execute_update("override", order, result_type=CaseView)
        closure = await scene.ended(handle)
    assert closure.state == "RESOLVED"
