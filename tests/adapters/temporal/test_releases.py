"""A new build rolls in while installments are open: each ends on the build that began it."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.debits import DebitActivities
from adapters.temporal.releases import builds, make_current, replay_open
from adapters.temporal.worker import Role, build_worker, debit_role
from domain.loan.lifecycle import State
from tests.support.stage import Handle, Stage, of_drivers, stage, until
from workflows import names
from workflows.installment import InstallmentWorkflow
from workflows.messages import DriverOrder


def driver_worker(scene: Stage, build: str) -> AbstractAsyncContextManager[Worker]:
    books = scene.books
    activities: list[Callable[..., Any]] = [
        *of_drivers(books),
    ]
    role = Role(scene.queue, runs_workflows=True, activities_at_once=5, pollers_most=3)
    return build_worker(scene.client, role, activities, build_id=build, grace=scene.grace)


def rail_worker(scene: Stage, build: str) -> AbstractAsyncContextManager[Worker]:
    books = scene.books
    activities = DebitActivities(books, books, {books.rail: scene.rail}, books.clock)
    role = debit_role(books.rail, 5)
    return build_worker(
        scene.client, role, [activities.present, activities.inquire], build_id=build
    )


async def becomes_current(client: Client, build: str) -> None:
    """The server learns of a build from its first poll."""
    async with asyncio.timeout(40):
        while True:
            try:
                return await make_current(client, build)
            except RPCError:
                await asyncio.sleep(0.2)


async def build_of(handle: Handle) -> str:
    info = (await handle.describe()).raw_description.workflow_execution_info
    return str(info.versioning_info.deployment_version.build_id)


@pytest.mark.slow
async def test_open_installments_end_on_the_build_that_began_them(temporal_client: Client) -> None:
    """Old and new run side by side; only the old one finishes what it began, then it is done."""
    mark = uuid.uuid4().hex[:8]
    old, new = f"old-{mark}", f"new-{mark}"
    first, second = stage(temporal_client), stage(temporal_client)
    second.queue = first.queue
    async with rail_worker(first, new), rail_worker(second, new), driver_worker(first, old):
        await becomes_current(temporal_client, old)
        began = await first.open()
        await until(lambda: first.books.current.state is State.CLEARING)
        async with driver_worker(second, new):
            await becomes_current(temporal_client, new)
            later = await second.open()
            await until(lambda: second.books.current.state is State.CLEARING)
            assert (await build_of(began), await build_of(later)) == (old, new)
            states = {it.build_id: it.state for it in await builds(temporal_client)}
            assert (states[old], states[new]) == ("draining", "current")
            await second.settle(later)
            await first.settle(began)
            assert await build_of(began) == old


@workflow.defn(name="Installment")
class Forgetful:
    """A driver that does nothing: what a careless change would look like to open histories."""

    @workflow.run
    async def run(self, order: object) -> None:
        """End at once."""


async def test_a_driver_that_waits_for_its_first_task_does_not_hold_a_release_up(
    temporal_client: Client,
) -> None:
    """Most open drivers of a lender have a start delay: there is nothing of theirs to replay."""
    scene = stage(temporal_client)
    view = scene.books.current
    handle = await temporal_client.start_workflow(
        InstallmentWorkflow.run,
        DriverOrder.of(view),
        id=names.driver_id(view),
        task_queue=scene.queue,
        start_delay=timedelta(hours=1),
    )
    async with asyncio.timeout(60):
        found = await replay_open(temporal_client, 5)
    assert found.histories >= 1
    assert [fault for fault in found.faults if fault.startswith(handle.id)] == []
    await handle.terminate("the test is over")


async def test_open_histories_are_replayed_before_a_build_goes_out(temporal_client: Client) -> None:
    """This code fits every open history; a driver that acts otherwise is caught by name."""
    scene = stage(temporal_client)
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.current.state is State.CLEARING)
        fits = await replay_open(temporal_client, 5)
        assert fits.histories >= 1
        assert [fault for fault in fits.faults if fault.startswith(handle.id)] == []
        careless = await replay_open(temporal_client, 5, [Forgetful])
        assert any(fault.startswith(handle.id) for fault in careless.faults)
        await scene.settle(handle)
