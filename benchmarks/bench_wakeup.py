"""Cold wake-ups: a driver that fell out of the worker's cache receives news and is replayed first.

Many drivers, a cache of 20, and news for each of them in turn: every workflow task begins with an
empty cache. Measured is the CPU time of the worker's process for one task.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle

from adapters.temporal.client import make_client
from benchmarks.coldworker import RUNNERS
from benchmarks.harness import Report, Sample, rounds
from benchmarks.machine import ROOT
from benchmarks.world import TENANT
from domain.kernel.view import Action, Labels, View
from domain.loan.lifecycle import State
from domain.loan.view import ActionKind, InstallmentDetail, InstallmentView, installment
from sandbox.devserver import SANDBOX_FLAGS, DevServer, DevServerOptions
from sandbox.serverbinary import find_server
from workers.processes import Child
from workflows import names
from workflows.installment import InstallmentWorkflow
from workflows.messages import Closure, DriverOrder

Handle = WorkflowHandle[InstallmentWorkflow, Closure]
_AT_ONCE = 8
_QUIET_WITHIN_S = 120.0
_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
_FAULTS = frozenset(
    {EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT}
)


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Options of this benchmark."""
    parser.add_argument("--drivers", type=int, default=100, help="of each contestant")
    parser.add_argument("--cache", type=int, default=20, help="workflows that a worker keeps")


async def run(options: argparse.Namespace, report: Report) -> None:
    """Match the runners."""
    count = report.size(options.drivers, 2 * options.cache)
    report.note(f"{count} drivers for each contestant, a cache of {options.cache}")
    async with AsyncExitStack() as closing:
        scratch = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        binary = await find_server(os.environ, report.say)
        flags = DevServerOptions(dynamic_config=SANDBOX_FLAGS)
        server = await closing.enter_async_context(DevServer(binary, flags))
        client = await make_client(server.address, server.namespace)
        contestants: dict[str, Callable[[], Awaitable[Sample]]] = {}
        for number, runner in enumerate(RUNNERS):
            words = ["--address", server.address, "--namespace", server.namespace]
            words += ["--queue", f"cold{number}", "--runner", runner, "--cache", str(options.cache)]
            argv = [sys.executable, "-m", "benchmarks.coldworker", *words]
            child = await Child.start(argv, log=scratch / f"{number}.log", cwd=ROOT)
            closing.push_async_callback(child.stop)
            cold = _Cold(client, child.pid, f"cold{number}")
            await cold.open(count)
            contestants[runner] = cold.wake
        done = await rounds(contestants, report.rounds, report.say)
    report.match("Cold wake-ups", done, "sandboxed", "tasks")


class _Cold:
    """Drivers of one worker, and their worker's process."""

    def __init__(self, client: Client, pid: int, queue: str) -> None:
        self._client, self._queue = client, queue
        self._process = psutil.Process(pid)
        self._version = 1
        self._drivers: list[tuple[InstallmentView, Handle]] = []

    async def open(self, count: int) -> None:
        """Start drivers that wait for a month to pass; their first task is not measured."""
        for number in range(count):
            view = _view(f"{self._queue}-{number:04d}")
            handle = await self._client.start_workflow(
                InstallmentWorkflow.run,
                DriverOrder.of(view),
                id=names.driver_id(view),
                task_queue=self._queue,
                search_attributes=names.attributes(view),
            )
            self._drivers.append((view, handle))
        await self._quiet([handle for _, handle in self._drivers])

    async def wake(self) -> Sample:
        """Bring a newer view to each driver: one cold workflow task each."""
        self._version += 1
        before, began = self._spent(), time.perf_counter()
        for first in range(0, len(self._drivers), _AT_ONCE):
            some = self._drivers[first : first + _AT_ONCE]
            newer = [(replace(view, version=self._version), handle) for view, handle in some]
            await asyncio.gather(
                *(handle.signal(InstallmentWorkflow.wake, view) for view, handle in newer)
            )
            await self._quiet([handle for _, handle in some])
        seconds, spent = time.perf_counter() - began, self._spent() - before
        memory = self._process.memory_info().rss / 2**20
        count = len(self._drivers)
        events, wrong = await self._faults()
        more = {"events replayed": events, "worker, MiB": memory}
        return Sample(count, seconds, {"worker": spent}, more, wrong)

    def _spent(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    async def _quiet(self, handles: Sequence[Handle]) -> None:
        async with asyncio.timeout(_QUIET_WITHIN_S):
            for handle in handles:
                while (await handle.describe()).raw_description.HasField("pending_workflow_task"):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def _faults(self) -> tuple[float, str]:
        """Events of a history, and what is wrong: each view is one task, and none failed."""
        _, handle = self._drivers[-1]
        kinds = [event.event_type for event in (await handle.fetch_history()).events]
        tasks, failed = kinds.count(_COMPLETED), sum(kind in _FAULTS for kind in kinds)
        if tasks != self._version or failed:
            return len(kinds), f"{tasks} tasks for {self._version} views, {failed} failed"
        return len(kinds), ""


def _view(name: str) -> InstallmentView:
    due = datetime.now(UTC) + timedelta(days=30)
    return View(
        tenant=TENANT,
        subject=installment(name, 1),
        generation=1,
        version=1,
        state=State.SCHEDULED,
        labels=Labels(name, 1, due.date(), "CNY", 10_100, "simbank"),
        detail=InstallmentDetail(),
        next_action=Action(ActionKind.REMIND, due, "reminder on the due date", "remind/0/0"),
    )
