"""The driver of one installment, from its first reminder to the evidence that closes it."""

from types import MappingProxyType

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.actions import driver_of
    from activities.debits import DebitActivities
    from activities.installments import InstallmentActivities
    from domain.loan.commands import ORDERS, Hold
    from domain.loan.view import ActionKind, InstallmentDetail, installment_of
    from workflows.driver import Driver, Performs
    from workflows.messages import Closure, DriverOrder
    from workflows.overrides import takes


@workflow.defn(name="Installment")
@takes(ORDERS)
class InstallmentWorkflow(Driver):
    """Drives one installment through one generation."""

    performs = MappingProxyType(
        {
            ActionKind.REMIND: Performs(InstallmentActivities.remind),
            ActionKind.PRESENT: Performs(DebitActivities.present, at_rail=True),
            ActionKind.INQUIRE: Performs(DebitActivities.inquire, at_rail=True),
            ActionKind.REVIEW: Performs(InstallmentActivities.review),
        }
    )

    @workflow.init
    def __init__(self, order: DriverOrder[InstallmentDetail]) -> None:
        super().__init__(order)

    @workflow.run
    async def run(self, order: DriverOrder[InstallmentDetail]) -> Closure:  # noqa: ARG002
        """Drive until the books are final for this generation."""
        return await self.drive()

    def hold(self) -> Hold:
        """Stop new debits and contact."""
        loan_id, number = installment_of(self._subject)
        return Hold(
            id=f"cancel-requested/{workflow.info().run_id}",
            actor=driver_of(self._subject),
            reason="workflow cancel requested",
            loan_id=loan_id,
            number=number,
        )
