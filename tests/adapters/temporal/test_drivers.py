"""Drivers opened asleep, woken, found and refused, on a real server."""

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from pydantic import TypeAdapter
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.healing import HealOrder
from activities.sweeps import SweepOrder
from adapters.temporal.dispatchers import dispatchers
from adapters.temporal.drivers import TemporalDrivers
from adapters.temporal.schedules import ensure_schedules
from adapters.temporal.stamp import StampedStarts, ahead_by
from domain.errors import Conflict
from domain.loan.lifecycle import State
from domain.loan.view import InstallmentView
from ports.drivers import DriverGone
from ports.outbox import OutboxRow
from tests.support.stage import Stage, counted, stage, until
from workflows import names

HOUR = timedelta(hours=1)
VIEW = TypeAdapter(InstallmentView)


def drivers(scene: Stage, client: Client | None = None, books_id: str = "b1") -> TemporalDrivers:
    books = scene.books

    async def name() -> str:
        return books_id

    return TemporalDrivers(client or scene.client, books, books.clock, name, scene.queue)


def asleep(scene: Stage) -> InstallmentView:
    """A view whose first action is an hour away."""
    action = scene.books.current.next_action
    assert action is not None
    return scene.books.change(next_action=replace(action, not_before=scene.books.now() + HOUR))


def row(topic: str, view: InstallmentView) -> OutboxRow:
    """A message as the books write it: the view as JSON."""
    body = {"view": VIEW.dump_python(view, mode="json")}
    return OutboxRow(1, topic, "loan/1", body, None, 0)


async def test_open_message_delivered_twice_starts_one_driver_and_leaves_it_asleep(
    temporal_client: Client,
) -> None:
    """`open` twice: one start, no signal, no workflow task before the first action."""
    scene = stage(temporal_client)
    view = asleep(scene)
    dispatcher = dispatchers(drivers(scene))["open"]
    await dispatcher.deliver(row("open", view))
    await dispatcher.deliver(row("open", view))
    handle = temporal_client.get_workflow_handle(names.driver_id(view))
    events = await counted(handle)
    assert events == {"WORKFLOW_EXECUTION_STARTED": 1}
    memo = await (await handle.describe()).memo()
    assert memo[names.MEMO_BOOKS] == "b1"
    assert await drivers(scene).running(view)
    await handle.terminate()


async def test_wake_ends_the_sleep_of_an_open_driver(temporal_client: Client) -> None:
    """`wake` reaches a driver before its first action, and it ends with a final view."""
    scene = stage(temporal_client)
    view = asleep(scene)
    both = dispatchers(drivers(scene))
    await both["open"].deliver(row("open", view))
    async with scene.workers():
        await both["wake"].deliver(row("wake", scene.books.settle()))
        handle = temporal_client.get_workflow_handle(names.driver_id(view))
        await asyncio.wait_for(handle.result(), 20)
    assert (await counted(handle))["WORKFLOW_EXECUTION_STARTED"] == 1


async def test_driver_opened_asleep_and_woken_costs_four_workflow_tasks(
    temporal_client: Client,
) -> None:
    """Open with a delay, remind, debit, settlement by `wake`: 4 workflow tasks, 24 events."""
    scene = stage(temporal_client)
    action = scene.books.current.next_action
    assert action is not None
    soon = scene.books.now() + timedelta(seconds=1)
    view = scene.books.change(next_action=replace(action, not_before=soon))
    both = dispatchers(drivers(scene))
    async with scene.workers():
        await both["open"].deliver(row("open", view))
        await until(lambda: scene.books.current.state is State.CLEARING)
        await asyncio.sleep(0.5)
        await both["wake"].deliver(row("wake", scene.books.settle()))
        handle = temporal_client.get_workflow_handle(names.driver_id(view))
        await asyncio.wait_for(handle.result(), 20)
    events = await counted(handle)
    assert events["WORKFLOW_TASK_COMPLETED"] <= 4
    assert events.total() <= 24


