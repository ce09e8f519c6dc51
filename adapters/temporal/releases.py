"""Rolling out a build: prove it on open histories, make it current, see when an old one is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.enums.v1 import EventType, VersionDrainageStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from adapters.temporal.worker import DEPLOYMENT, WORKFLOWS, runner

FAULTS_KEPT = 20
_RPC = timedelta(seconds=30)
_DECIDED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_DRAINED = VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINED
_DRAINING = VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINING


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many open histories were replayed with this code, and what did not fit."""

    histories: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Build:
    """One build: `state` is current, draining (open drivers are pinned to it), drained or idle."""

    build_id: str
    state: str


async def replay_open(client: Client, most: int, workflows: Sequence[type] = WORKFLOWS) -> Replayed:
    """Replay what is open with the code of this process, newest first, at most `most` histories.

    Nothing is changed on the server. Encrypted histories are read with the client's keys.
    """
    replayer = Replayer(
        workflows=workflows, data_converter=client.data_converter, workflow_runner=runner()
    )
    count, faults = 0, []
    async for found in client.list_workflows("ExecutionStatus='Running'", limit=most):
        handle = client.get_workflow_handle(found.id, run_id=found.run_id)
        history = await handle.fetch_history()
        count += 1
        if not any(event.event_type == _DECIDED for event in history.events):
            continue  # it waits for its first task: nothing was decided, and a replay never ends
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            faults.append(f"{found.id}: {result.replay_failure}"[:500])
    return Replayed(count, tuple(faults[:FAULTS_KEPT]))


async def make_current(client: Client, build_id: str) -> None:
    """Give new drivers to a build. Its workers must be polling; open drivers stay where they are.

    Raises:
        RPCError: the server knows no worker of this build, or one of its queues has none.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=DEPLOYMENT,
        build_id=build_id,
        identity=client.identity,
    )
    await client.workflow_service.set_worker_deployment_current_version(request, timeout=_RPC)


async def builds(client: Client) -> tuple[Build, ...]:
    """Every build that the server knows, the newest first; empty where none was ever started."""
    request = DescribeWorkerDeploymentRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT
    )
    try:
        answer = await client.workflow_service.describe_worker_deployment(request, timeout=_RPC)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return ()
        raise
    info = answer.worker_deployment_info
    known = sorted(info.version_summaries, key=lambda it: it.create_time.seconds, reverse=True)
    return tuple(
        Build(it.deployment_version.build_id, _state(info, it.deployment_version.build_id, it))
        for it in known
    )


def _state(
    info: WorkerDeploymentInfo,
    build_id: str,
    summary: WorkerDeploymentInfo.WorkerDeploymentVersionSummary,
) -> str:
    if info.routing_config.current_deployment_version.build_id == build_id:
        return "current"
    return {_DRAINED: "drained", _DRAINING: "draining"}.get(summary.drainage_status, "idle")
