"""The driver on a real server, with fake books and a fake rail."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from activities import shielded
from domain.debit.outcome import NO_ANSWER
from domain.kernel.view import Action
from domain.loan.lifecycle import State
from domain.loan.view import ActionKind, InstallmentView, installment
from domain.pricing.amounts import Component
from ports.rail import RailUnavailable
from tests.fakes.rails import NOT_FOUND, NSF, OK, PENDING
from tests.support.doors import Hold
from tests.support.stage import Handle, Stage, counted, sent, stage, until
from workflows import names, policies
from workflows.installment import InstallmentWorkflow
from workflows.messages import Closure, Story


def hold(request_id: str = "h-1", reason: str = "asked by the borrower") -> dict[str, Any]:
    return sent("hold", request_id, reason)


async def reaches(scene: Stage, state: State) -> None:
    await until(lambda: scene.books.current.state == state)


async def story(handle: Handle) -> Story:
    return await handle.query(InstallmentWorkflow.story)


async def story_with(handle: Handle, text: str) -> Story:
    """The story once it holds `text`."""
    async with asyncio.timeout(20):
        while text not in "\n".join((tale := await story(handle)).happened):
            await asyncio.sleep(0.05)
    return tale


async def test_happy_path_takes_four_workflow_tasks_and_one_post(temporal_client: Client) -> None:
    """Reminder, debit, settlement: 4 workflow tasks, 24 events, 3 commands, 1 POST."""
    scene = stage(temporal_client)
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        await story_with(handle, "CLEARING")
        closure = await scene.settle(handle)
    assert closure == Closure(
        installment(scene.books.loan_id, 1), 1, State.CLOSED, scene.books.current.version
    )
    events = await counted(handle)
    assert events["WORKFLOW_TASK_COMPLETED"] <= 4
    assert events.total() <= 24
    assert len(scene.rail.posted) == 1
    assert [command.kind for command in scene.books.commands] == [
        "queue_reminder",
        "intend_debit",
        "record_outcome",
    ]


async def test_driver_shows_its_state_to_searches_and_people(temporal_client: Client) -> None:
    """Search attributes follow the books; the story tells what happened and what comes next."""
    scene = stage(temporal_client, presents=[NSF, OK])
    scene.books.pace = type(scene.books.pace)(retry=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.RETRYING)
        tale = await story_with(handle, "RETRYING")
        assert "PRESENT not before" in tale.next
        shown = (await handle.describe()).typed_search_attributes
        assert shown.get(names.STATE) == "RETRYING"
        assert shown.get(names.CODE) == "51"
        assert shown.get(names.ATTEMPT) == 1
        assert shown.get(names.OPERATOR) is False
        assert (await handle.query("view", result_type=InstallmentView)) == scene.books.current
        await scene.settle(handle)
    assert (await handle.describe()).typed_search_attributes.get(names.STATE) == "CLOSED"


async def test_unknown_outcome_is_inquired_and_never_presented_again(
    temporal_client: Client,
) -> None:
    """An answer that never came is asked for by our number; the order is posted once."""
    scene = stage(temporal_client, presents=[NO_ANSWER], inquiries=[PENDING, OK])
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        await scene.settle(handle)
    assert len(scene.rail.posted) == 1
    assert scene.rail.inquired == [scene.rail.posted[0]] * 2


async def test_declined_debit_is_tried_again_under_a_new_number(temporal_client: Client) -> None:
    """A refusal is a final outcome: the next attempt has its own order number."""
    scene = stage(temporal_client, presents=[NSF, OK])
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        await scene.settle(handle)
    assert len(set(scene.rail.posted)) == 2
    assert scene.rail.inquired == []


async def test_rail_that_is_down_leaves_the_order_unsent_for_later(
    temporal_client: Client,
) -> None:
    """What provably never left is recorded as unsent; the books plan another presentment."""
    down = RailUnavailable("connect")
    scene = stage(temporal_client, presents=[down, down, down, OK])
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        await scene.settle(handle)
    assert len(scene.books.applied("record_unsent")) == 1
    assert len(scene.rail.posted) == 1


async def test_driver_outlives_books_that_fail(temporal_client: Client) -> None:
    """Faults of an activity never end a driver: local tries, a normal activity, a fresh look."""
    scene = stage(temporal_client)
    scene.books.fail_next = [ConnectionError("books away")] * 3
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        await scene.settle(handle)
    assert len(scene.rail.posted) == 1


async def test_superseded_action_is_no_error(temporal_client: Client) -> None:
    """An action that became moot is answered with the view, and the driver follows the view."""
    scene = stage(temporal_client)
    opened = scene.books.current
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.current is not opened)
        moved = scene.books.action(ActionKind.PRESENT, timedelta(seconds=2))
        scene.books.change(next_action=moved)
        await reaches(scene, State.CLEARING)
        await scene.settle(handle)
    assert [command.kind for command in scene.books.commands].count("intend_debit") == 2
    assert len(scene.books.attempts) == 1
    assert len(scene.rail.posted) == 1


async def test_action_of_an_unknown_kind_waits_for_a_newer_view(temporal_client: Client) -> None:
    """An action of a later release that we do not know: nothing is done until news comes."""
    scene = stage(temporal_client)
    later = Action("SING", scene.books.now(), "a rule of tomorrow", "call/1")
    scene.books.current = scene.books.change(next_action=later)
    async with scene.workers():
        handle = await scene.open()
        await story_with(handle, "opened")
        assert scene.books.commands == []
        await scene.settle(handle)


async def test_action_that_changes_nothing_asks_for_a_person(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same action at the same version twice: a person is asked once, and the driver waits."""
    monkeypatch.setattr(policies, "PAUSE", timedelta(milliseconds=200))
    scene = stage(temporal_client)
    scene.books.stuck = True
    async with scene.workers():
        handle = await scene.open()
        await story_with(handle, "needs an operator")
        await asyncio.sleep(1)
        assert len(scene.books.applied("raise_operator")) == 1
        assert (await handle.describe()).typed_search_attributes.get(names.OPERATOR) is True
        await scene.settle(handle)


