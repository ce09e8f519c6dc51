"""Counts what a run cost at Temporal: workflows, events and workflow tasks per installment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import EventType

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowHistory

SAMPLE = 300
_AT_ONCE = 10
_TASK = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
# The virtual clock writes events of its own into a history; a driver in production has none.
_CLOCKS = frozenset(
    number
    for name, number in EventType.items()
    if "TIME_SKIPPING" in name or name.endswith("EXECUTION_OPTIONS_UPDATED")
)


@dataclass(frozen=True, slots=True)
class TemporalCosts:
    """Counts of a run; averages over at most `SAMPLE` ended installments."""

    workflows: int
    sampled: int
    events: int
    tasks: int
    fewest_events: int = 0
    fewest_tasks: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The figures under the names that other programs read."""
        per = max(self.sampled, 1)
        return {
            "workflows": self.workflows,
            "events_per_installment": round(self.events / per, 1),
            "workflow_tasks_per_installment": round(self.tasks / per, 1),
            "fewest_events": self.fewest_events,
            "fewest_workflow_tasks": self.fewest_tasks,
        }


async def count_costs(client: Client) -> TemporalCosts:
    """Read the histories of ended installments; events of the virtual clock are left out."""
    workflows = (await client.count_workflows("")).count
    query = "WorkflowType='Installment' AND ExecutionStatus='Completed'"
    names = [found.id async for found in client.list_workflows(query, limit=SAMPLE)]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> tuple[int, int]:
        async with gate:
            return costs_of(await client.get_workflow_handle(name).fetch_history())

    found = await asyncio.gather(*(one(name) for name in names))
    return TemporalCosts(
        workflows,
        len(found),
        sum(events for events, _ in found),
        sum(tasks for _, tasks in found),
        min((events for events, _ in found), default=0),
        min((tasks for _, tasks in found), default=0),
    )


def costs_of(history: WorkflowHistory) -> tuple[int, int]:
    """Events and workflow tasks of one history, without those of the virtual clock."""
    events = [event.event_type for event in history.events if event.event_type not in _CLOCKS]
    return len(events), events.count(_TASK)
