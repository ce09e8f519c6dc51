"""What it takes to be there: the command line's help, a worker until it polls, a worker at rest."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import psutil
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from adapters.temporal.client import connect
from benchmarks.harness import Report, Sample, rounds, stretch
from benchmarks.machine import ROOT
from sandbox.local import LocalOptions, LocalStack
from workers.processes import Child, free_port
from workers.settings import Settings, environment, temporal_config
from workflows import names

_POLLS_WITHIN_S = 60.0
ROLES = {
    "worker all": ("all", names.WORKFLOWS),
    "worker workflows": ("workflows", names.WORKFLOWS),
    "worker books": ("books", names.BOOKS),
    "worker debit.simbank": ("debit.simbank", names.debit_queue("simbank")),
}


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--starts", type=int, default=10, help="of each command and round")
    parser.add_argument("--rest", type=float, default=5.0, help="seconds a worker is watched idle")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match commands, then workers."""
    starts = report.size(options.starts, 2)
    commands = {
        "acquit --help": ("-m", "cli", "--help"),
        "acquit worker --help": ("-m", "cli", "worker", "--help"),
        "import typer": ("-c", "import typer"),
        "python": ("-c", "pass"),
    }
    done = await rounds(
        {name: partial(_started, words, starts) for name, words in commands.items()},
        report.rounds,
        report.say,
    )
    report.match("Commands", done, "python", "starts")
    rest = 1.0 if report.quick else options.rest
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(home=Path(scratch) / "home", api_port=free_port())
        async with LocalStack(settings, LocalOptions(workers=0), report.say) as local:
            client = await connect(temporal_config(local.record))
            done = await rounds(
                {
                    name: partial(_polling, local, client, role, queue, rest)
                    for name, (role, queue) in ROLES.items()
                },
                report.rounds,
                report.say,
            )
    report.match("Workers", done, "worker all", "starts")


async def _started(words: Sequence[str], count: int) -> Sample:
    wrong = ""
    with stretch() as took:
        before = psutil.Process().cpu_times()
        for _ in range(count):
            argv = [sys.executable, *words]
            left = subprocess.run(argv, cwd=ROOT, capture_output=True, check=False)  # noqa: ASYNC221
            if left.returncode:
                wrong = f"exit code {left.returncode}"
        after = psutil.Process().cpu_times()
    children = after.children_user + after.children_system
    spent = children - before.children_user - before.children_system
    return Sample(count, took.seconds, {"command": spent}, {}, wrong)


async def _polling(
    local: LocalStack, client: Client, role: str, queue: str, rest_s: float
) -> Sample:
    """One worker from its start until it polls; then at rest."""
    argv = [sys.executable, "-m", "cli", "--home", str(local.home), "worker", role]
    env = environment(ACQUIT_API_PORT=str(free_port()))
    began = time.perf_counter()
    child = await Child.start(argv, log=local.home / "logs" / "bench.log", env=env, cwd=ROOT)
    try:
        async with asyncio.timeout(_POLLS_WITHIN_S):
            while not await _polled_by(client, queue, child.pid):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        seconds = time.perf_counter() - began
        process = psutil.Process(child.pid)
        started = _spent(process)
        await asyncio.sleep(rest_s)
        more = {
            "MiB resident": process.memory_info().rss / 2**20,
            "MiB of its own": process.memory_full_info().uss / 2**20,
            "CPU ms a second at rest": 1000 * (_spent(process) - started) / rest_s,
        }
    finally:
        await child.stop()
    return Sample(1, seconds, {"worker": started}, more)


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _polled_by(client: Client, queue: str, pid: int) -> bool:
    """Whether a process polls a queue; the SDK names a worker `pid@host`."""
    kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    if queue == names.WORKFLOWS:
        kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    found = await client.workflow_service.describe_task_queue(request)
    return any(poller.identity.startswith(f"{pid}@") for poller in found.pollers)