async def test_action_too_early_by_the_clock_of_the_books_waits_for_it(
    temporal_client: Client,
) -> None:
    """Books whose clock is behind call an action moot; the driver waits the difference."""
    scene = stage(temporal_client)
    scene.books.behind = timedelta(seconds=1)
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        await scene.settle(handle)
    assert scene.books.applied("raise_operator") == []
    assert len(scene.rail.posted) == 1


async def test_messages_before_the_first_task_are_not_lost(temporal_client: Client) -> None:
    """A hold that arrives before the driver has run at all still goes before the first action."""
    scene = stage(temporal_client)
    handle = await scene.open()
    await handle.signal("hold", hold())
    async with scene.workers():
        await story_with(handle, "hold by operator: applied")
        await asyncio.sleep(0.3)
        assert scene.rail.posted == []
        await handle.signal("unhold", sent("unhold", "u-1", "settled"))
        await reaches(scene, State.CLEARING)
        await scene.settle(handle)
    assert len(scene.rail.posted) == 1


async def test_order_that_comes_with_the_final_view_is_answered_before_the_end(
    temporal_client: Client,
) -> None:
    """A driver ends only when no message is unread: the last signal reaches the books too."""
    scene = stage(temporal_client)
    handle = await scene.open()
    await handle.signal(InstallmentWorkflow.wake, scene.books.settle())
    await handle.signal("hold", hold())
    async with scene.workers():
        await asyncio.wait_for(handle.result(), 20)
    assert isinstance(scene.books.commands[-1], Hold)


async def test_update_gives_the_new_view_or_a_stored_refusal(temporal_client: Client) -> None:
    """`override` answers with the view; a refusal names rule and reason and leaves the driver."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        day = date(2026, 12, 24)
        asked = sent("change_date", "d-1", "salary day", due_on=day)
        view = await handle.execute_update("override", asked, result_type=InstallmentView)
        assert view.labels.due_on == day
        scene.books.refuse = "waiver.limit"
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(
                InstallmentWorkflow.override, sent("write_off", "w-1", "gone")
            )
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError)
        assert (cause.type, cause.details[0]["rule"]) == ("Refused", "waiver.limit")
        await story_with(handle, "write_off by operator: refused by waiver.limit")
        await scene.settle(handle)


async def test_misshapen_update_is_rejected_without_a_trace(temporal_client: Client) -> None:
    """The validator checks shape only; what it rejects never reaches the books or the history."""
    scene = stage(temporal_client)
    async with scene.workers():
        handle = await scene.open()
        with pytest.raises(WorkflowUpdateFailedError) as rejected:
            await handle.execute_update(InstallmentWorkflow.override, hold(reason=" "))
        assert isinstance(rejected.value.cause, ApplicationError)
        assert rejected.value.cause.type == "InvalidInput"
        await scene.settle(handle)
    assert scene.books.applied("hold") == []
    assert (await counted(handle))["WORKFLOW_EXECUTION_UPDATE_ACCEPTED"] == 0


async def test_same_order_by_signal_and_update_counts_once(temporal_client: Client) -> None:
    """One id is one order, whichever way it comes; another content under it is refused."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("hold", hold())
        view = await handle.execute_update("override", hold(), result_type=InstallmentView)
        assert view.detail.hold == "all"
        other = {**hold(), "what": "debit"}
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(InstallmentWorkflow.override, other)
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.details[0]["rule"] == "conflict"
        await scene.settle(handle)
    assert len(scene.books.applied("hold")) == 1


