"""Builds workers: which role polls which queue, with which limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import PollerBehaviorAutoscaling, Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows import names
from workflows.audit_day import AuditDayWorkflow
from workflows.board_loan import BoardLoanWorkflow
from workflows.case import CaseWorkflow
from workflows.daily_sweep import DailySweepWorkflow
from workflows.heal import HealWorkflow
from workflows.installment import InstallmentWorkflow
from workflows.loanclosure import LoanClosureWorkflow
from workflows.payout import PayoutWorkflow
from workflows.seal import SealWorkflow
from workflows.statement import StatementWorkflow
from workflows.watch_statements import WatchStatementsWorkflow

OURS = ("domain", "ports", "activities", "workflows")
"""Packages that the sandbox shares instead of importing them again for every workflow."""

DEPLOYMENT = "acquit"
"""The one deployment of which builds are versions."""

GRACE = timedelta(seconds=30)
"""A debit in flight at shutdown has this long to be answered and recorded."""

WORKFLOWS: tuple[type, ...] = (
    InstallmentWorkflow,
    CaseWorkflow,
    PayoutWorkflow,
    LoanClosureWorkflow,
    BoardLoanWorkflow,
    DailySweepWorkflow,
    HealWorkflow,
    StatementWorkflow,
    WatchStatementsWorkflow,
    SealWorkflow,
    AuditDayWorkflow,
)


@dataclass(frozen=True, slots=True)
class Role:
    """What one worker does: the queue it polls, whether it runs workflows, its limits.

    `activities_at_once` must not exceed what the pools of the database and of the rail allow.
    `per_second` limits the starts of activities on the queue, all processes together.
    """

    queue: str
    runs_workflows: bool = False
    activities_at_once: int = 20
    pollers_most: int = 5
    per_second: float | None = None


def workflow_role(queue: str = names.WORKFLOWS) -> Role:
    """Runs workflow tasks and the small activities that only touch the books."""
    return Role(queue, runs_workflows=True)


def debit_role(rail: str, at_once: int = 20) -> Role:
    """Presents to and inquires of one rail; `at_once` is the rail's connection limit."""
    return Role(names.debit_queue(rail), activities_at_once=at_once)


def books_role() -> Role:
    """Bulk work on the books."""
    return Role(names.BOOKS, activities_at_once=5, pollers_most=2)


def runner() -> SandboxedWorkflowRunner:
    """The sandbox of our workflows: strict for them, transparent for our own pure packages."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*OURS)
    )


def build_worker(
    client: Client,
    role: Role,
    activities: Sequence[Callable[..., Any]] = (),
    *,
    build_id: str | None = None,
    max_cached_workflows: int = 1000,
    grace: timedelta = GRACE,
) -> Worker:
    """Build a worker for a role; run it with `async with`.

    With a build id, drivers stay on the build that began them (`PINNED`) until they end; the server
    gives new ones to the build that was made current. Workers that carry activities only are never
    versioned: what they take and give is kept compatible, so the newest serves drivers of all
    builds. A name is given all the same, because the SDK would otherwise hash every loaded module.
    """
    version = WorkerDeploymentVersion(DEPLOYMENT, build_id or "unversioned")
    versioned = build_id is not None and role.runs_workflows
    return Worker(
        client,
        task_queue=role.queue,
        workflows=WORKFLOWS if role.runs_workflows else (),
        activities=activities,
        workflow_runner=runner(),
        max_cached_workflows=max_cached_workflows if role.runs_workflows else 0,
        max_concurrent_activities=role.activities_at_once,
        max_task_queue_activities_per_second=role.per_second,
        workflow_task_poller_behavior=_pollers(role, least=1 if max_cached_workflows == 0 else 2),
        activity_task_poller_behavior=_pollers(role, least=1),
        graceful_shutdown_timeout=grace,
        deployment_config=WorkerDeploymentConfig(
            version=version,
            use_worker_versioning=versioned,
            default_versioning_behavior=VersioningBehavior.PINNED
            if versioned
            else VersioningBehavior.UNSPECIFIED,
        ),
    )


def _pollers(role: Role, least: int) -> PollerBehaviorAutoscaling:
    most = max(least, role.pollers_most)
    return PollerBehaviorAutoscaling(minimum=least, maximum=most, initial=least)
