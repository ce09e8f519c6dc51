"""The workflow of every day: the books are audited, and rails, ledger and bank are matched."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.auditing import AuditActivities, Audited, AuditOrder
    from workflows import names, policies


@workflow.defn(name="AuditDay")
class AuditDayWorkflow:
    """One day; its result waits in the books for somebody to sign it off."""

    @workflow.run
    async def run(self, order: AuditOrder) -> Audited:
        """Audit the day that is named, or yesterday."""
        return await workflow.execute_activity_method(
            AuditActivities.audit_day,
            order,
            **policies.on(names.BOOKS, policies.SEAL, "audit a day"),
        )