async def test_cancel_request_becomes_a_hold(temporal_client: Client) -> None:
    """Cancelling the driver stops new debits in the books; the driver goes on and ends rightly."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        await story_with(handle, "REMIND")
        await handle.cancel()
        await story_with(handle, "hold by workflow: applied")
        closure = await scene.settle(handle)
    assert closure.state == State.CLOSED
    assert scene.books.applied("hold")[0].reason == "workflow cancel requested"


async def test_cancel_request_does_not_cut_a_debit_in_flight(temporal_client: Client) -> None:
    """The outcome of an order that was sent is recorded although the workflow was cancelled."""
    scene = stage(temporal_client)
    scene.rail.stop_after_send = asyncio.Event()
    async with scene.workers():
        handle = await scene.open()
        await asyncio.wait_for(scene.rail.sent.wait(), 20)
        await handle.cancel()
        await story_with(handle, "hold by workflow: applied")
        scene.rail.stop_after_send.set()
        await reaches(scene, State.CLEARING)
        closure = await scene.settle(handle)
    assert closure.state == State.CLOSED
    assert len(scene.rail.posted) == 1
    assert (await counted(handle))["ACTIVITY_TASK_CANCELED"] == 0


async def test_worker_shutdown_does_not_cut_a_debit_in_flight(temporal_client: Client) -> None:
    """A worker asked to stop answers and records the debit it has sent before it goes."""
    scene = stage(temporal_client)
    scene.grace = timedelta(milliseconds=200)
    answer = scene.rail.stop_after_send = asyncio.Event()
    async with scene.workers(debits=False):
        handle = await scene.open()
        async with scene.debit_worker():
            await asyncio.wait_for(scene.rail.sent.wait(), 20)
            asyncio.get_running_loop().call_later(1.0, answer.set)
        assert scene.books.current.state is State.CLEARING
        await scene.settle(handle)
    assert len(scene.rail.posted) == 1
    assert scene.rail.inquired == []


async def test_worker_that_froze_is_replaced_and_its_late_answer_does_no_harm(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No heartbeat: another try asks the rail; when the frozen one answers it is old news."""
    monkeypatch.setattr(shielded, "_EVERY_S", 3600.0)
    monkeypatch.setitem(policies.DEBIT, "heartbeat_timeout", timedelta(seconds=1))
    scene = stage(temporal_client)
    answer = scene.rail.stop_after_send = asyncio.Event()
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        version = scene.books.current.version
        answer.set()
        await until(lambda: len(scene.books.applied("record_outcome")) == 2)
        assert scene.books.current.version == version
        await scene.settle(handle)
    assert len(scene.rail.posted) == 1
    assert len(scene.rail.inquired) == 1


async def test_unknown_signal_is_counted_and_reported(temporal_client: Client) -> None:
    """A mistyped signal is not lost silently: it is counted, logged and in the story."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("holdd", {"id": "h"})
        tale = await story_with(handle, "unknown signal 'holdd'")
        assert tale.unknown_signals == 1
        await scene.settle(handle)


async def test_driver_of_an_old_generation_returns(temporal_client: Client) -> None:
    """Books that reopened an installment have a new driver for it; the old one steps aside."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        await story_with(handle, "REMIND")
        await handle.signal(InstallmentWorkflow.wake, scene.books.change(generation=2))
        closure = await asyncio.wait_for(handle.result(), 20)
    assert closure.reopened_as == 2


async def test_older_views_change_nothing(temporal_client: Client) -> None:
    """Views are folded by maximum: a message that comes late or twice has no effect."""
    scene = stage(temporal_client)
    old = scene.books.current
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        await story_with(handle, "CLEARING")
        await handle.signal(InstallmentWorkflow.wake, old)
        assert (await handle.query("view", result_type=InstallmentView)) == scene.books.current
        await scene.settle(handle)


async def test_driver_without_any_cache_does_the_same(temporal_client: Client) -> None:
    """With `max_cached_workflows=0` every task replays the history from its start."""
    scene = stage(temporal_client, presents=[NO_ANSWER, OK], inquiries=[NOT_FOUND])
    scene.cached = 0
    async with scene.workers():
        handle = await scene.open()
        await handle.signal(
            "waive",
            sent("waive", "v", "late", component=Component.FEE, amount_minor=5),
        )
        await reaches(scene, State.CLEARING)
        await handle.cancel()
        await story_with(handle, "hold by workflow: applied")
        await scene.settle(handle)
    assert len(scene.rail.posted) == 2


async def test_long_history_goes_on_in_a_new_run(
    temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver that has asked for very long continues as new, with its view, under its id."""
    monkeypatch.setattr(policies, "EVENTS_MOST", 20)
    scene = stage(temporal_client, presents=[NO_ANSWER], inquiries=[*[PENDING] * 4, OK])
    async with scene.workers():
        handle = await scene.open()
        await reaches(scene, State.CLEARING)
        closure = await scene.settle(handle)
    assert closure.state == State.CLOSED
    assert len(scene.rail.posted) == 1
    first = temporal_client.get_workflow_handle(handle.id, run_id=handle.result_run_id)
    history = await first.fetch_history()
    assert history.events[-1].HasField("workflow_execution_continued_as_new_event_attributes")


async def test_cancel_order_ends_the_driver(temporal_client: Client) -> None:
    """An installment that is never to be collected is final: its driver ends."""
    scene = stage(temporal_client)
    scene.books.pace = type(scene.books.pace)(present=timedelta(hours=1))
    async with scene.workers():
        handle = await scene.open()
        await handle.signal("cancel", sent("cancel", "c", "refinanced"))
        closure = await asyncio.wait_for(handle.result(), 20)
    assert closure.state == State.CANCELLED
