"""The driver of one payout, from its request until every loan knows what became of it."""

from types import MappingProxyType

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.actions import driver_of
    from activities.payouts import PayoutActivities
    from domain.payout.agenda import PayoutAction
    from domain.payout.commands import PAYOUT_ORDERS, CancelPayout
    from domain.payout.view import PayoutDetail
    from workflows.driver import Driver, Performs
    from workflows.messages import Closure, DriverOrder
    from workflows.overrides import takes


@workflow.defn(name="Payout")
@takes(PAYOUT_ORDERS)
class PayoutWorkflow(Driver):
    """Drives one payout through one generation."""

    performs = MappingProxyType(
        {
            PayoutAction.INSTRUCT: Performs(PayoutActivities.instruct, at_rail=True),
            PayoutAction.INQUIRE: Performs(PayoutActivities.inquire, at_rail=True),
            PayoutAction.REVIEW: Performs(PayoutActivities.review),
            PayoutAction.ESCALATE: Performs(PayoutActivities.escalate),
            PayoutAction.LEARN: Performs(PayoutActivities.learn, in_bulk=True),
            PayoutAction.UNLEARN: Performs(PayoutActivities.learn, in_bulk=True),
        }
    )

    @workflow.init
    def __init__(self, order: DriverOrder[PayoutDetail]) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: DriverOrder[PayoutDetail]) -> Closure:  # noqa: ARG002
        """Drive until the payout is final for this generation."""
        return await self.drive()

    def hold(self) -> CancelPayout:
        """Take the payout back, if it has not left: once it has, the books refuse that."""
        return CancelPayout(
            id=f"cancel-requested/{workflow.info().run_id}",
            actor=driver_of(self._subject),
            reason="workflow cancel requested",
            payout=self._subject.key,
        )
