"""The driver of the closure of one loan, from its last release until it is sealed, or revoked."""

from types import MappingProxyType

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.actions import driver_of
    from activities.closures import ClosureActivities
    from domain.loanclosure.agenda import ClosureAction
    from domain.loanclosure.commands import CLOSURE_ORDERS, HoldClosure
    from domain.loanclosure.view import ClosureDetail
    from workflows.driver import Driver, Performs
    from workflows.messages import Closure, DriverOrder
    from workflows.overrides import takes


@workflow.defn(name="LoanClosure")
@takes(CLOSURE_ORDERS)
class LoanClosureWorkflow(Driver):
    """Drives the closure of one loan through one generation."""

    performs = MappingProxyType(
        {
            ClosureAction.REQUEST: Performs(ClosureActivities.request, in_bulk=True),
            ClosureAction.ASK: Performs(ClosureActivities.ask, in_bulk=True),
            ClosureAction.END_MANDATE: Performs(ClosureActivities.end_mandate, at_rail=True),
            ClosureAction.ASK_RAIL: Performs(ClosureActivities.end_mandate, at_rail=True),
            ClosureAction.ISSUE: Performs(ClosureActivities.issue, in_bulk=True),
            ClosureAction.TELL: Performs(ClosureActivities.tell),
            ClosureAction.LATE: Performs(ClosureActivities.review),
            ClosureAction.SEAL: Performs(ClosureActivities.seal, in_bulk=True),
        }
    )

    @workflow.init
    def __init__(self, order: DriverOrder[ClosureDetail]) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: DriverOrder[ClosureDetail]) -> Closure:  # noqa: ARG002
        """Drive until the closure is final for this generation."""
        return await self.drive()

    def hold(self) -> HoldClosure:
        """Stop what it does by itself; news is taken in all the same."""
        return HoldClosure(
            id=f"cancel-requested/{workflow.info().run_id}",
            actor=driver_of(self._subject),
            reason="workflow cancel requested",
            loan_id=self._subject.key,
        )
