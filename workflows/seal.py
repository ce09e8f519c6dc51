"""The workflow of every hour: a signed checkpoint of the ledger, witnessed by others."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.sealing import SealActivities, Sealed
    from workflows import names, policies


@workflow.defn(name="Seal")
class SealWorkflow:
    """One checkpoint."""

    @workflow.run
    async def run(self) -> Sealed:
        """Seal what was written since the last checkpoint; who did not witness it is named."""
        return await workflow.execute_activity_method(
            SealActivities.seal,
            **policies.on(names.BOOKS, policies.SEAL, "sign a checkpoint of the ledger"),
        )
