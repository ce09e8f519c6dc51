"""The workflow of a local day: rolls loans into it, fetches statements, delivers leftovers."""

from dataclasses import dataclass
from datetime import date

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.cases import CaseActivities
    from activities.remittances import RemittanceActivities
    from activities.sweeps import SweepActivities, SweepOrder
    from workflows import names, policies


REMITTANCE = "remittance"
"""The change by which sweeps request what is due to payees; histories before it replay."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What the sweep of one day did."""

    day: date
    loans: int
    failed: int
    statements_offered: int
    statements_started: int
    delivered: int
    faults: tuple[str, ...]
    cases: int = 0
    payouts: int = 0


@workflow.defn(name="DailySweep")
class DailySweepWorkflow:
    """Five bulk activities; only counts enter the history."""

    @workflow.run
    async def run(self, order: SweepOrder) -> SweepReport:
        """Roll the day, collect statements, deliver what is left over, see to cases and payees.

        In this order: a statement may settle what fell due today.
        """
        rolled = await workflow.execute_activity_method(
            SweepActivities.roll,
            order,
            **policies.on(names.BOOKS, policies.BULK, f"roll loans into {order.day or 'today'}"),
        )
        collected = await workflow.execute_activity_method(
            SweepActivities.collect,
            order,
            **policies.on(names.BOOKS, policies.BULK, "fetch new statements"),
        )
        delivered = await workflow.execute_activity_method(
            SweepActivities.deliver,
            **policies.on(names.BOOKS, policies.BULK_QUIET, "deliver what is left over"),
        )
        cases = await workflow.execute_activity_method(
            CaseActivities.sweep,
            **policies.on(names.BOOKS, policies.BULK, "remind of cases and hand them up"),
        )
        requested = 0
        if workflow.patched(REMITTANCE):
            remitted = await workflow.execute_activity_method(
                RemittanceActivities.remit,
                **policies.on(names.BOOKS, policies.BULK, "request what is due to payees"),
            )
            requested = remitted.requested
        report = SweepReport(
            rolled.day,
            rolled.loans,
            rolled.failed,
            collected.offered,
            collected.started,
            delivered,
            collected.faults,
            cases.acted,
            requested,
        )
        workflow.set_current_details(f"{report.day}: {report.loans} loans, {report.failed} failed")
        return report
