"""The driver of one case, from the day on which it is assigned until it is resolved."""

from types import MappingProxyType

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.actions import driver_of
    from activities.cases import CaseActivities
    from domain.case.agenda import CaseAction
    from domain.case.commands import CASE_ORDERS, NoteCase
    from domain.case.view import CaseDetail
    from workflows.driver import Driver, Performs
    from workflows.messages import Closure, DriverOrder
    from workflows.overrides import takes


@workflow.defn(name="Case")
@takes(CASE_ORDERS)
class CaseWorkflow(Driver):
    """Drives one case through one generation."""

    performs = MappingProxyType(dict.fromkeys(CaseAction, Performs(CaseActivities.act)))

    @workflow.init
    def __init__(self, order: DriverOrder[CaseDetail]) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: DriverOrder[CaseDetail]) -> Closure:  # noqa: ARG002
        """Drive until the case is resolved."""
        return await self.drive()

    def hold(self) -> NoteCase:
        """A case cannot be held: whoever cancels its workflow is noted, and it goes on."""
        return NoteCase(
            id=f"cancel-requested/{workflow.info().run_id}",
            actor=driver_of(self._subject),
            reason="workflow cancel requested",
            case=self._subject.key,
        )
