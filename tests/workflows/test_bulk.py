"""Sweeps, statements, healing and boarding on a real server, over fakes."""

import asyncio
import uuid
from dataclasses import replace
from datetime import date

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError

from activities.healing import HealOrder
from activities.sweeps import SweepOrder
from tests.fakes.books import FakeBooks
from tests.fakes.bulk import PLAIN
from tests.support.bulk import BulkStage
from workflows import names

DAY = date(2026, 12, 1)


def scene_of(client: Client) -> tuple[BulkStage, str]:
    mark = uuid.uuid4().hex[:10]
    return BulkStage(client, f"bulk-{mark}"), f"t-{mark}"


def cause(error: WorkflowFailureError) -> ApplicationError:
    assert isinstance(error.cause, ActivityError)
    assert isinstance(error.cause.cause, ApplicationError)
    return error.cause.cause


async def test_sweep_rolls_loans_and_has_new_statements_read(temporal_client: Client) -> None:
    """One sweep: loans rolled, the new file kept and read by its own workflow, once."""
    scene, tenant = scene_of(temporal_client)
    scene.queries.to_roll, scene.outbox.waiting = ["L-1", "L-2"], 4
    sha256 = scene.source.offer("f1", b"s1", DAY)
    order = SweepOrder(tenant, DAY, accounts=("acc",))
    async with scene.workers():
        handle = await scene.starter.sweep(order, DAY)
        report = await asyncio.wait_for(handle.result(), 30)
        read = temporal_client.get_workflow_handle(names.statement_id(tenant, sha256))
        await asyncio.wait_for(read.result(), 30)
    assert (report.loans, report.failed, report.delivered) == (2, 0, 4)
    assert (report.statements_offered, report.statements_started) == (1, 1)
    assert scene.archive.record("s1").lines == 3
    assert not await scene.starter.start_statement(tenant, sha256)


async def test_refused_file_is_a_failure_that_reads_well(temporal_client: Client) -> None:
    """A broken file ends its workflow with field, value and rule; it may be started again."""
    scene, tenant = scene_of(temporal_client)
    sha256 = scene.archive.put(b"nonsense")
    async with scene.workers():
        assert await scene.starter.start_statement(tenant, sha256)
        handle = temporal_client.get_workflow_handle(names.statement_id(tenant, sha256))
        with pytest.raises(WorkflowFailureError) as failed:
            await asyncio.wait_for(handle.result(), 30)
        assert cause(failed.value).type == "StatementRefused"
        assert await scene.starter.start_statement(tenant, sha256)
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), 30)


async def test_a_look_after_statements_takes_what_is_there(temporal_client: Client) -> None:
    """Asked for by a person: one look, whose new file is read by a workflow of its own, once."""
    scene, tenant = scene_of(temporal_client)
    sha256 = scene.source.offer("f1", b"s1", scene.clock.now().date())
    async with scene.workers():
        seen = await asyncio.wait_for(scene.starter.watch(tenant), 30)
        booked = await asyncio.wait_for(scene.starter.booked(tenant, sha256), 30)
        again = await asyncio.wait_for(scene.starter.watch(tenant), 30)
    assert (seen.offered, seen.started, seen.faults) == (1, 1, ())
    assert (booked.statements, booked.lines) == (1, 3)
    assert (again.offered, again.started) == (1, 0)


async def test_healing_wakes_who_is_missing(temporal_client: Client) -> None:
    """A round of healing wakes the driver that the books want and the server does not have."""
    scene, tenant = scene_of(temporal_client)
    scene.queries.open = [FakeBooks("r", "L-9").current]
    async with scene.workers():
        await asyncio.wait_for(scene.starter.heal(tenant, HealOrder()), 30)
    assert scene.drivers.woken == [FakeBooks("r", "L-9").current.subject]


async def test_boarding_is_idempotent_and_its_failures_read_well(temporal_client: Client) -> None:
    """The same application twice is one workflow; another under its id is refused; faults named."""
    scene, tenant = scene_of(temporal_client)
    async with scene.workers():
        good = replace(PLAIN, tenant=tenant)
        first = await (await scene.starter.board(good)).result()
        again = await (await scene.starter.board(good)).result()
        assert first == again
        with pytest.raises(WorkflowAlreadyStartedError):
            await scene.starter.board(replace(PLAIN, tenant=tenant, periods="6"))
        wrong = replace(PLAIN, tenant=tenant, loan_id="L-2", principal="0")
        with pytest.raises(WorkflowFailureError) as failed:
            await (await scene.starter.board(wrong)).result()
    refused = failed.value.cause
    assert isinstance(refused, ApplicationError)
    assert refused.details[0]["field"] == "principal"