async def test_wake_starts_a_driver_that_is_missing(temporal_client: Client) -> None:
    """Where the open message was lost, the wake message starts the driver from its own view."""
    scene = stage(temporal_client)
    assert not await drivers(scene).running(scene.books.current)
    async with scene.workers():
        await dispatchers(drivers(scene))["wake"].deliver(row("wake", scene.books.current))
        await until(lambda: scene.books.current.state is State.CLEARING)
        await dispatchers(drivers(scene))["wake"].deliver(row("wake", scene.books.settle()))
        handle = temporal_client.get_workflow_handle(names.driver_id(scene.books.current))
        await asyncio.wait_for(handle.result(), 20)


async def test_already_completed_counts_only_if_the_books_are_final(
    temporal_client: Client,
) -> None:
    """A message for a driver that has ended is delivered when the books agree, else a fault."""
    scene = stage(temporal_client)
    wake = dispatchers(drivers(scene))["wake"]
    final = replace(scene.books.current, state=State.CLOSED, is_final=True, next_action=None)
    async with scene.workers():
        await wake.deliver(row("wake", final))
        handle = temporal_client.get_workflow_handle(names.driver_id(final))
        await asyncio.wait_for(handle.result(), 20)
    with pytest.raises(DriverGone):
        await wake.deliver(row("wake", final))
    scene.books.settle()
    await wake.deliver(row("wake", final))
    scene.books.change(is_final=False, generation=2, state=State.RETRYING)
    await dispatchers(drivers(scene))["open"].deliver(row("open", final))


async def test_driver_of_other_books_under_the_same_id_is_seen(temporal_client: Client) -> None:
    """Two databases on one namespace: neither takes the other's driver for its own."""
    scene = stage(temporal_client)
    view = asleep(scene)
    await drivers(scene).open(view)
    with pytest.raises(Conflict):
        await drivers(scene, books_id="b2").open(view)
    await temporal_client.get_workflow_handle(names.driver_id(view)).terminate()


async def test_terminated_driver_is_started_again(temporal_client: Client) -> None:
    """Only failed, terminated or cancelled runs may be followed by another under one id."""
    scene = stage(temporal_client)
    view = asleep(scene)
    await drivers(scene).open(view)
    handle = temporal_client.get_workflow_handle(names.driver_id(view))
    await handle.terminate()
    assert not await drivers(scene).running(view)
    await drivers(scene).wake(view)
    assert await drivers(scene).running(view)
    await handle.terminate()


async def test_stamped_start_runs_at_the_sandbox_now(temporal_client: Client) -> None:
    """On day 200 of a sandbox a driver opens, acts at its actions and ends, in real seconds."""
    scene = stage(temporal_client)
    scene.books.clock.offset = offset = timedelta(days=200)
    stamped = await Client.connect(
        temporal_client.service_client.config.target_host,
        namespace=temporal_client.namespace,
        data_converter=pydantic_data_converter,
        interceptors=[StampedStarts(lambda delay: ahead_by(offset, delay))],
    )
    action = scene.books.current.next_action
    assert action is not None
    soon = scene.books.now() + timedelta(seconds=1)
    view = scene.books.change(next_action=replace(action, not_before=soon))
    both = dispatchers(drivers(scene, stamped))
    async with scene.workers():
        await both["open"].deliver(row("open", view))
        await until(lambda: scene.books.current.state is State.CLEARING)
        await both["wake"].deliver(row("wake", scene.books.settle()))
        handle = temporal_client.get_workflow_handle(names.driver_id(view))
        await asyncio.wait_for(handle.result(), 20)
    history = await handle.fetch_history()
    ended = history.events[-1].event_time.ToDatetime(UTC)
    assert timedelta(0) <= ended - soon < timedelta(minutes=2)
    assert len(scene.rail.posted) == 1


async def test_schedules_are_created_once_and_renewed(temporal_client: Client) -> None:
    """`ensure_schedules` at every start of a worker leaves one sweep and one healing schedule."""
    scene = stage(temporal_client)
    tenant = scene.books.loan_id
    for account in ("A-1", "A-2"):
        order = SweepOrder(tenant, timezone="Asia/Shanghai", accounts=(account,))
        await ensure_schedules(temporal_client, tenant, [order], HealOrder(), scene.queue)
    for schedule in (f"sweep/{tenant}/Asia.Shanghai", f"heal/{tenant}"):
        handle = temporal_client.get_schedule_handle(schedule)
        assert (await handle.describe()).id == schedule
        await handle.delete()
