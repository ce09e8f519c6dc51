"""Starts workflows other than drivers: statements, boarding, sweeps, healing."""

from datetime import date
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.boarding import Boarded
from activities.healing import Healed, HealOrder
from activities.statements import BookedFile, StatementOrder
from activities.statementwatch import Watched, WatchOrder
from activities.sweeps import SweepOrder
from domain.kernel import canonical
from ports.boarding import LoanApplication
from workflows import names
from workflows.board_loan import BoardLoanWorkflow
from workflows.daily_sweep import DailySweepWorkflow, SweepReport
from workflows.heal import HealWorkflow
from workflows.statement import StatementWorkflow
from workflows.watch_statements import WatchStatementsWorkflow

FAILED_ONLY = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY


class TemporalStarter:
    """Implements `ports.drivers.Starter`, and starts what the command line and sandbox ask for."""

    def __init__(self, client: Client, queue: str = names.WORKFLOWS) -> None:
        self._client, self._queue = client, queue

    async def start_statement(self, tenant: str, sha256: str, account: str = "") -> bool:
        """Have a kept file read, once by its hash; one that failed may be read again."""
        try:
            await self._client.start_workflow(
                StatementWorkflow.run,
                StatementOrder(tenant, sha256, account),
                id=names.statement_id(tenant, sha256),
                task_queue=self._queue,
                id_reuse_policy=FAILED_ONLY,
                memo={names.MEMO_REQUEST: sha256},
                static_summary=f"statement file {sha256[:16]}",
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def board(self, application: LoanApplication) -> WorkflowHandle[Any, Boarded]:
        """Have a loan boarded; the same application again gives the handle of the first start.

        Raises:
            WorkflowAlreadyStartedError: the id is taken by another application.
        """
        workflow_id = names.board_id(application.tenant, application.loan_id)
        request = canonical.digest(application)
        try:
            return await self._client.start_workflow(
                BoardLoanWorkflow.run,
                application,
                id=workflow_id,
                task_queue=self._queue,
                id_reuse_policy=FAILED_ONLY,
                memo={names.MEMO_REQUEST: request},
                static_summary=f"board {application.loan_id}",
            )
        except WorkflowAlreadyStartedError:
            handle: WorkflowHandle[Any, Boarded] = self._client.get_workflow_handle(
                workflow_id, result_type=Boarded
            )
            memo = await (await handle.describe()).memo()
            if memo.get(names.MEMO_REQUEST) != request:
                raise
            return handle

    async def sweep(
        self, order: SweepOrder, day: date
    ) -> WorkflowHandle[DailySweepWorkflow, SweepReport]:
        """Have one day's bulk work done; a day that was swept may be swept again: it catches up."""
        return await self._client.start_workflow(
            DailySweepWorkflow.run,
            order,
            id=names.sweep_id(order.tenant, order.timezone, day),
            task_queue=self._queue,
            static_summary=f"sweep of {day}",
        )

    async def watch(self, tenant: str) -> Watched:
        """Look after statements once, or join the look that runs, and wait for it."""
        return await self._client.execute_workflow(
            WatchStatementsWorkflow.run,
            WatchOrder(tenant),
            id=f"watch_statements/{names.key('tenant', tenant)}/now",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            task_queue=self._queue,
            static_summary="a look after statements, asked for",
        )

    async def booked(self, tenant: str, sha256: str) -> BookedFile:
        """Wait for the end of a file's reading that was started, and say what became of it.

        Raises:
            WorkflowFailureError: the file was refused, or could not be booked.
        """
        handle: WorkflowHandle[Any, BookedFile] = self._client.get_workflow_handle(
            names.statement_id(tenant, sha256), result_type=BookedFile
        )
        return await handle.result()

    async def heal(self, tenant: str, order: HealOrder) -> Healed:
        """Run one round of healing, or join the one that runs, and wait for it."""
        return await self._client.execute_workflow(
            HealWorkflow.run,
            order,
            id=f"heal/{names.key('tenant', tenant)}/now",
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            task_queue=self._queue,
            static_summary="healing, asked for",
        )
