"""When an installation is ready: every queue has somebody who polls it, every port answers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from workers.console import Unavailable
from workers.topologyparts import HOST, RAIL
from workflows import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.processes import Child
    from workers.topologyparts import Ports

QUEUES = (
    (names.WORKFLOWS, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
    (names.WORKFLOWS, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    (names.BOOKS, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
    (names.debit_queue(RAIL), TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
)
_POLL_S = 0.3


async def until_ready(
    ports: Ports, namespace: str, children: Mapping[str, Child], within_s: float
) -> None:
    """Wait until everything answers.

    Raises:
        Unavailable: a part has ended, or not all answer within `within_s` seconds.
    """
    lacking = "everything"
    try:
        async with asyncio.timeout(within_s):
            while lacking:
                for name, child in children.items():
                    if child.returncode is not None:
                        text = f"{name} ended with {child.returncode}:\n{child.tail()}"
                        raise Unavailable(text)
                lacking = await _lacking(ports, namespace)
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise Unavailable(f"not ready after {within_s:g} s: {lacking}") from None


async def _lacking(ports: Ports, namespace: str) -> str:
    for name, port in (("api", ports.api), ("simulator", ports.simulator)):
        if not await _listens(port):
            return name
    try:
        client = await Client.connect(f"{HOST}:{ports.temporal}", namespace=namespace)
        for queue, kind in QUEUES:
            request = DescribeTaskQueueRequest(
                namespace=namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
            answer = await client.workflow_service.describe_task_queue(request)
            if not answer.pollers:
                return f"a poller of {queue}"
    except (RPCError, RuntimeError) as error:
        return f"Temporal: {error}"
    return ""


async def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(HOST, port)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
    return False
