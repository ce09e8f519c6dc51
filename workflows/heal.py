"""The workflow of every few minutes: leftover messages, missing drivers, cases and payees."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.cases import CaseActivities
    from activities.healing import HealActivities, Healed, HealOrder
    from activities.remittances import RemittanceActivities
    from workflows import names, policies
    from workflows.daily_sweep import REMITTANCE


@workflow.defn(name="Heal")
class HealWorkflow:
    """One round of healing, and of what is due for cases and payees."""

    @workflow.run
    async def run(self, order: HealOrder) -> Healed:
        """Heal; what could not be healed is named in the report."""
        healed = await workflow.execute_activity_method(
            HealActivities.heal,
            order,
            **policies.on(names.BOOKS, policies.BULK, "compare the books with what runs"),
        )
        await workflow.execute_activity_method(
            CaseActivities.sweep,
            **policies.on(names.BOOKS, policies.BULK, "remind of cases and hand them up"),
        )
        if workflow.patched(REMITTANCE):
            await workflow.execute_activity_method(
                RemittanceActivities.remit,
                **policies.on(names.BOOKS, policies.BULK, "request what is due to payees"),
            )
        return healed
