"""The workflow that heals every few minutes: leftover messages, missing and lagging drivers."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.healing import HealActivities, Healed, HealOrder
    from workflows import names, policies


@workflow.defn(name="Heal")
class HealWorkflow:
    """One round of healing."""

    @workflow.run
    async def run(self, order: HealOrder) -> Healed:
        """Heal; what could not be healed is named in the report."""
        return await workflow.execute_activity_method(
            HealActivities.heal,
            order,
            **policies.on(names.BOOKS, policies.BULK, "compare the books with what runs"),
        )
