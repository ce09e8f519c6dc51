"""A worker in a process of its own, so that its CPU time is nobody else's."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Callable, Mapping

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from adapters.temporal import worker
from adapters.temporal.client import make_client

RUNNERS: Mapping[str, Callable[[], WorkflowRunner]] = {
    "sandboxed": worker.runner,
    "not sandboxed": UnsandboxedWorkflowRunner,
    "nothing passed through": lambda: SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default
    ),
}


async def main() -> None:
    """Work until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--queue", required=True)
    parser.add_argument("--runner", choices=RUNNERS, required=True)
    parser.add_argument("--cache", type=int, required=True)
    options = parser.parse_args()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await make_client(options.address, options.namespace)
    made = RUNNERS[options.runner]()
    worker.runner = lambda: made  # type: ignore[assignment,return-value]
    role = worker.workflow_role(options.queue)
    async with worker.build_worker(client, role, max_cached_workflows=options.cache):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
