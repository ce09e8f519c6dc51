"""The Temporal Schedules: sweeps, healing, statements, audits, checkpoints; not in a sandbox."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from activities.auditing import AuditOrder
from activities.healing import HealOrder
from activities.statementwatch import WatchOrder
from activities.sweeps import SweepOrder
from workflows import names
from workflows.audit_day import AuditDayWorkflow
from workflows.daily_sweep import DailySweepWorkflow
from workflows.heal import HealWorkflow
from workflows.seal import SealWorkflow
from workflows.watch_statements import WatchStatementsWorkflow

HEAL_EVERY = timedelta(minutes=5)
WATCH_EVERY = timedelta(minutes=5)
SEAL_EVERY = timedelta(hours=1)
AUDIT_HOUR, AUDIT_MINUTE = 7, 40
"""UTC: banks' end-of-day statements of the day before have come by then in most of the world."""
SWEEP_HOURS = (0, 6, 12, 18)
"""Local hours: soon after midnight, and again for statements that come during the day."""


def sweep_schedule(order: SweepOrder, queue: str = names.WORKFLOWS) -> Schedule:
    """Sweep at `SWEEP_HOURS` of the order's time zone.

    Missed runs older than a day are dropped: a later sweep catches up from the last day done.
    """
    return Schedule(
        action=ScheduleActionStartWorkflow(
            DailySweepWorkflow.run,
            order,
            id=f"{_sweep_of(order)}/scheduled",
            task_queue=queue,
            static_summary="the day's bulk work",
        ),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(
                    hour=[ScheduleRange(hour) for hour in SWEEP_HOURS], minute=[ScheduleRange(5)]
                )
            ],
            time_zone_name=order.timezone,
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=1)),
    )


def heal_schedule(tenant: str, order: HealOrder, queue: str = names.WORKFLOWS) -> Schedule:
    """Heal every few minutes; a round that is still at work is not overtaken by the next."""
    schedule_id, summary = _heal_of(tenant), "a round of healing"
    return _regular(HealWorkflow.run, [order], schedule_id, HEAL_EVERY, summary, queue)


def watch_schedule(tenant: str, queue: str = names.WORKFLOWS) -> Schedule:
    """Look after statements every few minutes; one look is not overtaken by the next."""
    order, schedule_id, summary = WatchOrder(tenant), _watch_of(tenant), "a look after statements"
    return _regular(WatchStatementsWorkflow.run, [order], schedule_id, WATCH_EVERY, summary, queue)


def seal_schedule(tenant: str, queue: str = names.WORKFLOWS) -> Schedule:
    """Make a checkpoint every hour; a missed one is not made up for, the next covers it."""
    schedule_id, summary = _seal_of(tenant), "a checkpoint of the ledger"
    return _regular(SealWorkflow.run, [], schedule_id, SEAL_EVERY, summary, queue)


def audit_schedule(tenant: str, queue: str = names.WORKFLOWS) -> Schedule:
    """Audit the day before, every day; a missed run of the last day is made up for."""
    schedule_id = _audit_of(tenant)
    return Schedule(
        action=ScheduleActionStartWorkflow(
            AuditDayWorkflow.run,
            AuditOrder(),
            id=f"{schedule_id}/scheduled",
            task_queue=queue,
            static_summary="the audit of a day",
        ),
        spec=ScheduleSpec(
            calendars=[
                ScheduleCalendarSpec(
                    hour=[ScheduleRange(AUDIT_HOUR)], minute=[ScheduleRange(AUDIT_MINUTE)]
                )
            ]
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=1)),
    )


def _regular(
    workflow: Callable[..., Awaitable[Any]],
    args: Sequence[Any],
    schedule_id: str,
    every: timedelta,
    summary: str,
    queue: str,
) -> Schedule:
    """Start a workflow at an interval; a run that is still at work is not overtaken by the next."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            workflow,
            args=args,
            id=f"{schedule_id}/scheduled",
            task_queue=queue,
            static_summary=summary,
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(minutes=10)
        ),
    )


async def ensure_schedules(
    client: Client,
    tenant: str,
    sweeps: Sequence[SweepOrder],
    heal: HealOrder,
    queue: str = names.WORKFLOWS,
    *,
    seals: bool = False,
) -> None:
    """Create the schedules, or bring existing ones up to date; safe at every start.

    Args:
        client: of the namespace.
        tenant: whose schedules these are.
        sweeps: one for each time zone.
        heal: one for all.
        queue: where the workflow workers poll.
        seals: whether there is a key with which checkpoints are signed.
    """
    wanted = [
        *(sweep_schedule(sweep, queue) for sweep in sweeps),
        heal_schedule(tenant, heal, queue),
        watch_schedule(tenant, queue),
        audit_schedule(tenant, queue),
        *([seal_schedule(tenant, queue)] if seals else []),
    ]
    ids = schedule_ids(tenant, sweeps, seals=seals)
    for schedule_id, schedule in zip(ids, wanted, strict=True):
        await _ensure(client, schedule_id, schedule)


def schedule_ids(
    tenant: str, sweeps: Sequence[SweepOrder], *, seals: bool = False
) -> tuple[str, ...]:
    """Ids of the schedules that `ensure_schedules` creates."""
    sealing = (_seal_of(tenant),) if seals else ()
    every = (_sweep_of(sweep) for sweep in sweeps)
    return (*every, _heal_of(tenant), _watch_of(tenant), _audit_of(tenant), *sealing)


def _heal_of(tenant: str) -> str:
    return f"heal/{names.key('tenant', tenant)}"


def _watch_of(tenant: str) -> str:
    return f"watch_statements/{names.key('tenant', tenant)}"


def _audit_of(tenant: str) -> str:
    return f"audit_day/{names.key('tenant', tenant)}"


def _seal_of(tenant: str) -> str:
    return f"seal/{names.key('tenant', tenant)}"


def _sweep_of(order: SweepOrder) -> str:
    """`sweep/{tenant}/{zone}`; the slash of a zone's name becomes a dot."""
    zone = order.timezone.replace("/", ".")
    return f"sweep/{names.key('tenant', order.tenant)}/{names.key('timezone', zone)}"


async def _ensure(client: Client, schedule_id: str, wanted: Schedule) -> None:
    try:
        await client.create_schedule(schedule_id, wanted)
    except ScheduleAlreadyRunningError:

        async def renewed(current: ScheduleUpdateInput) -> ScheduleUpdate:
            # Whether an operator paused it is theirs to say, not ours.
            wanted.state = current.description.schedule.state
            return ScheduleUpdate(schedule=wanted)

        await client.get_schedule_handle(schedule_id).update(renewed)
