"""The workflow of checkpoints on a real server: one activity, over real books."""

import asyncio
import uuid
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.healing import HealOrder
from activities.sealing import SealActivities
from adapters.anchors.folder import FolderAnchor
from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.checkpoints import SqlCheckpoints
from adapters.temporal.schedules import ensure_schedules, schedule_ids, seal_schedule
from adapters.temporal.worker import Role, books_role, build_worker
from ports.signing import Signer
from tests.support.booksbench import StillClock
from tests.support.forging import a_signer
from tests.support.memory import RULES, board
from workflows.seal import SealWorkflow


@pytest.mark.parametrize("signer", [a_signer(), None], ids=["with a key", "without a key"])
async def test_the_workflow_seals_or_fails_in_words(
    temporal_client: Client, sqlite_url: str, tmp_path: Path, signer: Signer | None
) -> None:
    """What comes back names size, root and witnesses; a missing key is not tried again."""
    await upgrade(sqlite_url)
    engine, queue = books_engine(sqlite_url), f"seal-{uuid.uuid4().hex[:10]}"
    async with SqlBooks(engine, StillClock(), RULES) as books:
        await books.apply(board("L1"))
    checkpoints = SqlCheckpoints(engine, StillClock(), signer)
    anchors = [FolderAnchor("vault", tmp_path)]
    activities = [SealActivities(checkpoints, anchors, StillClock()).seal]
    async with (
        build_worker(temporal_client, Role(queue, runs_workflows=True, pollers_most=3)),
        build_worker(temporal_client, books_role(), activities),
    ):
        handle = await temporal_client.start_workflow(SealWorkflow.run, id=queue, task_queue=queue)
        if signer is not None:
            done = await asyncio.wait_for(handle.result(), 60)
            kept = await checkpoints.last()
            assert kept is not None
            head = kept.checkpoint.head
            assert (done.size, done.root) == (head.size, head.root.hex())
            assert done.witnessed == ("vault",)
        else:
            with pytest.raises(WorkflowFailureError) as failed:
                await asyncio.wait_for(handle.result(), 60)
            assert isinstance(failed.value.cause, ActivityError)
            assert isinstance(failed.value.cause.cause, ApplicationError)
            assert failed.value.cause.cause.type == "InvalidInput"
    await engine.dispose()


async def test_the_schedule_is_there_with_a_key_only(temporal_client: Client) -> None:
    """`acquit doctor` looks for the same schedules as a worker creates."""
    tenant = f"t-{uuid.uuid4().hex[:10]}"
    await ensure_schedules(temporal_client, tenant, [], HealOrder(), "nobody")
    assert f"seal/{tenant}" not in schedule_ids(tenant, [])
    with pytest.raises(RPCError) as unknown:
        await temporal_client.get_schedule_handle(f"seal/{tenant}").describe()
    assert unknown.value.status is RPCStatusCode.NOT_FOUND
    for _ in range(2):
        await ensure_schedules(temporal_client, tenant, [], HealOrder(), "nobody", seals=True)
    for schedule in schedule_ids(tenant, [], seals=True):
        handle = temporal_client.get_schedule_handle(schedule)
        assert (await handle.describe()).id == schedule
        await handle.delete()
    spec = seal_schedule(tenant).spec
    assert len(spec.intervals) == 1
