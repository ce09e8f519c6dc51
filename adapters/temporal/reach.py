"""Asks a Temporal server what a worker needs to know of it; changes nothing there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import IndexedValueType, TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeScheduleRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

RPC = timedelta(seconds=5)
RECENT = timedelta(minutes=2)
"""A poller asks again every minute; the server lists it for five after its last question."""

_KINDS = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace that answers: the server's release, and how long closed histories are kept."""

    name: str
    server: str
    retention: timedelta


async def namespace_of(client: Client, within: timedelta = RPC) -> Namespace:
    """Ask for the client's namespace, once.

    Raises:
        RPCError: no server, no such namespace, or no right to see it.
    """
    service = client.workflow_service
    wanted = DescribeNamespaceRequest(namespace=client.namespace)
    described = await service.describe_namespace(wanted, timeout=within)
    system = await service.get_system_info(GetSystemInfoRequest(), timeout=within)
    kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
    return Namespace(client.namespace, system.server_version, kept)


async def search_attributes(client: Client) -> Mapping[str, str]:
    """Custom search attributes of the namespace by name, each with its type, such as `Keyword`.

    Raises:
        RPCError: above all where the operator service is closed to us, as in Temporal Cloud.
    """
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=RPC
    )
    return {
        name: IndexedValueType.Name(kind).removeprefix("INDEXED_VALUE_TYPE_").title()
        for name, kind in listed.custom_attributes.items()
    }


async def pollers(client: Client, queue: str, kind: str) -> int:
    """How many workers have asked a queue for tasks lately.

    Args:
        client: of the namespace.
        queue: by name.
        kind: `workflow` or `activity`.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=_KINDS[kind],
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=RPC)
    since = datetime.now(UTC) - RECENT
    seen = (it.last_access_time.ToDatetime(tzinfo=UTC) for it in answer.pollers)
    return sum(at >= since for at in seen)


async def paused(client: Client, schedule_id: str) -> bool | None:
    """Whether somebody paused a schedule; None where there is none of this id."""
    request = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
    try:
        answer = await client.workflow_service.describe_schedule(request, timeout=RPC)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return answer.schedule.state.paused
