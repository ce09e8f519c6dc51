"""The driver on a real server, with fake books and a fake rail."""

import asyncio

from temporalio.client import Client

from domain.loan.lifecycle import State
from tests.support.stage import counted, stage, until
from workflows.messages import Closure


async def test_happy_path_takes_four_workflow_tasks_and_one_post(temporal_client: Client) -> None:
    """Reminder, debit, settlement: 4 workflow tasks, at most 24 events, 4 commands, 1 POST."""
    scene = stage(temporal_client)
    async with scene.workers():
        handle = await scene.open()
        await until(lambda: scene.books.current.state is State.CLEARING)
        await asyncio.sleep(0.5)
        closure = await scene.settle(handle)
    assert closure == Closure(scene.books.loan_id, 1, 1, State.CLOSED, scene.books.current.version)
    events = await counted(handle)
    print("happy path:", dict(events), "in all", events.total())
    assert events["WORKFLOW_TASK_COMPLETED"] == 4
    assert events.total() <= 24
    assert len(scene.rail.posted) == 1
    assert [command.kind for command in scene.books.commands] == [
        "queue_reminder",
        "intend_debit",
        "record_outcome",
    ]
